//! The session of a page as a context: provided once, used anywhere below.

use leptos::prelude::*;
use polar_signin_core::config::Config;

use super::Auth;

/// Opens the sessions of this page, and provides them to every component below the one that calls it.
/// Call it once, high up. It finishes a sign-in that comes back: the app does not have to know which
/// address is a callback.
pub fn provide_session(config: Config) -> Auth {
    Auth::provide(config)
}

/// The session that [`provide_session`] provided above.
///
/// # Panics
/// If none was: that is a slip in the app, and shows at the first render.
#[must_use]
pub fn use_session() -> Auth {
    use_context().expect("call provide_session(config) in a component above the one that calls use_session()")
}
