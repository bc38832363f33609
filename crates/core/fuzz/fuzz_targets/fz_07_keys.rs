//! Which keys are tried on a token.
#![no_main]

use polar_signin_core_fuzz::property::keys;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    keys::select(data);
});
