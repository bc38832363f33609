//! The strict reader of JSON against `serde_json`.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use support::property::json;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    json::text(data);
    json::grammar(data);
});
