//! The app's pages: which one is shown, and where the focus goes.

mod set_up;

use leptos::prelude::*;
use polar_signin::{
    browser::dom,
    client::{SignIn, config::Loaded},
    components::{
        Auth,
        account::account,
        error_panel::{error_panel, start_failed},
        provider::Face,
        sign_in::{signed_out, working},
    },
};
use polar_signin_core::error::Error;

/// The whole app.
pub(crate) fn app(loaded: Result<Loaded, Error>) -> AnyView {
    match loaded {
        Ok(Loaded::Ready(config)) => {
            let auth = Auth::provide(*config);
            // A click that came before the app did.
            match dom::take_mark("early").as_deref() {
                Some("sign-in") => auth.client().sign_in(SignIn::default()),
                Some("sign-in-organization") => {
                    auth.client().sign_in(SignIn { organization: true, ..SignIn::default() });
                }
                _ => {}
            }
            signed(auth)
        }
        Ok(Loaded::SetUp(set_up)) => view! { <main data-view="set-up">{set_up::set_up(set_up)}</main> }.into_any(),
        Err(error) => view! { <main data-view="error">{start_failed(&error)}</main> }.into_any(),
    }
}

/// The faces of a session. Each change of face moves the focus to its heading, so that whoever
/// cannot see the page hears what it is now.
fn signed(auth: Auth) -> AnyView {
    let face = Memo::new(move |_| auth.face());
    let name = move || match face.get() {
        Face::SignedOut => "signed-out",
        Face::Working(_) => "working",
        Face::SignedIn => "signed-in",
        Face::Failed => "error",
    };
    let mut first = true;
    let content = move || {
        let face = face.get();
        if !core::mem::take(&mut first) {
            wasm_bindgen_futures::spawn_local(async { dom::focus("main h1") });
        }
        match face {
            Face::SignedOut => signed_out(auth),
            Face::Working(step) => working(auth, step),
            Face::SignedIn => account(auth),
            Face::Failed => match auth.error() {
                Some(error) => error_panel(auth, &error),
                None => signed_out(auth),
            },
        }
    };
    view! { <main data-view=name>{content}</main> }.into_any()
}
