//! The authorization request, and the encoding of forms.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use support::property::authorization;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    authorization::request(data);
    authorization::form(data);
});
