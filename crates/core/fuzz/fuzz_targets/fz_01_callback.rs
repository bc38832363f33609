//! Reading an authorization response, and taking it out of the address.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use support::property::callback;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    callback::any(data);
});
