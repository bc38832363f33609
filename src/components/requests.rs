//! Requests to the API, to be tried: which, with which token, and what came of it.

use std::{any::Any, cell::RefCell, rc::Rc};

use leptos::prelude::*;
use polar_signin_core::{
    api::{Answer, Availability, Endpoint, Listing},
    error::{Code, Error},
    json::Value,
    secret::AccessToken,
    time::UnixTime,
    token::pasted_access_token,
    url::EndpointUrl,
};
use wasm_bindgen::JsCast as _;

use super::{
    Auth,
    element::{Handler, button, el, el_on, live, nothing, say, text},
    error_panel::notice,
    json_tree::json_tree,
    progress::progress,
};
use crate::{
    browser::{clock, dom},
    client::{
        SignIn,
        api::{Heard, Paged},
    },
    text::en,
};

/// What there is to show of a request.
#[derive(Clone)]
enum Shown {
    Nothing,
    Asking,
    Pausing(UnixTime),
    Answered {
        millis: i64,
        answer: Rc<Answer>,
    },
    /// A list on its way: how many of how many.
    Fetched {
        progress: (u64, u64),
        names: Rc<Vec<String>>,
        done: bool,
    },
    Failed(Error),
}

/// What the parts share.
#[derive(Clone, Copy)]
struct Bench {
    auth: Auth,
    api: StoredValue<EndpointUrl, LocalStorage>,
    endpoint: RwSignal<usize, LocalStorage>,
    /// A token that was pasted: in memory alone, and never shown again.
    pasted: RwSignal<Option<AccessToken>, LocalStorage>,
    shown: RwSignal<Shown, LocalStorage>,
    /// A request or a list of them, held while it is under way.
    fetching: StoredValue<Option<Box<dyn Any>>, LocalStorage>,
}

/// The bench, where the provider has an API.
#[must_use]
pub fn requests(auth: Auth) -> AnyView {
    let Some(api) = auth.client().config().provider().api() else { return nothing() };
    let bench = Bench {
        auth,
        api: StoredValue::new_local(api),
        endpoint: RwSignal::new_local(0),
        pasted: RwSignal::new_local(None),
        shown: RwSignal::new_local(Shown::Nothing),
        fetching: StoredValue::new_local(None),
    };
    on_cleanup(move || bench.fetching.set_value(None));
    el(
        "section",
        &[("class", "card"), ("aria-labelledby", "requests")],
        vec![
            say("h2", &[("id", "requests")], en::TRY_THE_API),
            say("p", &[("class", "fine")], en::ONLY_READS),
            choice(bench),
            live(Box::new(move || request(bench))),
            live(Box::new(move || actions(bench))),
            own_token(bench),
            el("div", &[("aria-live", "polite"), ("data-result", "")], vec![live(Box::new(move || result(bench)))]),
        ],
    )
}

fn choice(bench: Bench) -> AnyView {
    let option = |(index, endpoint): (usize, &Endpoint)| {
        let value = index.to_string();
        say("option", &[("value", &value)], &["GET /v1/", endpoint.path].concat())
    };
    let chosen: Handler = Box::new(move |event| {
        if let Some(select) = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlSelectElement>().ok()) {
            bench.stop(Shown::Nothing);
            bench.endpoint.set(usize::try_from(select.selected_index()).unwrap_or(0));
        }
    });
    let options = Endpoint::ALL.iter().enumerate().map(option).collect();
    let select = el_on("select", &[("id", "endpoint")], vec![("change", chosen)], options);
    el("div", &[("class", "field")], vec![say("label", &[("for", "endpoint")], en::REQUEST), select])
}

