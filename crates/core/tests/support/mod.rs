//! What the matrix tests share: the fixtures of the matrix, keys that sign and verify, a page.
//!
//! Signatures are made and verified by RustCrypto, which the core does not know, so that a token
//! runs through the whole of it natively as it does in a browser.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part of this")]

pub mod case;
pub mod fixture;
pub mod imitation;
pub mod keys;
#[cfg(feature = "model")]
pub mod model;
pub mod page;
pub mod property;
pub mod token;
