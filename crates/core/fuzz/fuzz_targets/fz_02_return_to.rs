//! Where a person is sent back to.
#![no_main]

use polar_signin_core_fuzz::property::return_to;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    return_to::any(data);
});
