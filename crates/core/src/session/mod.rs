//! The session as one machine: an input in, all its effects out.
//!
//! **Perform every effect of a step, in order, before the next step.** Answers come back with
//! the ticket under which they were asked for. Whatever ends a sign-in or a session throws its
//! open tickets away, so an answer that comes too late finds nobody who waits for it.
//!
//! The machine knows no clock, no storage and no network of its own: time, entropy, records and
//! answers come in as values.

mod attempts;
#[cfg(feature = "dpop")]
mod binding;
mod clock;
mod completing;
mod details;
mod ending;
#[cfg(feature = "model")]
mod fingerprint;
mod granting;
mod identity;
mod leaving;
mod popup;
mod proving;
mod renewal;
mod returned;
mod sign_in;
mod signing;
mod tabs;
mod wire;

pub use popup::Wanted;
pub(crate) use popup::channel as popup_channel;
pub use wire::{Effect, Grant, Input, Records, StorageFailure, Ticket, TokenRequest};

use crate::{
    config::Config,
    discovery::{AwaitMetadata, Metadata},
    error::{Code, Error},
    http::HttpOutcome,
    jwks::AwaitKeys,
    organization::AwaitOrganizations,
    pkce::Entropy,
    snapshot::{SignedOut, Snapshot, Step},
    time::UnixTime,
    token::AwaitTokens,
    userinfo::AwaitUserinfo,
};
use attempts::Attempts;
use ending::Ending;
use identity::Identity;
use popup::Awaiting;
use proving::Forced;
use renewal::Renewal;
use sign_in::Stage;
use signing::Purpose;
use tabs::Tabs;

/// How long metadata may be used, in milliseconds.
const METADATA_LIFETIME: i64 = 600_000;
/// How often a GET without side effects is tried again after a passing fault.
const MAX_RETRIES: u32 = 2;
/// How long before the first of them, in milliseconds; doubled for the second.
const RETRY_AFTER: i64 = 400;

/// The session of one page with one provider and client.
pub struct Session {
    config: Config,
    next_ticket: u64,
    waiting: Vec<(Ticket, Waiting)>,
    metadata: Option<(Metadata, UnixTime)>,
    stage: Stage,
    /// A sign-in whose window seems to be closed: it may answer all the same.
    closed: Option<Box<Awaiting>>,
    identity: Option<Identity>,
    /// The kept session names hosts that only the metadata can vouch for: until it has, the
    /// access token goes nowhere.
    unconfirmed: bool,
    renewal: Renewal,
    attempts: Attempts,
    tabs: Tabs,
    /// Who waits for an access token.
    wanting: Vec<TokenRequest>,
    ending: Option<Ending>,
    error: Option<Error>,
    /// The last sign-in, or the session that ended, was for one organization.
    for_organization: bool,
    signed_out: Option<SignedOut>,
    memory_only: bool,
    /// In a frame, on a callback: this page does and shows nothing.
    inert: bool,
    /// A sign-in has just been completed.
    entered: bool,
    forced_keys: Forced,
    /// GETs that are to be sent again.
    again: Vec<(UnixTime, Again)>,
    alarm: Option<UnixTime>,
    /// When the last step was.
    clock: Option<UnixTime>,
}

/// What an open ticket is for.
enum Waiting {
    Metadata(AwaitMetadata, u32),
    TransactionKept,
    MarkKept(String),
    Tokens(Box<AwaitTokens>),
    Keys(AwaitKeys, u32, Purpose),
    Signature(Purpose),
    SessionKept,
    Lock,
    Renewed,
    RenewalKept,
    Revoked,
    Userinfo(AwaitUserinfo),
    Organizations(AwaitOrganizations),
    #[cfg(feature = "dpop")]
    KeyMade(crate::http::KeyName),
}

/// What is tried again, and for which time.
#[derive(Clone, Copy)]
enum Again {
    Metadata(u32),
    Keys(Purpose, u32),
}

/// What a step works with: the time, and the effects so far.
struct Turn<'a> {
    now: UnixTime,
    /// How long the answer of this step asks to wait before the next try.
    wait: Option<i64>,
    entropy: &'a mut dyn Entropy,
    effects: Vec<Effect>,
}

