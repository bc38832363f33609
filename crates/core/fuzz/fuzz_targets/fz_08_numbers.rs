//! Numbers, lifetimes and times.
#![no_main]

use polar_signin_core_fuzz::{property::numbers, with_signatures};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // Two whole sign-ins: not for every input.
    if let Some((7, data)) = data.split_first().map(|(which, data)| (which % 8, data)) {
        return with_signatures(data, numbers::alarm);
    }
    numbers::number(data);
    numbers::sum(data);
    numbers::text(data);
    numbers::http_date(data);
});
