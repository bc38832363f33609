//! Which keys are tried on a token.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use support::property::keys;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    keys::select(data);
});
