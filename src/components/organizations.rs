//! Which organizations a sign-in reaches.

use leptos::prelude::*;
use polar_signin_core::{
    organization::{Organization, SCOPE},
    snapshot::{Loadable, Reach, UnknownReach},
};
use wasm_bindgen::JsCast as _;

use super::{
    Auth,
    element::{button, el, el_on, live, nothing, say},
    error_panel::notice,
    face::face,
};
use crate::{browser::dom, client::SignIn, text::en};

/// More than this get a filter.
const MANY: usize = 10;

/// The result of the choice, in every state that it can have.
#[must_use]
pub fn organizations(auth: Auth) -> AnyView {
    let content = move || auth.account(|account| reach(auth, &account.organizations)).unwrap_or_else(nothing);
    el(
        "section",
        &[("class", "section"), ("aria-labelledby", "organizations")],
        vec![say("h2", &[("id", "organizations")], en::ORGANIZATIONS), live(Box::new(content))],
    )
}

fn reach(auth: Auth, organizations: &Loadable<Reach>) -> AnyView {
    match organizations {
        Loadable::Absent => outcome("unknown", vec![say("p", &[], en::NO_ORGANIZATIONS_HERE)]),
        Loadable::Waiting => {
            let row = say("div", &[("class", "row skeleton"), ("role", "status"), ("aria-label", en::LOOKING_UP)], ".");
            outcome("waiting", vec![row])
        }
        Loadable::Failed(error) => {
            let retry =
                button("retry-organizations", "small", en::TRY_AGAIN, Box::new(move || auth.client().retry_details()));
            outcome("failed", vec![notice(error, "data-reason"), el("div", &[("class", "actions")], vec![retry])])
        }
        Loadable::Ready(Reach::Itself(one)) => chosen("itself", en::ITSELF, one),
        Loadable::Ready(Reach::Selected(one)) => chosen("selected", en::SELECTED, one),
        Loadable::Ready(Reach::Organizations { total, listed }) => several(*total, listed),
        Loadable::Ready(Reach::Unknown(UnknownReach::NotOffered)) => {
            outcome("unknown", vec![say("p", &[], en::NO_ORGANIZATIONS_HERE)])
        }
        Loadable::Ready(Reach::Unknown(UnknownReach::ScopeNotGranted)) => {
            let ask = move || {
                auth.client().sign_in(SignIn { further_scope: vec![SCOPE.to_owned()], ..SignIn::default() });
            };
            let button = button("ask-organizations", "small", en::ALLOW_IT, Box::new(ask));
            outcome("unknown", vec![say("p", &[], en::NOT_ALLOWED), el("div", &[("class", "actions")], vec![button])])
        }
    }
}

fn outcome(reach: &str, content: Vec<AnyView>) -> AnyView {
    el("div", &[("data-reach", reach)], content)
}

fn chosen(reach: &str, words: &str, organization: &Organization) -> AnyView {
    let rows = el("ul", &[("class", "rows")], vec![row(organization, "row chosen")]);
    outcome(reach, vec![rows, say("p", &[("class", "fine")], words)])
}

fn several(total: u64, listed: &[Organization]) -> AnyView {
    let summary = say("p", &[("class", "fine")], &en::reaches(total, listed.len()));
    if listed.len() <= MANY {
        let rows = listed.iter().map(|organization| row(organization, "row")).collect();
        return outcome("organizations", vec![el("ul", &[("class", "rows")], rows), summary]);
    }
    let filter = RwSignal::new(String::new());
    let listed = listed.to_vec();
    let rows = move || {
        let wanted = filter.get().to_ascii_lowercase();
        let matches = |text: &str| text.to_ascii_lowercase().contains(wanted.as_str());
        let found = listed.iter().filter(|o| matches(&o.name) || o.slug.as_deref().is_some_and(matches));
        let rows = found.map(|organization| row(organization, "row")).collect();
        el("ul", &[("class", "rows many"), ("tabindex", "0"), ("aria-label", en::ORGANIZATIONS)], rows)
    };
    let typed = move |event: web_sys::Event| {
        if let Some(input) = event.target().and_then(|target| target.dyn_into().ok()) {
            filter.set(dom::value(&input));
        }
    };
    let field = el_on(
        "input",
        &[
            ("type", "search"),
            ("id", "filter"),
            ("aria-label", en::FILTER),
            ("placeholder", en::FILTER),
            ("autocomplete", "off"),
        ],
        vec![("input", Box::new(typed))],
        vec![],
    );
    outcome("organizations", vec![field, live(Box::new(rows)), summary])
}

fn row(organization: &Organization, class: &str) -> AnyView {
    let Organization { id, name, slug, avatar_url } = organization;
    el(
        "li",
        &[("class", class), ("data-organization", id)],
        vec![
            face(avatar_url.as_deref(), name),
            el(
                "div",
                &[],
                vec![
                    say("strong", &[], name),
                    slug.as_ref().map_or_else(nothing, |slug| say("small", &[], slug)),
                    say("small", &[("class", "code")], id),
                ],
            ),
        ],
    )
}
