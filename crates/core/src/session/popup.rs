//! A sign-in in a window of its own: this page stays, and waits for what that window brings.
//!
//! Whatever comes is held to the same rules as a response in this page's own address, and only a
//! response with the `state` of the sign-in that is waited for is looked at: anything else may come
//! from anybody, and the wait goes on.
//!
//! That a window is closed means less than it says. If a page in it cuts the window off from its
//! opener (`Cross-Origin-Opener-Policy`), it looks closed from here at that moment, and the person is
//! still in it. One that disappears before it was seen at another site goes on being waited for, and
//! the person can say that nothing will come. One that was seen there was most likely closed: the
//! wait is over for the person, and what was kept of it is removed. But a later page may have cut it
//! off, the site's own at the end of the way among them. An answer on the channel says that one did:
//! a closed window says nothing. It is still taken, unless the person has done something else.

use crate::{
    authorization::PopupNumber,
    callback::{self, Callback, Response},
    config::KEY_PREFIX,
    error::Code,
    secret::{AuthorizationUrl, RecordText},
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
    pub(super) key: String,
    state_hash: String,
    until: UnixTime,
    /// The window seems to be closed; from then on nobody is shown to wait.
    over: Option<UnixTime>,
    /// What was kept, for an answer after that.
    record: RecordText,
}

/// What a page still needs of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The window and the channel.
    Window,
    /// The channel alone: the window seems to be closed.
    Channel,
}

impl Awaiting {
    pub(super) fn new(number: PopupNumber, transaction: &Transaction, key: String) -> Self {
        let until = after(transaction.created, POPUP_LIFETIME);
        let (state_hash, record) = (transaction.state_hash.clone(), transaction.encode());
        Self { number, key, state_hash, until, over: None, record }
    }

    pub(super) fn next_look(&self, wanted: Wanted) -> UnixTime {
        let over = self.over.filter(|_| wanted == Wanted::Window);
        over.map_or(self.until, |over| over.min(self.until))
    }

    pub(super) fn times(&mut self) -> impl Iterator<Item = &mut UnixTime> {
        [&mut self.until].into_iter().chain(&mut self.over)
    }
}

impl Session {
    /// What is waited for, and whether the person sees that.
    pub(super) fn awaiting(&self) -> Option<(&Awaiting, Wanted)> {
        match &self.stage {
            Stage::Awaiting(awaiting) => Some((awaiting, Wanted::Window)),
            _ => self.closed.as_deref().map(|closed| (closed, Wanted::Channel)),
        }
    }

    /// The window that was opened for the sign-in that is under way, or was.
    pub(crate) fn popup(&self) -> Option<(PopupNumber, Wanted)> {
        let early = match &self.stage {
            Stage::WantsMetadata(request) => request.way.popup(),
            #[cfg(feature = "dpop")]
            Stage::MakingKey(making) => making.departure.request.way.popup(),
            Stage::Keeping { awaits, .. } => awaits.as_ref().map(|awaits| awaits.number),
            _ => None,
        };
        let later = || self.awaiting().map(|(awaiting, wanted)| (awaiting.number, wanted));
        early.map(|number| (number, Wanted::Window)).or_else(later)
    }

    pub(super) fn leave_in_popup(&mut self, turn: &mut Turn<'_>, awaits: Box<Awaiting>, url: AuthorizationUrl) {
        let channel = channel(&awaits.state_hash);
        turn.effects.push(Effect::LeaveInPopup { popup: awaits.number, url, channel });
        turn.effects.push(Effect::Show);
        self.stage = Stage::Awaiting(awaits);
    }

    /// What came in the window, if it is what this page waits for.
    pub(super) fn relayed(&mut self, turn: &mut Turn<'_>, query: &str, records: &Records) {
        let Some((awaiting, wanted)) = self.awaiting() else { return };
        let redirect_uri = self.config.redirect_uri();
        let url = [without_query(redirect_uri.as_str()), "?", query].concat();
        let callback = callback::parse(&url, redirect_uri);
        let (Callback::Malformed(state) | Callback::Response(Response { state, .. })) = &callback else { return };
        let is_busy = wanted == Wanted::Channel && !matches!(self.stage, Stage::Idle);
        if transaction::state_hash(state) != awaiting.state_hash || is_busy {
            return;
        }
        let key = awaiting.key.clone();
        let remembered = Records::new(vec![(key.clone(), awaiting.record.expose().to_owned())]);
        let records = if wanted == Wanted::Channel { &remembered } else { records };
        // Once: nothing waits for a second answer.
        (self.stage, self.closed) = (Stage::Idle, None);
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
            awaiting.over.get_or_insert_with(|| after(turn.now, GRACE));
        }
    }

    /// Whether there is still something to wait for.
    pub(super) fn look_for_the_popup(&mut self, turn: &mut Turn<'_>) {
        if self.closed.as_ref().is_some_and(|closed| closed.until <= turn.now) {
            self.closed = None;
        }
        let Stage::Awaiting(awaiting) = &self.stage else { return };
        let code = match awaiting.over {
            _ if awaiting.until <= turn.now => Code::TransactionExpired,
            Some(over) if over <= turn.now => Code::PopupClosed,
            _ => return,
        };
        let awaiting = self.stop_waiting(turn);
        self.closed = awaiting.filter(|_| code == Code::PopupClosed);
        self.fail(turn, authorization_error(code));
    }

    /// Whatever the window may still bring finds nobody.
    pub(super) fn stop_waiting(&mut self, turn: &mut Turn<'_>) -> Option<Box<Awaiting>> {
        self.closed = None;
        match core::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Awaiting(awaiting) => {
                turn.effects.push(Effect::Forget(awaiting.key.clone()));
                Some(awaiting)
            }
            stage => {
                self.stage = stage;
                None
            }
        }
    }
}

/// The channel on which a window says what it brings, for when it has lost its opener. Only whoever
/// knows the `state` knows the name.
pub(crate) fn channel(state_hash: &str) -> String {
    [KEY_PREFIX, "callback:", state_hash].concat()
}
