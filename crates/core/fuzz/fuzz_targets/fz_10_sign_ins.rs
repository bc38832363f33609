//! Sign-ins under way, in any order.
#![no_main]

use polar_signin_core_fuzz::{property::sign_ins, with_signatures};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    with_signatures(data, sign_ins::any);
});
