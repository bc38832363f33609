//! Everybody who is signed in here: who is active, who else there is, and the way in for one more.

use leptos::prelude::*;
use polar_signin_core::{
    identities::Slot,
    organization::Organization,
    snapshot::{Account, Loadable, Reach, SubjectKind},
};

use super::{
    Auth,
    account::display_name,
    element::{button, el, el_on, live, nothing, say},
    face::face,
    hooks::use_session,
};
use crate::{
    browser::dom::{self, local_time},
    client::{Prompt, SignIn},
    text::en,
};

/// More than this get a search.
const MANY: usize = 10;
const SEARCH: &str = "search-identities";

/// Everybody who is signed in here, and the ways to add somebody: for an app's own page.
#[component]
pub fn OrganizationSwitcher() -> impl IntoView {
    identities(use_session())
}

/// The switcher. Whoever is alone sees only the ways to add somebody.
#[must_use]
pub fn identities(auth: Auth) -> AnyView {
    let wanted = RwSignal::new(String::new());
    let list = move || {
        let wanted = wanted.get().to_lowercase();
        auth.identities(|active, all| if all.len() < 2 { nothing() } else { rows(auth, active, all, &wanted) })
    };
    let many = Memo::new(move |_| auth.identities(|_, all| all.len() > MANY));
    let search = move || if many.get() { search(wanted) } else { nothing() };
    let add = move |organization, prompt| auth.client().add(SignIn { organization, prompt, ..SignIn::default() });
    let mut actions = Vec::new();
    if auth.client().config().provider().preset().is_polar() {
        actions.push(button("add-organization", "small", en::ADD_ORGANIZATION, Box::new(move || add(true, None))));
    }
    actions.push(button("add-account", "small", en::ADD_ACCOUNT, Box::new(move || add(false, Some(Prompt::Login)))));
    el(
        "section",
        &[("class", "section"), ("aria-labelledby", "identities")],
        vec![
            say("h2", &[("id", "identities")], en::SIGNED_IN_HERE),
            live(Box::new(search)),
            live(Box::new(list)),
            el("div", &[("class", "actions")], actions),
        ],
    )
}

fn search(wanted: RwSignal<String>) -> AnyView {
    let typed = move |_| wanted.set(dom::field(SEARCH));
    el_on(
        "input",
        &[
            ("type", "search"),
            ("id", SEARCH),
            ("aria-label", en::SEARCH_IDENTITIES),
            ("placeholder", en::SEARCH_IDENTITIES),
            ("autocomplete", "off"),
        ],
        vec![("input", Box::new(typed))],
        vec![],
    )
}

/// Everything that an identity is told apart by, of those that have this in it.
fn rows(auth: Auth, active: Slot, all: &[(Slot, Account)], wanted: &str) -> AnyView {
    let fits = |account: &Account| [name_of(account), details(account)].join("\n").to_lowercase().contains(wanted);
    let row = |(slot, account): &(Slot, Account)| {
        let (slot, name, number) = (*slot, name_of(account), slot.number().to_string());
        let is_active = slot == active;
        let details = [details(account), en::ends_at(account.expires_at.map(|end| local_time(end.as_millis())))];
        let content = vec![
            face(picture_of(account), &name),
            el(
                "div",
                &[],
                vec![
                    say("strong", &[], &name),
                    say("small", &[], &details.join(" · ")),
                    say("small", &[("class", "active")], if is_active { en::ACTIVE } else { "" }),
                ],
            ),
        ];
        let mut attributes = vec![
            ("type", "button"),
            ("class", if is_active { "row chosen" } else { "row" }),
            ("data-identity", number.as_str()),
        ];
        attributes.extend(is_active.then_some(("aria-current", "true")));
        let choose = move |_| auth.client().switch(slot);
        let end = say_end(auth, slot, &name);
        el("li", &[], vec![el_on("button", &attributes, vec![("click", Box::new(choose))], content), end])
    };
    el("ul", &[("class", "rows identities")], all.iter().filter(|(_, account)| fits(account)).map(row).collect())
}

fn say_end(auth: Auth, slot: Slot, name: &str) -> AnyView {
    let label = en::end_of(name);
    let end = move |_| auth.client().sign_out(slot);
    let attributes =
        [("type", "button"), ("class", "small"), ("data-end", &slot.number().to_string()), ("aria-label", &label)];
    el_on("button", &attributes, vec![("click", Box::new(end))], vec![say("span", &[], en::SIGN_OUT)])
}

/// What an identity is called: the organization that it is for, else whoever signed in.
#[must_use]
pub fn name_of(account: &Account) -> String {
    organization_of(account).map_or_else(|| display_name(account), |organization| organization.name.clone())
}

/// Its picture.
#[must_use]
pub fn picture_of(account: &Account) -> Option<&str> {
    match organization_of(account) {
        Some(organization) => organization.avatar_url.as_deref(),
        None => account.profile.picture.as_deref(),
    }
}

/// Slug and reach.
fn details(account: &Account) -> String {
    let person = || display_name(account);
    match (&account.organizations, organization_of(account)) {
        (Loadable::Failed(error), Some(_)) => en::error(error.code()).title.to_owned(),
        (_, Some(organization)) => {
            let slug = organization.slug.clone().unwrap_or_else(|| organization.id.clone());
            let who = if account.kind == SubjectKind::Organization { en::ITSELF_SHORT.to_owned() } else { person() };
            [slug, who].join(" · ")
        }
        (Loadable::Ready(Reach::Organizations { total, .. }), _) => en::organizations(*total),
        _ => en::A_PERSON.to_owned(),
    }
}

/// The one that it is for, also while that is being looked up, and when it was lost.
fn organization_of(account: &Account) -> Option<&Organization> {
    match &account.organizations {
        Loadable::Ready(Reach::Itself(organization)) => Some(organization),
        _ => account.chosen.as_ref(),
    }
}
