//! FZ-11: one session in two or three tabs of one browser, and everything that may happen to it.
//!
//! The tabs are real sessions; the rest is a world of values: a provider whose refresh tokens can
//! be used once (`provider.rs`), storages, a lock, a channel and clocks (`world.rs`, `page.rs`).
//! What may happen next is a list of events (`event.rs`); `explore.rs` tries them all, or many of
//! them by chance. What must hold after each is in `check.rs`.

pub mod check;
pub mod complete;
pub mod event;
pub mod explore;
pub mod locks;
pub mod moves;
pub mod page;
pub mod provider;
pub mod world;
