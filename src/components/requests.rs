//! Requests to the API, to be tried: which, with which token, and what came of it.

use std::{any::Any, cell::RefCell, rc::Rc};

use leptos::prelude::*;
use polar_signin_core::{
    api::{Answer, Availability, Endpoint, Listing},
    curl,
    error::{Code, Error},
    json::Value,
    organization::Organization,
    snapshot::{Loadable, Reach},
    time::UnixTime,
    url::EndpointUrl,
};
use wasm_bindgen::JsCast as _;

use super::{
    Auth,
    element::{Handler, button, el, el_on, live, nothing, say, text},
    error_panel::notice,
    json_tree::json_tree,
    pasted_token::PastedToken,
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
    /// Of all organizations that are reached, the one that is asked about.
    organization: RwSignal<Option<String>, LocalStorage>,
    pasted: PastedToken,
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
        organization: RwSignal::new_local(None),
        pasted: PastedToken::new(auth),
        shown: RwSignal::new_local(Shown::Nothing),
        fetching: StoredValue::new_local(None),
    };
    on_cleanup(move || bench.fetching.set_value(None));
    // What somebody is about to choose from stays as it is, whatever else changes.
    // Another token is another choice.
    let several = Memo::new(move |_| (bench.pasted.is_there(), organizations(bench)));
    el(
        "section",
        &[("class", "card"), ("aria-labelledby", "requests")],
        vec![
            say("h2", &[("id", "requests")], en::TRY_THE_API),
            say("p", &[("class", "fine")], en::ONLY_READS),
            choice(bench),
            live(Box::new(move || several.with(|(_, all)| whose(bench, all)))),
            live(Box::new(move || request(bench))),
            live(Box::new(move || actions(bench))),
            bench.pasted.view(move || {
                bench.stop(Shown::Nothing);
                bench.organization.set(None);
            }),
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

/// Whoever acts for several organizations may ask about one of them: their ids and names.
fn organizations(bench: Bench) -> Vec<(String, String)> {
    let all = |listed: &[Organization]| listed.iter().map(|one| (one.id.clone(), one.name.clone())).collect();
    let all: Vec<_> = if bench.pasted.is_there() {
        bench.pasted.organizations(all)
    } else {
        let own = bench.auth.account(|account| match &account.organizations {
            Loadable::Ready(Reach::Organizations { listed, .. }) => all(listed),
            _ => Vec::new(),
        });
        own.unwrap_or_default()
    };
    if all.len() > 1 { all } else { Vec::new() }
}

fn whose(bench: Bench, organizations: &[(String, String)]) -> AnyView {
    if organizations.is_empty() || !bench.endpoint().by_organization {
        return nothing();
    }
    let chosen = bench.organization.get_untracked();
    let option = |id: &str, name: &str| {
        let mut attributes = vec![("value", id)];
        attributes.extend((chosen.as_deref().unwrap_or_default() == id).then_some(("selected", "")));
        say("option", &attributes, name)
    };
    let mut options = vec![option("", en::OF_ALL)];
    options.extend(organizations.iter().map(|(id, name)| option(id, name)));
    let choose: Handler = Box::new(move |event| {
        if let Some(select) = event.target().and_then(|target| target.dyn_into::<web_sys::HtmlSelectElement>().ok()) {
            bench.stop(Shown::Nothing);
            bench.organization.set(Some(select.value()).filter(|id| !id.is_empty()));
        }
    });
    let select = el_on("select", &[("id", "organization")], vec![("change", choose)], options);
    let label = say("label", &[("for", "organization")], en::OF_ORGANIZATION);
    el("div", &[("class", "field")], vec![label, select])
}

/// The request as it goes out, the token left out; and why it may not.
fn request(bench: Bench) -> AnyView {
    let headers = if bench.is_bound() { "\nAuthorization: DPoP …\nDPoP: …" } else { "\nAuthorization: Bearer …" };
    let lines = ["GET ", &bench.url(), headers].concat();
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
        self.organization.with(|one| self.endpoint().url(&self.api.get_value(), one.as_deref()))
    }

    fn curl(self) -> String {
        curl::get(&self.url(), self.is_bound())
    }

    /// The token of a session may need a proof beside it; one that was pasted needs none.
    fn is_bound(self) -> bool {
        self.auth.client().config().dpop() && !self.pasted.is_there()
    }

    /// A pasted token's scopes are not known before it is used.
    fn availability(self) -> Availability {
        if self.pasted.is_there() {
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
        let organization = self.organization.get_untracked();
        let list = Listing::new(&self.endpoint().address(&self.api.get_value(), organization.as_deref()));
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
