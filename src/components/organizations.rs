//! Which organizations a sign-in reaches.

use leptos::prelude::*;
use polar_signin_core::{
    organization::{Organization, SCOPE},
    snapshot::{Loadable, Reach, UnknownReach},
};

use super::{Auth, face::face};
use crate::{client::SignIn, text::en};

/// More than this get a filter.
const MANY: usize = 10;

/// The result of the choice, in every state that it can have.
#[must_use]
pub fn organizations(auth: Auth) -> AnyView {
    let filter = RwSignal::new(String::new());
    let content = move || auth.account(|account| reach(auth, filter, &account.organizations));
    view! { <section class="section" aria-labelledby="organizations"><h2 id="organizations">"Organizations"</h2>{content}</section> }.into_any()
}

fn reach(auth: Auth, filter: RwSignal<String>, organizations: &Loadable<Reach>) -> AnyView {
    match organizations {
        Loadable::Absent => said("unknown", "This provider has no organizations.", None),
        Loadable::Waiting => view! {
            <div data-reach="waiting" role="status" aria-label="Looking up organizations">
                <div class="row skeleton">"."</div>
            </div>
        }
        .into_any(),
        Loadable::Failed(error) => {
            let words = en::error(error.code());
            let retry = view! { <button type="button" class="small" on:click=move |_| auth.client().retry_details()>"Try again"</button> };
            view! {
                <div data-reach="failed" data-reason=error.code().name()>
                    <p class="notice bad"><strong>{words.title}</strong>". "{words.what}" "{words.todo}</p>
                    <div class="actions">{retry}</div>
                </div>
            }
            .into_any()
        }
        Loadable::Ready(Reach::Itself(one)) => {
            chosen("itself", "This sign-in belongs to the organization itself.", one)
        }
        Loadable::Ready(Reach::Selected(one)) => chosen("selected", "This sign-in acts for the one you chose.", one),
        Loadable::Ready(Reach::Organizations { total, listed }) => several(filter, *total, listed),
        Loadable::Ready(Reach::Unknown(UnknownReach::NotOffered)) => {
            said("unknown", "This provider does not list organizations.", None)
        }
        Loadable::Ready(Reach::Unknown(UnknownReach::ScopeNotGranted)) => {
            let request = || SignIn { further_scope: vec![SCOPE.to_owned()], ..SignIn::default() };
            let ask = move |_| auth.client().sign_in(request());
            let button = view! { <button type="button" class="small" id="ask-organizations" on:click=ask>"Sign in again and allow it"</button> };
            said("unknown", "Which ones is not known: seeing organizations was not allowed.", Some(button.into_any()))
        }
    }
}

fn said(reach: &'static str, text: &'static str, action: Option<AnyView>) -> AnyView {
    view! { <div data-reach=reach><p>{text}</p><div class="actions">{action}</div></div> }.into_any()
}

fn chosen(reach: &'static str, text: &'static str, organization: &Organization) -> AnyView {
    view! {
        <div data-reach=reach>
            <ul class="rows">{row(organization, "row chosen")}</ul>
            <p class="fine">{text}</p>
        </div>
    }
    .into_any()
}

fn several(filter: RwSignal<String>, total: u64, listed: &[Organization]) -> AnyView {
    let summary = ["This sign-in reaches ", &en::organizations(total), "."].concat();
    let more = (total > listed.len() as u64).then(|| {
        let first = ["The first ", &listed.len().to_string(), " are shown."].concat();
        view! { <p class="fine">{first}</p> }
    });
    if listed.len() <= MANY {
        let rows: Vec<_> = listed.iter().map(|organization| row(organization, "row")).collect();
        return view! { <div data-reach="organizations"><ul class="rows">{rows}</ul><p class="fine">{summary}</p>{more}</div> }.into_any();
    }
    let listed = listed.to_vec();
    let rows = move || {
        let wanted = filter.get().to_ascii_lowercase();
        let matches = |text: &str| text.to_ascii_lowercase().contains(&*wanted);
        let found = listed.iter().filter(|o| matches(&o.name) || o.slug.as_deref().is_some_and(matches));
        found.map(|organization| row(organization, "row")).collect::<Vec<_>>()
    };
    view! {
        <div data-reach="organizations">
            <input type="search" id="filter" aria-label="Filter organizations" placeholder="Filter" autocomplete="off"
                on:input:target=move |event| filter.set(event.target().value())/>
            <ul class="rows many" tabindex="0" aria-label="Organizations">{rows}</ul>
            <p class="fine">{summary}</p>
            {more}
        </div>
    }
    .into_any()
}

fn row(organization: &Organization, class: &'static str) -> AnyView {
    let Organization { id, name, slug, avatar_url } = organization;
    view! {
        <li class=class data-organization=id.clone()>
            {face(avatar_url.as_deref(), name)}
            <div>
                <strong>{name.clone()}</strong>
                <small>{slug.clone()}</small>
                <small class="code">{id.clone()}</small>
            </div>
        </li>
    }
    .into_any()
}
