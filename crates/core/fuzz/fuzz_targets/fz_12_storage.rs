//! What is kept, and what may be seen of it.
#![no_main]

use polar_signin_core_fuzz::{property::storage, with_signatures};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else { return };
    match which % 4 {
        0 | 1 => with_signatures(data, storage::edited),
        2 => with_signatures(data, storage::kept),
        _ => with_signatures(data, storage::redacted),
    }
});
