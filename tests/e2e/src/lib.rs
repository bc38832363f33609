//! What the end-to-end tests are made of: the built app in a real browser, against the local
//! provider, each in a process of its own.
//!
//! `cargo xtask test e2e` builds what is needed and says where it is ([`settings`]). Each test
//! binary starts one provider, one site and one driver ([`stage`]), and gives every test a
//! provider that has just been reset and a browser with a new profile. After each test
//! [`hygiene`] looks at every page that is still open, whatever the test was about.
//!
//! Nothing here uses the product's own code: it would hide its mistakes.

pub mod axe;
pub mod browser;
pub mod clock;
pub mod conformance;
pub mod examples;
pub mod failure;
pub mod flows;
pub mod foreign;
pub mod gallery;
pub mod gateway;
pub mod host;
pub mod http;
pub mod hygiene;
mod insert;
pub mod pages;
pub mod processes;
pub mod provider;
pub mod sessions;
pub mod settings;
pub mod stage;
pub mod suite;
pub mod tab;
pub mod widget;

pub use failure::{Context, Failure, Result};
pub use stage::Stage;
pub use tab::{MouseButton, Tab};
