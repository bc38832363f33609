//! One button that signs in, for apps that have a page of their own around it.

use leptos::prelude::*;

use super::{
    element::{Handler, el_on, text},
    hooks::use_session,
};
use crate::{client::SignIn, text::en};

/// A button that leaves for the provider. It says "Sign in with …" unless it is given children.
#[component]
pub fn SignInButton(
    /// Whether it is an organization that signs in (Polar).
    #[prop(optional)]
    organization: bool,
    /// Scopes beside those of the configuration.
    #[prop(optional)]
    further_scope: Vec<String>,
    /// The path on this site to go to afterwards; the page of the redirect URI, if none is given.
    #[prop(optional, into)]
    return_to: Option<String>,
    /// Its class.
    #[prop(optional)]
    class: &'static str,
    /// What it says.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let session = use_session();
    let label = match children {
        Some(children) => children().into_any(),
        None if organization => text(en::FOR_AN_ORGANIZATION),
        None => text(&en::sign_in_with(session.client().config().provider().name())),
    };
    let request = SignIn { organization, further_scope, return_to, ..SignIn::default() };
    let go: Handler = Box::new(move |_| session.client().sign_in(request.clone()));
    // What the click will need is fetched while the pointer is still on its way.
    let prepare = move |_| session.client().prepare();
    let events = vec![("click", go), ("pointerenter", Box::new(prepare)), ("focus", Box::new(prepare))];
    el_on("button", &[("type", "button"), ("class", class)], events, vec![label])
}

/// A button that ends the active identity here. It says "Sign out" unless it is given children.
#[component]
pub fn SignOutButton(
    /// Its class.
    #[prop(optional)]
    class: &'static str,
    /// What it says.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let session = use_session();
    let label = children.map_or_else(|| text(en::SIGN_OUT), |children| children().into_any());
    let end = move |_| {
        let client = session.client();
        client.sign_out(client.active());
    };
    el_on("button", &[("type", "button"), ("class", class)], vec![("click", Box::new(end))], vec![label])
}
