//! A sign-in in a window of its own: this page stays, and waits for what that window brings.
//!
//! Whatever comes is held to the same rules as a response in this page's own address, and only a
//! response with the `state` of the sign-in that is waited for is looked at: anything else may come
//! from anybody, and the wait goes on.
//!
//! That a window is closed means less than it says. If a page in it cuts the window off from its
//! opener (`Cross-Origin-Opener-Policy`), it looks closed from here at that moment, and the person is
//! still in it. So it is believed only of a window that was seen open while it showed a page of
//! another site: that page did not cut it off. One that disappears before goes on being waited for,
//! and the person can say that nothing will come.

use crate::{
    authorization::PopupNumber,
    callback::{self, Callback, Response},
    config::KEY_PREFIX,
    error::Code,
    secret::AuthorizationUrl,
    time::UnixTime,
    transaction::{self, POPUP_LIFETIME, Transaction},
    url::without_query,
};

use super::{Effect, Records, Session, Turn, attempts::after, returned::authorization_error, sign_in::Stage};

/// How long after a window was closed what it said before may still arrive, in milliseconds.
const GRACE: i64 = 750;

/// What a page waits for.
pub(super) struct Awaiting {
    pub(super) number: PopupNumber,
    key: String,
    state_hash: String,
    until: UnixTime,
    /// The person has closed the window; from then on nothing more can come.
    over: Option<UnixTime>,
}

impl Awaiting {
    pub(super) fn new(number: PopupNumber, transaction: &Transaction, key: String) -> Self {
        let until = after(transaction.created, POPUP_LIFETIME);
        Self { number, key, state_hash: transaction.state_hash.clone(), until, over: None }
    }

    pub(super) fn next_look(&self) -> UnixTime {
        self.over.map_or(self.until, |over| over.min(self.until))
    }

    pub(super) fn times(&mut self) -> impl Iterator<Item = &mut UnixTime> {
        [&mut self.until].into_iter().chain(&mut self.over)
    }
}

impl Session {
    pub(super) fn awaiting(&self) -> Option<&Awaiting> {
        match &self.stage {
            Stage::Awaiting(awaiting) => Some(awaiting),
            _ => None,
        }
    }

    pub(super) fn leave_in_popup(&mut self, turn: &mut Turn<'_>, awaits: Box<Awaiting>, url: AuthorizationUrl) {
        let channel = channel(&awaits.state_hash);
        turn.effects.push(Effect::LeaveInPopup { popup: awaits.number, url, channel });
        turn.effects.push(Effect::Show);
        self.stage = Stage::Awaiting(awaits);
    }

    /// What came in the window, if it is what this page waits for.
    pub(super) fn relayed(&mut self, turn: &mut Turn<'_>, query: &str, records: &Records) {
        let Some(awaiting) = self.awaiting() else { return };
        let redirect_uri = self.config.redirect_uri();
        let url = [without_query(redirect_uri.as_str()), "?", query].concat();
        let callback = callback::parse(&url, redirect_uri);
        let (Callback::Malformed(state) | Callback::Response(Response { state, .. })) = &callback else { return };
        if transaction::state_hash(state) != awaiting.state_hash {
            return;
        }
        let key = awaiting.key.clone();
        // Once: nothing waits for a second answer.
        self.stage = Stage::Idle;
        match callback {
            Callback::Response(response) => self.returned(turn, &url, response, records, true),
            _ => self.refuse_callback(turn, &key, Code::CallbackMalformed),
        }
        turn.effects.push(Effect::Show);
    }

    pub(super) fn popup_closed(&mut self, turn: &Turn<'_>, certain: bool) {
        if let Stage::Awaiting(awaiting) = &mut self.stage
            && certain
        {
            awaiting.over.get_or_insert(after(turn.now, GRACE));
        }
    }

    /// Whether there is still something to wait for.
    pub(super) fn look_for_the_popup(&mut self, turn: &mut Turn<'_>) {
        let Some(awaiting) = self.awaiting() else { return };
        let code = match awaiting.over {
            _ if awaiting.until <= turn.now => Code::TransactionExpired,
            Some(over) if over <= turn.now => Code::PopupClosed,
            _ => return,
        };
        self.stop_waiting(turn);
        self.fail(turn, authorization_error(code));
    }

    /// Whatever the window may still bring finds nobody.
    pub(super) fn stop_waiting(&mut self, turn: &mut Turn<'_>) {
        if let Stage::Awaiting(awaiting) = &self.stage {
            turn.effects.push(Effect::Forget(awaiting.key.clone()));
            self.stage = Stage::Idle;
        }
    }
}

/// The channel on which a window says what it brings, for when it has lost its opener. Only whoever
/// knows the `state` knows the name.
pub(crate) fn channel(state_hash: &str) -> String {
    [KEY_PREFIX, "callback:", state_hash].concat()
}