impl Session {
    /// A session that has not been opened yet: the first input is [`Input::Opened`].
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            next_ticket: 0,
            waiting: Vec::new(),
            metadata: None,
            stage: Stage::Idle,
            closed: None,
            identity: None,
            unconfirmed: false,
            renewal: Renewal::Idle,
            attempts: Attempts::default(),
            tabs: Tabs::default(),
            wanting: Vec::new(),
            ending: None,
            error: None,
            for_organization: false,
            signed_out: None,
            memory_only: false,
            inert: false,
            entered: false,
            forced_keys: Forced::default(),
            again: Vec::new(),
            alarm: None,
            clock: None,
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// One input, all its effects. Perform every effect before the next call.
    pub fn step(&mut self, now: UnixTime, entropy: &mut dyn Entropy, input: Input) -> Vec<Effect> {
        let turn = &mut Turn { now, wait: None, entropy, effects: Vec::new() };
        if !self.inert {
            let slept = self.alarm.is_some_and(|alarm| now.millis_since(alarm) > clock::STOOD_STILL);
            self.mind_the_clock(turn);
            if slept {
                // Others may have gone on without this page.
                self.claim(turn);
            }
            self.take(turn, input);
            self.set_alarm(turn);
        }
        core::mem::take(&mut turn.effects)
    }

