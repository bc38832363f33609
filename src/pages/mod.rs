//! The app's pages: which one is shown, and where the focus goes.

mod set_up;

use leptos::prelude::*;
use polar_signin::{
    browser::{clock, dom},
    client::{SignIn, config::Loaded},
    components::{
        Auth,
        account::account,
        element::{el, live, nothing},
        error_panel::{error_panel, start_failed},
        provider::Face,
        requests::requests,
        sign_in::{in_popup, signed_out, working},
    },
};
use polar_signin_core::{error::Error, snapshot::Step};

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
        Ok(Loaded::SetUp(set_up)) => el("main", &[("data-view", "set-up")], vec![set_up::set_up(set_up)]),
        Err(error) => el("main", &[("data-view", "error")], vec![start_failed(&error)]),
    }
}

/// The faces of a session. Each change of face moves the focus to its heading, so that whoever
/// cannot see the page hears what it is now.
fn signed(auth: Auth) -> AnyView {
    // Another identity is another page: nothing of the one before stays on it.
    let face = Memo::new(move |_| (auth.face(), auth.identities(|active, _| active)));
    let mut first = true;
    live(Box::new(move || {
        let (face, _) = face.get();
        if !core::mem::take(&mut first) {
            wasm_bindgen_futures::spawn_local(async { dom::focus("main h1") });
        }
        let (name, content) = match face {
            Face::SignedOut => ("signed-out", signed_out(auth)),
            Face::Working(step) => {
                if step == Step::Completing {
                    wasm_bindgen_futures::spawn_local(async {
                        clock::pause(0).await;
                        dom::prepare_local_time();
                    });
                }
                ("working", working(auth, step))
            }
            Face::SignedIn => {
                let parts = vec![account(auth), later(move || requests(auth))];
                return el("main", &[("data-view", "signed-in")], parts);
            }
            Face::Failed => ("error", auth.error().map_or_else(|| signed_out(auth), |error| error_panel(auth, &error))),
            Face::Nothing => ("nothing", nothing()),
            Face::InPopup => ("in-popup", in_popup()),
        };
        el("main", &[("data-view", name)], vec![content])
    }))
}

/// What stands below everything that a person came for: made once the rest is there.
fn later(make: impl Fn() -> AnyView + Send + 'static) -> AnyView {
    let now = RwSignal::new(false);
    wasm_bindgen_futures::spawn_local(async move {
        clock::pause(0).await;
        // Whoever has signed out by then sees something else.
        let _ = now.try_set(true);
    });
    live(Box::new(move || if now.get() { make() } else { nothing() }))
}
