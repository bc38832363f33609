//! Every parser is total, and what it accepts keeps its promises.
#![no_main]

use polar_signin_core_fuzz::property::parsers;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    parsers::any(data);
});
