//! The strict reader of JSON against `serde_json`.
#![no_main]

use polar_signin_core_fuzz::property::json;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    json::text(data);
    json::grammar(data);
});
