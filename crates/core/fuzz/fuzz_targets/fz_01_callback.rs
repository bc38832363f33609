//! Reading an authorization response, and taking it out of the address.
#![no_main]

use polar_signin_core_fuzz::property::callback;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    callback::any(data);
});
