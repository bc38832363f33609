//! Taking a signed token apart.
#![no_main]

use polar_signin_core_fuzz::property::jws;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    jws::any(data);
    jws::segment(data);
});
