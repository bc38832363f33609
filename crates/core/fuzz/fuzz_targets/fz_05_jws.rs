//! Taking a signed token apart.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use support::property::jws;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    jws::any(data);
    jws::segment(data);
});
