//! Only what the honest signer signed is accepted.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use support::property::id_token;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    id_token::mutations(data);
    id_token::interval(data);
});
