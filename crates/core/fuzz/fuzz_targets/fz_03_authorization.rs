//! The authorization request, and the encoding of forms.
#![no_main]

use polar_signin_core_fuzz::property::authorization;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    authorization::request(data);
    authorization::form(data);
});
