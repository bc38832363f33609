//! Which organizations a sign-in reaches.

use leptos::prelude::*;
use polar_signin_core::{
    api::Listing,
    error::Error,
    organization::{self, Organization, SCOPE},
    snapshot::{Loadable, Reach, UnknownReach},
    time::UnixTime,
};

use super::{
    Auth,
    element::{button, el, live, live_text, nothing, say},
    error_panel::notice,
    face::face,
    long_list::{LongList, Words},
    progress::progress,
};
use crate::{
    browser::{clock, dom},
    client::{
        SignIn,
        api::{Paged, Paging},
    },
    text::en,
};

/// More than this are searched, and shown in a window.
const MANY: usize = 10;
/// Of so many that came last, none is taken twice: a list may grow at its beginning while it is fetched.
const LAST: usize = 200;

/// The result of the choice, in every state that it can have.
#[must_use]
pub fn organizations(auth: Auth) -> AnyView {
    // A list that somebody looks at stays as it is, whatever else changes.
    let known = Memo::new(move |_| auth.account(|account| account.organizations.clone()));
    let content = move || known.with(|known| known.as_ref().map_or_else(nothing, |known| reach(auth, known)));
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
        Loadable::Ready(Reach::Organizations { total, listed }) => several(auth, *total, listed),
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
    let rows = el("ul", &[("class", "rows")], vec![row("li", "row chosen", organization, false)]);
    outcome(reach, vec![rows, say("p", &[("class", "fine")], words)])
}

fn several(auth: Auth, total: u64, listed: &[Organization]) -> AnyView {
    if listed.len() <= MANY && total == listed.len() as u64 {
        let rows = listed.iter().map(|organization| row("li", "row", organization, false)).collect();
        let summary = say("p", &[("class", "fine")], &en::reaches(total, listed.len()));
        return outcome("organizations", vec![el("ul", &[("class", "rows")], rows), summary]);
    }
    let all = All::new(auth, total, listed);
    let words = Words { name: en::ORGANIZATIONS, search: en::FILTER, nothing: en::NO_MATCH, found: en::found };
    let summary = move || en::reaches(all.total.get(), all.list.count());
    let way_on = Memo::new(move |_| all.state.with(State::way_on));
    outcome(
        "organizations",
        vec![
            all.list.view(words),
            el("p", &[("class", "fine")], vec![live_text(Box::new(summary))]),
            el("div", &[("class", "more")], vec![live(Box::new(move || more(all, way_on.get())))]),
        ],
    )
}

/// All organizations of a sign-in, as far as they are here.
#[derive(Clone, Copy)]
struct All {
    auth: Auth,
    list: LongList,
    rows: StoredValue<Vec<Organization>>,
    total: RwSignal<u64>,
    state: RwSignal<State, LocalStorage>,
    /// How far they were fetched.
    listing: StoredValue<Option<Listing>>,
    /// Held while it is under way.
    paging: StoredValue<Option<Paging>, LocalStorage>,
}

/// Where the fetching of the rest stands.
enum State {
    /// There is a rest.
    Rest,
    /// On its way: how many of how many.
    Fetching(u64, u64),
    Pausing(UnixTime),
    Failed(Error),
    /// There is none.
    Done,
}

/// What there is to press.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WayOn {
    Begin,
    Cancel,
    Again,
    Nothing,
}

impl State {
    fn way_on(&self) -> WayOn {
        match self {
            Self::Rest => WayOn::Begin,
            Self::Fetching(..) | Self::Pausing(_) => WayOn::Cancel,
            Self::Failed(_) => WayOn::Again,
            Self::Done => WayOn::Nothing,
        }
    }
}

fn more(all: All, way_on: WayOn) -> AnyView {
    let part = match way_on {
        WayOn::Begin => {
            let label = en::show_all(all.total.get_untracked());
            vec![button("show-all", "small", &label, Box::new(move || all.fetch()))]
        }
        WayOn::Cancel => {
            let cancel = button("cancel-all", "small", en::CANCEL, Box::new(move || all.stop(State::Rest)));
            vec![live(Box::new(move || all.state.with(under_way))), cancel]
        }
        WayOn::Again => {
            let failed = all.state.with_untracked(|state| match state {
                State::Failed(error) => notice(error, "data-more-failed"),
                _ => nothing(),
            });
            vec![failed, button("show-all", "small", en::TRY_AGAIN, Box::new(move || all.fetch()))]
        }
        WayOn::Nothing => vec![say("p", &[("role", "status"), ("tabindex", "-1")], en::ALL_ARE_HERE)],
    };
    el("div", &[("data-more", "")], part)
}

