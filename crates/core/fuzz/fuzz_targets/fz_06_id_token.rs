//! Only what the honest signer signed is accepted.
#![no_main]

use polar_signin_core_fuzz::{property::id_token, with_signatures};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else { return };
    match which % 4 {
        3 => id_token::interval(data),
        _ => with_signatures(data, id_token::mutations),
    }
});