/// The request as it goes out, the token left out; and why it may not.
fn request(bench: Bench) -> AnyView {
    let lines = ["GET ", &bench.url(), "\nAuthorization: Bearer …"].concat();
    let why = match bench.availability() {
        Availability::Ready => nothing(),
        Availability::NotForOrganizations => {
            say("p", &[("class", "notice"), ("data-refused", "organization")], en::NOT_FOR_ORGANIZATIONS)
        }
        Availability::NeedsScope(scope) => el(
            "div",
            &[("class", "notice"), ("data-refused", scope)],
            vec![text(&en::scope_is_missing(scope)), text(" "), ask_for(bench, scope)],
        ),
    };
    el("div", &[], vec![say("pre", &[("tabindex", "0"), ("data-request", "")], &lines), why])
}

/// One click that asks for a scope which was not granted.
fn ask_for(bench: Bench, scope: &'static str) -> AnyView {
    let ask = move || {
        let further_scope = vec![scope.to_owned()];
        bench.auth.client().sign_in(SignIn { further_scope, ..SignIn::default() });
    };
    button("ask-scope", "small", en::ALLOW_IT, Box::new(ask))
}

fn actions(bench: Bench) -> AnyView {
    let running = bench.shown.with(|shown| match shown {
        Shown::Asking | Shown::Pausing(_) => true,
        Shown::Fetched { done, .. } => !done,
        _ => false,
    });
    if running {
        let cancel = button("cancel-request", "", en::CANCEL, Box::new(move || bench.stop(Shown::Nothing)));
        return el("div", &[("class", "actions")], vec![cancel]);
    }
    let ready = bench.availability() == Availability::Ready;
    let action = |id, class, label: &str, press: fn(Bench)| {
        let mut attributes = vec![("type", "button"), ("id", id), ("class", class)];
        if !ready {
            attributes.push(("disabled", ""));
        }
        el_on("button", &attributes, vec![("click", Box::new(move |_| press(bench)))], vec![text(label)])
    };
    let mut all = vec![action("send", "primary", en::SEND, Bench::send)];
    if bench.endpoint().is_list {
        all.push(action("fetch-all", "", en::FETCH_ALL, Bench::fetch_all));
    }
    all.push(button("copy-curl", "", en::COPY_CURL, Box::new(move || dom::copy(&bench.curl()))));
    el("div", &[("class", "actions")], all)
}

/// For a token that was made in the provider's settings.
fn own_token(bench: Bench) -> AnyView {
    let content = move || {
        if bench.pasted.with(Option::is_some) {
            let forget = button("forget-token", "small", en::FORGET_TOKEN, Box::new(move || bench.pasted.set(None)));
            return el(
                "p",
                &[("class", "notice"), ("data-pasted", "")],
                vec![text(en::TOKEN_IN_USE), text(" "), forget],
            );
        }
        let attributes = [("type", "password"), ("id", "token"), ("autocomplete", "off"), ("spellcheck", "false")];
        let field = vec![say("label", &[("for", "token")], en::OWN_TOKEN), el("input", &attributes, vec![])];
        let take = move || {
            bench.stop(Shown::Nothing);
            bench.pasted.set(pasted_access_token(&dom::field("token")));
        };
        el(
            "div",
            &[],
            vec![
                el("div", &[("class", "field")], field),
                say("p", &[("class", "fine")], en::OWN_TOKEN_HINT),
                el("div", &[("class", "actions")], vec![button("use-token", "small", en::USE_TOKEN, Box::new(take))]),
            ],
        )
    };
    el("details", &[("id", "own-token")], vec![say("summary", &[], en::OTHER_TOKEN), live(Box::new(content))])
}

fn result(bench: Bench) -> AnyView {
    match bench.shown.get() {
        Shown::Nothing => nothing(),
        Shown::Asking => say("p", &[("class", "notice"), ("role", "status")], en::ASKING),
        Shown::Pausing(until) => {
            let words = en::pausing(until.as_millis() - clock::now_ms());
            say("p", &[("class", "notice"), ("role", "status"), ("data-pausing", "")], &words)
        }
        Shown::Answered { millis, answer } => {
            let facts = ["200 · ", &millis.to_string(), " ms"].concat();
            el(
                "div",
                &[],
                vec![say("p", &[("class", "fine"), ("data-status", "200")], &facts), json_tree(&answer.json())],
            )
        }
        Shown::Fetched { progress: (fetched, total), names, done } => fetched_so_far(fetched, total, &names, done),
        Shown::Failed(error) => {
            let missing = matches!(error.code(), Code::InsufficientScope).then(|| bench.endpoint().scope);
            let ask = missing.map_or_else(nothing, |scope| {
                let words = vec![text(&en::scope_is_missing(scope)), text(" "), ask_for(bench, scope)];
                el("p", &[("class", "notice"), ("data-missing", scope)], words)
            });
            el("div", &[], vec![notice(&error, "data-request-failed"), ask])
        }
    }
}

