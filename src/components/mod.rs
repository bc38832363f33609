//! What a person sees, with Leptos. Components show a snapshot and send intents; they decide nothing.

pub mod account;
pub mod element;
pub mod error_panel;
pub mod face;
pub mod guard;
pub mod hooks;
pub mod identities;
pub mod json_tree;
pub mod long_list;
pub mod organizations;
pub mod pasted_token;
pub mod progress;
pub mod provider;
pub mod requests;
pub mod sign_in;
pub mod sign_in_button;

pub use guard::{SignInFailed, SignedIn, SignedOut, SigningIn};
pub use hooks::{provide_session, use_session};
pub use identities::OrganizationSwitcher;
pub use provider::Auth;
pub use sign_in_button::{SignInButton, SignOutButton};
