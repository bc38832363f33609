//! The session as one machine: an input in, all its effects out.
//!
//! **Perform every effect of a step, in order, before the next step.** Answers come back with
//! the ticket under which they were asked for. Whatever ends a sign-in or a session throws its
//! open tickets away, so an answer that comes too late finds nobody who waits for it.
//!
//! The machine knows no clock, no storage and no network of its own: time, entropy, records and
//! answers come in as values.

mod completing;
mod details;
mod identity;
mod returned;
mod sign_in;
mod wire;

pub use wire::{Effect, Input, Records, StorageFailure, Ticket};

use crate::{
    config::Config,
    discovery::{AwaitMetadata, Metadata},
    error::{Code, Error, Phase},
    http::HttpOutcome,
    jwks::AwaitKeys,
    organization::AwaitOrganizations,
    pkce::Entropy,
    snapshot::{Snapshot, Step},
    time::UnixTime,
    token::AwaitTokens,
    transaction,
    userinfo::AwaitUserinfo,
};
use identity::Identity;
use sign_in::Stage;

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
    identity: Option<Identity>,
    /// The kept session names hosts that only the metadata can vouch for: until it has, the
    /// access token goes nowhere.
    unconfirmed: bool,
    error: Option<Error>,
    signed_out: bool,
    memory_only: bool,
    /// In a frame, on a callback: this page does and shows nothing.
    inert: bool,
    /// When keys were fetched by force: at most five times a minute.
    forced_keys: Vec<UnixTime>,
    /// A GET that is to be sent again.
    again: Option<(UnixTime, Again)>,
    alarm: Option<UnixTime>,
}

/// What an open ticket is for.
enum Waiting {
    Metadata(AwaitMetadata, u32),
    TransactionKept,
    MarkKept(String),
    Tokens(Box<AwaitTokens>),
    Keys(AwaitKeys, u32),
    Signature,
    SessionKept,
    Userinfo(AwaitUserinfo),
    Organizations(AwaitOrganizations),
}

/// What is tried again, and for which time.
#[derive(Clone, Copy)]
enum Again {
    Metadata(u32),
    Keys(u32),
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
            identity: None,
            unconfirmed: false,
            error: None,
            signed_out: false,
            memory_only: false,
            inert: false,
            forced_keys: Vec::new(),
            again: None,
            alarm: None,
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
                Stage::Idle => None,
                Stage::WantsMetadata(_) | Stage::Keeping { .. } | Stage::Left => Some(Step::Leaving),
                Stage::Confirming(_) | Stage::Completing(_) => Some(Step::Completing),
            },
            account: self.identity.as_ref().map(Identity::account),
            error: self.error.clone(),
            signed_out: self.signed_out,
            memory_only: self.memory_only,
        }
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
            Input::Answered(ticket, outcome) => {
                turn.wait = outcome.wait(turn.now);
                self.answered(turn, ticket, outcome);
            }
            Input::Verified(ticket, outcome) => {
                if let Some(Waiting::Signature) = self.collect(ticket) {
                    self.signature_checked(turn, outcome);
                }
            }
            Input::Kept(ticket, result) => match self.collect(ticket) {
                Some(Waiting::TransactionKept) => self.transaction_kept(turn, result),
                Some(Waiting::MarkKept(key)) if result.is_err() => turn.effects.push(Effect::Forget(key)),
                Some(Waiting::SessionKept) if result.is_err() => self.session_not_kept(turn),
                _ => {}
            },
            Input::RetryDetails => self.fetch_details(turn),
            Input::SignOut { records } => self.sign_out(turn, &records),
            Input::DismissError => {
                self.error = None;
                turn.effects.push(Effect::Show);
            }
            Input::Woke => self.woke(turn),
        }
    }

    fn answered(&mut self, turn: &mut Turn<'_>, ticket: Ticket, outcome: HttpOutcome) {
        match self.collect(ticket) {
            Some(Waiting::Metadata(waiting, tries)) => {
                let metadata = waiting.process(outcome, &self.config);
                self.metadata_arrived(turn, metadata, tries);
            }
            Some(Waiting::Tokens(waiting)) => self.tokens_arrived(turn, waiting.process(outcome)),
            Some(Waiting::Keys(waiting, tries)) => self.keys_arrived(turn, waiting.process(outcome), tries),
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

    /// Metadata serves every sign-in: its ticket outlives them.
    fn drop_tickets(&mut self) {
        self.waiting.retain(|(_, waiting)| matches!(waiting, Waiting::Metadata(..)));
        if let Some((_, Again::Keys(_))) = self.again {
            self.again = None;
        }
    }

    /// What the sign-in or the session ended with. Sessions of before stay.
    fn fail(&mut self, turn: &mut Turn<'_>, error: Error) {
        self.error = Some(error);
        self.stage = Stage::Idle;
        turn.effects.push(Effect::Show);
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
            self.drop_tickets();
            self.identity = None;
        }
        self.expire(turn);
        turn.effects.push(Effect::Show);
    }

    fn sign_out(&mut self, turn: &mut Turn<'_>, records: &Records) {
        self.drop_tickets();
        self.identity = None;
        self.stage = Stage::Idle;
        self.error = None;
        self.signed_out = true;
        turn.effects.push(Effect::Forget(self.session_key()));
        let namespace = self.config.namespace();
        let ours =
            records.iter().filter(|(key, _)| key.starts_with(&namespace) && transaction::hash_in_key(key).is_some());
        turn.effects.extend(ours.map(|(key, _)| Effect::Forget(key.to_owned())));
        turn.effects.push(Effect::Show);
    }

    fn woke(&mut self, turn: &mut Turn<'_>) {
        self.alarm = None;
        if let Some((at, again)) = self.again
            && at <= turn.now
        {
            self.again = None;
            match again {
                Again::Metadata(tries) => self.send_metadata(turn, tries),
                Again::Keys(tries) => self.send_keys(turn, tries),
            }
        }
        self.expire(turn);
    }

    /// Ends a session whose access token has ended.
    fn expire(&mut self, turn: &mut Turn<'_>) {
        let ended = |identity: &Identity| identity.expires_at.is_some_and(|end| end <= turn.now);
        if self.identity.as_ref().is_some_and(ended) {
            self.end_session(turn, Error::new(Code::SessionExpired, Phase::Session));
        }
    }

    fn end_session(&mut self, turn: &mut Turn<'_>, error: Error) {
        self.drop_tickets();
        self.identity = None;
        turn.effects.push(Effect::Forget(self.session_key()));
        self.fail(turn, error);
    }

    /// One alarm, the earliest; told only when it changes.
    fn set_alarm(&mut self, turn: &mut Turn<'_>) {
        let again = self.again.map(|(at, _)| at);
        let end = self.identity.as_ref().and_then(|identity| identity.expires_at);
        let next = again.into_iter().chain(end).min();
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
        self.again = Some((UnixTime::from_millis(turn.now.as_millis() + after), again(tries + 1)));
    }
}
