//! What the targets share: the properties and all that they stand on, compiled once.
#![allow(unexpected_cfgs, reason = "what the core's tests share asks for a feature of the core's own")]

#[path = "../../tests/support/mod.rs"]
pub mod support;

use support::imitation;
pub use support::property;

/// Feeds a property that needs signatures. Their arithmetic takes a thousand times as long as all
/// that the core does around it, so it is real for one input in 256 alone.
pub fn with_signatures(data: &[u8], property: impl FnOnce(&[u8])) {
    let sum = data.iter().fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
    imitation::set(sum != u8::MAX);
    property(data);
}
