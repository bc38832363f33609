//! What a person sees, with Leptos. Components show a snapshot and send intents; they decide nothing.

pub mod account;
pub mod element;
pub mod error_panel;
pub mod face;
pub mod identities;
pub mod json_tree;
pub mod long_list;
pub mod organizations;
pub mod pasted_token;
pub mod progress;
pub mod provider;
pub mod requests;
pub mod sign_in;

pub use provider::Auth;
