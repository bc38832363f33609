//! Every parser is total, and what it accepts keeps its promises.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use support::property::parsers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    parsers::any(data);
});