fn fetched_so_far(fetched: u64, total: u64, names: &[String], done: bool) -> AnyView {
    let words = en::fetched(fetched, total, done);
    let bar = if done { nothing() } else { progress((fetched, total), en::FETCH_ALL) };
    let rows = names.iter().map(|name| say("li", &[], name)).collect();
    el(
        "div",
        &[("data-fetched", &fetched.to_string())],
        vec![
            say("p", &[("class", "fine"), ("role", "status")], &words),
            bar,
            el("ol", &[("class", "fetched"), ("tabindex", "0"), ("aria-label", en::FETCH_ALL)], rows),
        ],
    )
}

impl Bench {
    fn endpoint(self) -> Endpoint {
        Endpoint::ALL[self.endpoint.get().min(Endpoint::ALL.len() - 1)]
    }

    fn url(self) -> String {
        self.endpoint().url(&self.api.get_value())
    }

    fn curl(self) -> String {
        ["curl -H \"Authorization: Bearer $POLAR_TOKEN\" \"", &self.url(), "\""].concat()
    }

    /// A pasted token's scopes are not known before it is used.
    fn availability(self) -> Availability {
        if self.pasted.with(Option::is_some) {
            return Availability::Ready;
        }
        let endpoint = self.endpoint();
        self.auth.account(|account| endpoint.availability(account)).unwrap_or(Availability::Ready)
    }

    /// Whatever is under way is cancelled.
    fn stop(self, shown: Shown) {
        self.fetching.set_value(None);
        self.shown.set(shown);
    }

    fn send(self) {
        self.stop(Shown::Asking);
        let began = clock::now_ms();
        let hear = move |heard| {
            self.shown.set(match heard {
                Heard::Pausing(until) => Shown::Pausing(until),
                Heard::Done(Ok(answer)) => Shown::Answered { millis: clock::now_ms() - began, answer: Rc::new(answer) },
                Heard::Done(Err(error)) => Shown::Failed(error),
            });
        };
        let fetching = self.auth.client().fetch(self.url(), self.pasted.get_untracked(), hear);
        self.fetching.set_value(Some(Box::new(fetching)));
    }

    /// The first page, and so on to the last.
    fn fetch_all(self) {
        self.stop(Shown::Asking);
        let list = Listing::new(&[self.api.get_value().as_str(), self.endpoint().path].concat());
        let names = RefCell::new(Vec::new());
        let hear = move |heard: Paged<'_>| {
            self.shown.set(match heard {
                Paged::Pausing(until) => Shown::Pausing(until),
                Paged::Page(items, list) => {
                    names.borrow_mut().extend(items.iter().map(name_of));
                    let (names, done) = (Rc::new(names.borrow().clone()), list.next().is_none());
                    Shown::Fetched { progress: list.progress(), names, done }
                }
                Paged::Failed(error) => Shown::Failed(error),
            });
        };
        let paging = self.auth.client().fetch_pages(list, self.pasted.get_untracked(), hear);
        self.fetching.set_value(Some(Box::new(paging)));
    }
}

/// What to call an item: its name, or what else there is.
fn name_of(item: &Value<'_>) -> String {
    let item = item.as_object();
    let text = |name| item.and_then(|item| item.str(name)).filter(|text| !text.is_empty());
    let name = text("name").or_else(|| text("email")).or_else(|| text("id"));
    name.unwrap_or("…").chars().take(256).collect()
}
