//! Sign in with Polar, or with any OpenID provider, from the browser alone.
//!
//! [`client::Client`] is where the pure core meets the browser: intents go in, snapshots come
//! out. `components` show them with Leptos; they are a feature, which is on unless somebody has another
//! interface. The protocol itself, and every check of it, is in `polar-signin-core`, which knows no browser.
//!
//! # What this crate does not do
//! It decides nothing about the protocol, it keeps no secret of a client (a public client has
//! none), it stores nothing outside this tab's session storage but the id of a client that
//! somebody typed in, and it exports nothing to JavaScript.

pub mod browser;
pub mod client;
#[cfg(feature = "components")]
pub mod components;
pub mod text;