    /// What there is to show.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            working: match self.stage {
                Stage::Idle => self.ending.as_ref().filter(|ending| ending.leaves()).map(|_| Step::SigningOut),
                Stage::WantsMetadata(_) | Stage::Keeping { .. } | Stage::Left => Some(Step::Leaving),
                #[cfg(feature = "dpop")]
                Stage::MakingKey(_) => Some(Step::Leaving),
                Stage::Awaiting(_) => Some(Step::InPopup),
                Stage::Confirming(_) | Stage::Completing(_) => Some(Step::Completing),
            },
            account: self.identity.as_ref().map(|identity| identity.account(self.renewal_status(identity))),
            error: self.error.clone(),
            for_organization: self.for_organization && self.error.is_some(),
            signed_out: self.signed_out.clone(),
            memory_only: self.memory_only,
            inert: self.inert,
            in_popup: false,
        }
    }

    /// Somebody is signed in.
    pub(crate) fn is_signed_in(&self) -> bool {
        self.identity.is_some()
    }

    /// Whether a sign-in was completed since this was last asked.
    pub(crate) fn has_entered(&mut self) -> bool {
        core::mem::take(&mut self.entered)
    }

    /// Nobody is on the way in or out.
    pub(crate) fn is_at_rest(&self) -> bool {
        matches!(self.stage, Stage::Idle) && self.ending.is_none() && !self.inert
    }

    /// Nobody is here, and there is nothing to say.
    pub(crate) fn is_over(&self) -> bool {
        self.identity.is_none() && self.error.is_none() && self.closed.is_none() && self.is_at_rest()
    }

    /// What another session of the same provider knows of it holds here too.
    pub(crate) fn learn_from(&mut self, other: &Self) {
        self.metadata.clone_from(&other.metadata);
        self.memory_only = other.memory_only;
    }

    fn take(&mut self, turn: &mut Turn<'_>, input: Input) {
        match input {
            Input::Opened { url, records, framed, memory_only } => {
                self.memory_only = memory_only;
                self.opened(turn, &url, &records, framed);
            }
            Input::Resumed { records, from_memory } => self.resumed(turn, &records, from_memory),
            Input::Prepare => self.want_metadata(turn),
            Input::SignIn { request, records } => self.begin(turn, *request, &records),
            Input::Cancel => self.cancel(turn),
            Input::Relayed { query, records } => self.relayed(turn, query.expose(), &records),
            Input::PopupClosed { certain } => self.popup_closed(turn, certain),
            Input::Answered(ticket, outcome) => {
                turn.wait = outcome.wait(turn.now);
                self.answered(turn, ticket, outcome);
            }
            Input::Verified(ticket, outcome) => {
                if let Some(Waiting::Signature(purpose)) = self.collect(ticket) {
                    self.signature_checked(turn, purpose, outcome);
                }
            }
            Input::Kept(ticket, result) => match self.collect(ticket) {
                Some(Waiting::TransactionKept) => self.transaction_kept(turn, result),
                Some(Waiting::MarkKept(key)) if result.is_err() => turn.effects.push(Effect::Forget(key)),
                Some(Waiting::SessionKept) if result.is_err() => self.session_not_kept(turn),
                Some(Waiting::RenewalKept) => self.renewal_kept(turn, result),
                _ => {}
            },
            #[cfg(feature = "dpop")]
            Input::KeyMade(ticket, key) => {
                if let Some(Waiting::KeyMade(name)) = self.collect(ticket) {
                    self.key_made(turn, name, key.as_ref());
                }
            }
            #[cfg(feature = "dpop")]
            Input::KeyLost => self.key_lost(turn),
            Input::Locked { ticket, records } => {
                self.collect(ticket);
                self.locked(turn, ticket, &records);
            }
            Input::Heard(text) => self.heard(turn, text.expose()),
            Input::WantToken { request, refused } => self.want_token(turn, request, refused),
            Input::RetryDetails => self.fetch_details(turn),
            Input::Chosen => self.check_organization(turn),
            Input::SignOut { records } => self.sign_out(turn, &records),
            Input::DismissError => {
                self.error = None;
                turn.effects.push(Effect::Show);
            }
            Input::Woke => self.woke(turn),
        }
    }

    fn answered(&mut self, turn: &mut Turn<'_>, ticket: Ticket, outcome: HttpOutcome) {
        let waiting = self.collect(ticket);
        #[cfg(feature = "dpop")]
        if matches!(outcome, HttpOutcome::NotSent(crate::http::Failure::KeyLost))
            && waiting.is_some()
            && !matches!(waiting, Some(Waiting::Tokens(_)))
        {
            return self.key_lost(turn);
        }
        match waiting {
            Some(Waiting::Metadata(waiting, tries)) => {
                let metadata = waiting.process(outcome, &self.config);
                self.metadata_arrived(turn, metadata, tries);
            }
            Some(Waiting::Tokens(waiting)) => self.tokens_arrived(turn, waiting.process(outcome)),
            Some(Waiting::Keys(waiting, tries, purpose)) => {
                self.keys_arrived(turn, waiting.process(outcome), tries, purpose);
            }
            Some(Waiting::Renewed) => self.refresh_answered(turn, outcome),
            Some(Waiting::Revoked) => self.revoked(turn, outcome),
            Some(Waiting::Userinfo(waiting)) => self.userinfo_arrived(turn, waiting, outcome),
            Some(Waiting::Organizations(waiting)) => self.organizations_arrived(turn, waiting.process(outcome)),
            _ => {}
        }
    }

    fn ticket(&mut self, waiting: Waiting) -> Ticket {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        self.waiting.push((ticket, waiting));
        ticket
    }

    fn collect(&mut self, ticket: Ticket) -> Option<Waiting> {
        let index = self.waiting.iter().position(|(open, _)| *open == ticket)?;
        Some(self.waiting.swap_remove(index).1)
    }

    fn resumed(&mut self, turn: &mut Turn<'_>, records: &Records, from_memory: bool) {
        // Back from the provider by the browser's memory: the page must be usable again.
        if matches!(self.stage, Stage::Left) {
            self.stage = Stage::Idle;
        }
        // What was on its way when the page was put aside is lost, and the code may have been used.
        if from_memory && matches!(self.stage, Stage::Confirming(_) | Stage::Completing(_)) {
            self.interrupted(turn);
        }
        // What was signed out elsewhere meanwhile must not come back to the screen.
        if self.identity.is_some() && !self.memory_only && !records.has(&self.session_key()) {
            self.leave_session(turn);
        }
        if from_memory {
            // Whatever was under way is lost, and other tabs may have gone on meanwhile.
            self.drop_renewal(turn);
            self.tabs.answer_until = None;
        }
        self.claim(turn);
        self.hurry();
        self.go_on_with_session(turn);
        turn.effects.push(Effect::Show);
    }

    fn woke(&mut self, turn: &mut Turn<'_>) {
        self.alarm = None;
        let now = turn.now;
        let (ready, later) = core::mem::take(&mut self.again).into_iter().partition(|(at, _)| *at <= now);
        self.again = later;
        for (_, again) in ready {
            match again {
                Again::Metadata(tries) => self.send_metadata(turn, tries),
                Again::Keys(purpose, tries) => self.send_keys(turn, purpose, tries),
            }
        }
        self.claim_is_over(turn);
        self.look_for_the_popup(turn);
        if self.ending.as_ref().is_some_and(|ending| ending.until() <= now) {
            self.sign_out_is_over(turn);
        }
        self.look_at_the_clock(turn);
    }

    /// One alarm, the earliest; told only when it changes.
    fn set_alarm(&mut self, turn: &mut Turn<'_>) {
        let next = (self.again.iter().map(|(at, _)| *at))
            .chain(self.next_look(turn.now))
            .chain(self.tabs.claim_until)
            .chain(self.ending.as_ref().map(Ending::until))
            .chain(self.awaiting().map(|(awaiting, wanted)| awaiting.next_look(wanted)))
            .min();
        if next != self.alarm {
            self.alarm = next;
            turn.effects.extend(next.map(Effect::WakeAt));
        }
    }

    /// Whether this fault passes by itself, so that a GET may be sent again.
    fn may_pass(error: &Error) -> bool {
        matches!(error.code(), Code::Network | Code::Timeout | Code::ServerError | Code::RateLimited)
    }

    fn try_again(&mut self, turn: &Turn<'_>, tries: u32, again: impl Fn(u32) -> Again) {
        let after = turn.wait.unwrap_or(RETRY_AFTER << tries);
        self.again.push((UnixTime::from_millis(turn.now.as_millis() + after), again(tries + 1)));
    }
}
