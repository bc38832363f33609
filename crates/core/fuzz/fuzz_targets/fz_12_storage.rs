//! What is kept, and what may be seen of it.
#![no_main]

#[path = "../../tests/support/mod.rs"]
mod support;

use support::property::storage;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    storage::edited(data);
    storage::kept(data);
    storage::redacted(data);
});
