//! When a renewal may be tried: at least half a minute apart, less and less often while it fails.

use crate::{error::Error, time::UnixTime};

use super::Turn;

/// The least time between two attempts, in milliseconds.
pub(super) const SPACING: i64 = 30_000;
/// The longest time between two attempts.
const LONGEST_WAIT: i64 = 300_000;

/// What came of the attempts so far.
#[derive(Default)]
pub(super) struct Attempts {
    pub(super) last: Option<UnixTime>,
    pub(super) failures: u32,
    /// Not before this time.
    pub(super) next: Option<UnixTime>,
    /// Why the last one failed.
    pub(super) failed: Option<Error>,
    /// The provider will not renew: no further attempt by itself.
    pub(super) stopped: bool,
    /// The last request may have been acted on, though no answer came.
    pub(super) uncertain: bool,
}

impl Attempts {
    pub(super) fn may_begin(&self, now: UnixTime) -> bool {
        self.earliest(now).is_none_or(|earliest| earliest <= now)
    }

    /// The time before which none is made. A clock that jumped back does not make it far away.
    pub(super) fn earliest(&self, now: UnixTime) -> Option<UnixTime> {
        let spaced = self.last.map(|last| after(last, SPACING));
        let earliest = self.next.into_iter().chain(spaced).max()?;
        Some(earliest.min(after(now, LONGEST_WAIT)))
    }

    /// Doubles the wait, with up to half of it added by chance; or as long as the server asks.
    pub(super) fn failed(&mut self, turn: &mut Turn<'_>, error: Error) {
        let wait = SPACING << self.failures.min(4);
        let mut chance = [0];
        // Without a source of chance there is none to add.
        let _ = turn.entropy.fill(&mut chance);
        let wait = (wait + wait * i64::from(chance[0]) / 512).min(LONGEST_WAIT);
        self.next = Some(after(turn.now, turn.wait.unwrap_or(0).max(wait)));
        self.failures += 1;
        self.failed = Some(error);
    }
}

pub(super) fn after(time: UnixTime, millis: i64) -> UnixTime {
    UnixTime::from_millis(time.as_millis() + millis)
}
