//! Requests to the API, to be tried: which, with which token, and what came of it.

use std::rc::Rc;

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
};
use crate::{
    browser::{clock, dom},
    client::{
        SignIn,
        api::{Fetching, Heard},
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
    /// Held while it is under way.
    fetching: StoredValue<Option<Fetching>, LocalStorage>,
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
    let (value, most) = (fetched.to_string(), total.max(1).to_string());
    let words = en::fetched(fetched, total, done);
    let bar = el("progress", &[("value", &value), ("max", &most), ("aria-label", en::FETCH_ALL)], vec![]);
    let rows = names.iter().map(|name| say("li", &[], name)).collect();
    el(
        "div",
        &[("data-fetched", &value)],
        vec![
            say("p", &[("class", "fine"), ("role", "status")], &words),
            if done { nothing() } else { bar },
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

    fn fetch(self, url: String, done: impl Fn(Answer) + 'static) {
        let hear = move |heard| match heard {
            Heard::Pausing(until) => self.shown.set(Shown::Pausing(until)),
            Heard::Done(Ok(answer)) => done(answer),
            Heard::Done(Err(error)) => self.shown.set(Shown::Failed(error)),
        };
        let token = self.pasted.get_untracked();
        self.fetching.set_value(Some(self.auth.client().fetch(url, token, hear)));
    }

    fn send(self) {
        self.stop(Shown::Asking);
        let began = clock::now_ms();
        self.fetch(self.url(), move |answer| {
            self.shown.set(Shown::Answered { millis: clock::now_ms() - began, answer: Rc::new(answer) });
        });
    }

    fn fetch_all(self) {
        self.stop(Shown::Asking);
        let list = Listing::new(&[self.api.get_value().as_str(), self.endpoint().path].concat());
        self.fetch_page(list, Vec::new());
    }

    /// The next page, and so on to the last.
    fn fetch_page(self, list: Listing, names: Vec<String>) {
        let Some(url) = list.next() else { return };
        self.fetch(url, move |answer| {
            let (mut list, mut names) = (list.clone(), names.clone());
            match list.take(&answer) {
                Ok(items) => names.extend(items.iter().map(name_of)),
                Err(error) => return self.shown.set(Shown::Failed(error)),
            }
            let done = list.next().is_none();
            self.shown.set(Shown::Fetched { progress: list.progress(), names: Rc::new(names.clone()), done });
            self.fetch_page(list, names);
        });
    }
}

/// What to call an item: its name, or what else there is.
fn name_of(item: &Value<'_>) -> String {
    let item = item.as_object();
    let text = |name| item.and_then(|item| item.str(name)).filter(|text| !text.is_empty());
    let name = text("name").or_else(|| text("email")).or_else(|| text("id"));
    name.unwrap_or("…").chars().take(256).collect()
}
