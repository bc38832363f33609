//! Where a person is sent back to.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use support::property::return_to;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    return_to::any(data);
});