fn under_way(state: &State) -> AnyView {
    match *state {
        State::Fetching(so_far, total) => el(
            "div",
            &[("data-so-far", &so_far.to_string())],
            vec![
                progress((so_far, total), en::FETCHING_ORGANIZATIONS),
                say("p", &[("role", "status")], &en::fetched(so_far, total, false)),
            ],
        ),
        State::Pausing(until) => {
            let words = en::pausing(until.as_millis() - clock::now_ms());
            el("div", &[("data-pausing", "")], vec![say("p", &[("role", "status")], &words)])
        }
        _ => nothing(),
    }
}

impl All {
    fn new(auth: Auth, total: u64, listed: &[Organization]) -> Self {
        let rows = StoredValue::new(listed.to_vec());
        // What is said of a row is what can be seen of it, but for the id: nobody wants to hear that a thousand times.
        let show = move |index: usize| rows.with_value(|rows| row("div", "row", &rows[index], true));
        let list = LongList::new("organizations-list", show);
        list.extend(listed.iter().map(found_by));
        let state = if total > listed.len() as u64 { State::Rest } else { State::Done };
        let all = Self {
            auth,
            list,
            rows,
            total: RwSignal::new(total),
            state: RwSignal::new_local(state),
            listing: StoredValue::new(None),
            paging: StoredValue::new_local(None),
        };
        on_cleanup(move || all.paging.set_value(None));
        all
    }

    /// Whatever is under way is cancelled.
    fn stop(self, state: State) {
        self.paging.set_value(None);
        self.show(state);
    }

    /// What is pressed goes when its time is over; the focus does not go with it.
    fn show(self, state: State) {
        let had_focus = dom::is_focused(".more *");
        self.state.set(state);
        if had_focus {
            wasm_bindgen_futures::spawn_local(async { dom::focus(".more button, .more [tabindex]") });
        }
    }

    /// The rest. What came before is asked for once more where it was not fetched here: it may be hours old.
    fn fetch(self) {
        let client = self.auth.client();
        let Some(endpoint) = client.config().provider().organizations_endpoint().cloned() else { return };
        let listing = self.listing.get_value().unwrap_or_else(|| Listing::new(endpoint.as_str()));
        let so_far = self.list.count_untracked() as u64;
        self.show(State::Fetching(so_far, self.total.get_untracked()));
        let hear = move |heard: Paged<'_>| match heard {
            Paged::Pausing(until) => self.show(State::Pausing(until)),
            Paged::Failed(error) => self.show(State::Failed(error)),
            Paged::Page(items, listing) => {
                let transport = self.auth.client().config().provider().transport();
                match organization::read(items, transport) {
                    Ok(page) => self.take(page, listing),
                    Err(error) => self.stop(State::Failed(error)),
                }
            }
        };
        self.paging.set_value(Some(client.fetch_pages(listing, None, hear)));
    }

    fn take(self, page: Vec<Organization>, listing: &Listing) {
        self.listing.set_value(Some(listing.clone()));
        let new: Vec<Organization> = self.rows.with_value(|rows| {
            let last = &rows[rows.len().saturating_sub(LAST)..];
            page.into_iter().filter(|one| last.iter().all(|other| other.id != one.id)).collect()
        });
        let texts: Vec<String> = new.iter().map(found_by).collect();
        self.rows.update_value(|rows| rows.extend(new));
        self.list.extend(texts.into_iter());
        let so_far = self.list.count_untracked() as u64;
        if listing.next().is_none() {
            self.total.set(so_far);
            return self.show(State::Done);
        }
        let total = listing.progress().1.max(so_far);
        self.total.set(total);
        self.show(State::Fetching(so_far, total));
    }
}

/// What an organization is found by: nobody can type the end of a line between its name and its slug.
fn found_by(organization: &Organization) -> String {
    match &organization.slug {
        Some(slug) => [&organization.name, "\n", slug].concat(),
        None => organization.name.clone(),
    }
}

fn row(tag: &'static str, class: &str, organization: &Organization, silent_id: bool) -> AnyView {
    let Organization { id, name, slug, avatar_url } = organization;
    let id_attributes: &[_] =
        if silent_id { &[("class", "code"), ("aria-hidden", "true")] } else { &[("class", "code")] };
    el(
        tag,
        &[("class", class), ("data-organization", id)],
        vec![
            face(avatar_url.as_deref(), name),
            el(
                "div",
                &[],
                vec![
                    say("strong", &[], name),
                    slug.as_ref().map_or_else(nothing, |slug| say("small", &[], slug)),
                    say("small", id_attributes, id),
                ],
            ),
        ],
    )
}
