//! Numbers, lifetimes and times.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use support::property::numbers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    numbers::number(data);
    numbers::sum(data);
    numbers::text(data);
    numbers::http_date(data);
});
