//! Parts of a page that are for whoever is signed in, or for whoever is not.
//!
//! They hide; they do not protect. What only a signed-in person may have is for the API to refuse.

use leptos::prelude::*;

use super::{hooks::use_session, provider::Face};

/// Its children, while somebody is signed in.
#[component]
pub fn SignedIn(
    /// What is shown then.
    children: ChildrenFn,
) -> impl IntoView {
    shown_if(children, |face| face == Face::SignedIn)
}

/// Its children, while nobody is signed in and nobody is about to be.
#[component]
pub fn SignedOut(
    /// What is shown then.
    children: ChildrenFn,
) -> impl IntoView {
    shown_if(children, |face| face == Face::SignedOut)
}

/// Its children, while the browser leaves for the provider, or a sign-in that came back is checked.
#[component]
pub fn SigningIn(
    /// What is shown then.
    children: ChildrenFn,
) -> impl IntoView {
    shown_if(children, |face| matches!(face, Face::Working(_)))
}

/// Its children, while there is an error that nobody has dismissed.
#[component]
pub fn SignInFailed(
    /// What is shown then.
    children: ChildrenFn,
) -> impl IntoView {
    shown_if(children, |face| face == Face::Failed)
}

fn shown_if(children: ChildrenFn, wanted: fn(Face) -> bool) -> impl IntoView {
    let session = use_session();
    // A change of the session that leaves the face as it is leaves the children as they are.
    let shown = Memo::new(move |_| wanted(session.face()));
    move || shown.get().then(|| children())
}
