//! The wall clock can be set: what has ended stays ended, and nothing waits for longer because of it.

use crate::time::UnixTime;

use super::{
    Session, Turn,
    attempts::after,
    renewal::Renewal,
    sign_in::Stage,
    tabs::{ANSWER_WAIT, CLAIM_WAIT},
};

/// Whoever is later than this, in milliseconds, did not wait but stood still: a machine that slept, a
/// page that was frozen, a clock that was set. A hidden page's timers may be a minute late.
pub(super) const STOOD_STILL: i64 = 120_000;
/// Whoever is that much later may have an answer that it has not looked at yet.
const LATE: i64 = 2_000;

impl Session {
    /// Before each step.
    pub(super) fn mind_the_clock(&mut self, turn: &mut Turn<'_>) {
        self.wait_anew(turn);
        let now = turn.now;
        if let Some(identity) = self.identity.as_mut().filter(|identity| identity.has_ended(now)) {
            identity.ended = true;
        }
        let back = self.clock.replace(now).map_or(0, |before| before.millis_since(now));
        if back <= 0 {
            return;
        }
        // The clock was set back: whatever waits for a time moves with it.
        let move_back = |time: &mut UnixTime| *time = UnixTime::from_millis(time.as_millis() - back);
        self.attempts.last.iter_mut().for_each(move_back);
        self.attempts.next.iter_mut().for_each(move_back);
        self.tabs.claim_until.iter_mut().for_each(move_back);
        self.tabs.answer_until.iter_mut().for_each(move_back);
        self.tabs.ask_after.iter_mut().for_each(move_back);
        self.again.iter_mut().map(|(at, _)| at).for_each(move_back);
        self.ending.iter_mut().map(|ending| &mut ending.until).for_each(move_back);
        if let Renewal::Locking { since, .. } = &mut self.renewal {
            move_back(since);
        }
        if let Stage::Awaiting(awaiting) = &mut self.stage {
            awaiting.times().for_each(move_back);
        }
        self.closed.iter_mut().flat_map(|closed| closed.times()).for_each(move_back);
    }

    /// While everything stood still nobody could answer: that nobody did means nothing.
    fn wait_anew(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now;
        let stood_still = |until: UnixTime| now.millis_since(until) > STOOD_STILL;
        if let Renewal::Locking { since, .. } = &mut self.renewal
            && stood_still(*since)
        {
            *since = now;
        }
        if self.tabs.claim_until.is_some_and(stood_still) {
            self.tabs.claim_until = Some(after(now, CLAIM_WAIT));
        }
        match self.tabs.answer_until {
            Some(until) if stood_still(until) => {
                self.tabs.answer_until = None;
                self.tabs.ask_after = None;
                self.ask_the_others(turn);
            }
            Some(until) if now.millis_since(until) > LATE && !self.tabs.waited_longer => {
                self.tabs.answer_until = Some(after(now, ANSWER_WAIT));
                self.tabs.waited_longer = true;
            }
            _ => {}
        }
    }
}
