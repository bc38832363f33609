//! Sign-ins under way, in any order.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use support::property::sign_ins;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    sign_ins::any(data);
});
