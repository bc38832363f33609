//! One session in several tabs (RFC 9700 4.14.2).
//!
//! A browser copies session storage when a tab is duplicated, the refresh token with it, and a
//! rotating refresh token that two tabs use is lost to both. So the tabs of one session, its
//! family, agree on one that keeps it; the others drop theirs and are handed each new access token.
//!
//! They talk over a channel of their own. Everything on it is sealed with the family's key, which
//! stands in the record and so reaches exactly the tabs that the browser itself copied it to.
//! What cannot be opened with it is nobody's word.
//!
//! One rule decides who keeps the refresh token: the newest generation; else whoever has sent it
//! most often, for it may be under way; else the smallest number of a page. Pages claim it when
//! they are opened and when they come back. Whoever is not the best drops its own. The one that keeps it leaves a will,
//! sealed beforehand, that the others get when it is closed.

use core::cmp::Reverse;

use crate::{
    json::{self, Object, ObjectWriter},
    pkce::{Entropy, random, short_hash},
    secret::{AccessToken, ChannelText, FamilyKey, RefreshToken},
    snapshot::SignedOut,
    time::UnixTime,
};

use super::{
    Effect, Session, Turn, Waiting,
    attempts::{SPACING, after},
    identity::Identity,
    renewal::{Renewal, expired},
};

/// How long a page waits for others to object to its claim, in milliseconds.
pub(super) const CLAIM_WAIT: i64 = 300;
/// How long a page waits for a token that another has to get.
pub(super) const ANSWER_WAIT: i64 = 17_500;
/// How long it waits after that for a sign that the other is still at it: twenty seconds in all.
const SIGN_WAIT: i64 = 2_000;
/// A renewal whose request is out for longer than that stands still: its deadline is 15 seconds.
const STANDS_STILL: i64 = 17_000;

/// What this page knows of the others of its family.
#[derive(Default, Hash)]
pub(super) struct Tabs {
    /// This page's number among them: chance, and in no record.
    page: String,
    listening: bool,
    /// Until when others may object to this page's claim.
    pub(super) claim_until: Option<UnixTime>,
    /// A renewal was wanted meanwhile.
    pub(super) renew_then: bool,
    /// Until when another tab may answer with a new access token.
    pub(super) answer_until: Option<UnixTime>,
    /// Another tab is at it, and has no answer yet: when to ask again.
    pub(super) ask_after: Option<UnixTime>,
    /// How often this page has sent the refresh token. It never goes down: two pages of which each
    /// believes that the other is better would both drop it.
    pub(super) uses: u64,
    /// Whoever was asked is at it, and has not come to an end.
    busy: bool,
    /// The wait for an answer was made longer already.
    pub(super) waited_longer: bool,
    /// The access token is refused already: by this page or by another tab it has to be replaced.
    pub(super) refused: bool,
}

impl Tabs {
    /// Nobody may object any more.
    pub(super) fn is_settled(&self) -> bool {
        self.claim_until.is_none()
    }
}

/// The name of a family: public, and says nothing of its key.
pub(super) fn name(key: &FamilyKey) -> String {
    short_hash(&["family ", key.expose()].concat())
}

/// A new family's key. Without entropy there is none, and its tabs are on their own.
pub(super) fn new_family(entropy: &mut dyn Entropy) -> Option<FamilyKey> {
    random(entropy).ok().map(FamilyKey::new)
}

/// What one tab hands to another.
struct Set {
    generation: u64,
    access_token: AccessToken,
    refresh_token: Option<RefreshToken>,
    scope: Vec<String>,
    renewed_at: UnixTime,
    expires_at: Option<UnixTime>,
}

impl Set {
    fn read(message: &Object<'_>) -> Option<Self> {
        let time = |name| message.get(name)?.as_number()?.to_fixed(0).map(UnixTime::from_millis);
        let access_token = message.str("access_token").filter(|token| !token.is_empty())?;
        Some(Self {
            generation: u64::try_from(message.get("generation")?.as_number()?.to_fixed(0)?).ok()?,
            access_token: AccessToken::new(access_token),
            refresh_token: message.str("refresh_token").filter(|token| !token.is_empty()).map(RefreshToken::new),
            scope: message.str("scope")?.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
            renewed_at: time("renewed_at")?,
            expires_at: match message.get("expires_at") {
                None => None,
                Some(_) => Some(time("expires_at")?),
            },
        })
    }
}

impl Identity {
    fn take_set(&mut self, set: Set) {
        // The same token again has ended as before.
        self.ended &= self.generation == set.generation;
        self.generation = set.generation;
        self.access_token = set.access_token;
        self.scope_granted = set.scope;
        self.renewed_at = set.renewed_at;
        self.expires_at = set.expires_at;
    }
}

impl Session {
    /// The lock that a renewal takes: one for the whole family.
    pub(super) fn lock_name(&self) -> String {
        let key = self.identity.as_ref().and_then(|identity| identity.family.as_ref());
        [&self.config.namespace(), "renewal:", key.map(name).as_deref().unwrap_or_default()].concat()
    }

    /// A session that this page has just opened itself: nobody else can have it yet.
    pub(super) fn join_new(&mut self, turn: &mut Turn<'_>) {
        self.listen(turn);
        self.tabs.claim_until = None;
    }

    /// A session that stood in the storage: other tabs may have the same.
    pub(super) fn join_kept(&mut self, turn: &mut Turn<'_>) {
        self.listen(turn);
        self.claim(turn);
    }

    fn listen(&mut self, turn: &mut Turn<'_>) {
        let Some(key) = self.identity.as_ref().and_then(|identity| identity.family.clone()) else { return };
        if self.tabs.page.is_empty() {
            self.tabs.page = random(turn.entropy).unwrap_or_default();
        }
        if !self.tabs.listening {
            self.tabs.listening = true;
            turn.effects.push(Effect::Listen([self.config.namespace(), name(&key)].concat(), key));
        }
    }

    /// No longer one of the family.
    pub(super) fn part(&mut self, turn: &mut Turn<'_>) {
        if core::mem::take(&mut self.tabs.listening) {
            turn.effects.push(Effect::Deafen);
        }
        self.tabs = Tabs { page: core::mem::take(&mut self.tabs.page), ..Tabs::default() };
    }

    /// Asks whether another page has the refresh token too, if this one has it.
    pub(super) fn claim(&mut self, turn: &mut Turn<'_>) {
        let holds = self.identity.as_ref().is_some_and(|identity| identity.refresh_token.is_some());
        if holds && self.tabs.listening && !self.renewal.is_under_way() {
            self.tabs.claim_until = Some(after(turn.now, CLAIM_WAIT));
            self.tell(turn, "claim", |_, _| {});
            // From now on others may drop theirs.
            self.bequeath(turn);
        }
    }

    /// Nobody objected: the refresh token is this page's.
    pub(super) fn claim_is_over(&mut self, turn: &mut Turn<'_>) {
        if self.tabs.claim_until.is_some_and(|until| until <= turn.now) {
            self.tabs.claim_until = None;
            let (refused, wanted) = (&mut self.tabs.refused, &mut self.tabs.renew_then);
            let wanted = core::mem::take(refused) | core::mem::take(wanted);
            if wanted || matches!(self.renewal, Renewal::Locking { .. }) {
                self.renew(turn);
            }
            self.grant_if_idle(turn);
        }
    }

    /// Asks whoever keeps the refresh token for a new access token.
    pub(super) fn ask_the_others(&mut self, turn: &mut Turn<'_>) {
        match self.tabs.answer_until {
            Some(until) if until > turn.now => {}
            None if self.tabs.ask_after.is_some_and(|time| time > turn.now) => {}
            until if self.tabs.listening && (until.is_none() || core::mem::take(&mut self.tabs.busy)) => {
                // Whoever said that it is at it has only to say so once more, unless it stands still.
                let wait = if until.is_none() { ANSWER_WAIT } else { SIGN_WAIT };
                self.tabs.answer_until = Some(after(turn.now, wait));
                self.tabs.waited_longer = false;
                self.tell(turn, "ask", |_, _| {});
            }
            _ => self.nobody_answered(turn),
        }
    }

    /// Whoever keeps the refresh token lives, and tries: the session is not over.
    fn somebody_tries(&mut self, turn: &mut Turn<'_>) {
        if self.tabs.answer_until.take().is_some() {
            self.tabs.ask_after = Some(after(turn.now, SPACING));
            self.grant_all(turn);
        }
    }

    /// Tells whoever asked that there is no new token yet.
    pub(super) fn tell_trying(&mut self, turn: &mut Turn<'_>) {
        self.tell(turn, "held", Self::write_set);
    }

    /// A frozen page still hears, and its request comes to no end.
    fn stands_still(&self, now: UnixTime) -> bool {
        let sent = self.attempts.last.filter(|_| matches!(self.renewal, Renewal::Sent { .. }));
        sent.is_some_and(|sent| now.millis_since(sent) > STANDS_STILL)
    }

    /// Whoever kept the refresh token is gone.
    fn nobody_answered(&mut self, turn: &mut Turn<'_>) {
        self.tabs.answer_until = None;
        let ended = self.identity.as_ref().is_some_and(|identity| identity.has_ended(turn.now));
        if ended || core::mem::take(&mut self.tabs.refused) {
            self.end_session(turn, expired());
        } else {
            // Not at once again, but once more when it ends.
            let later = turn.now.as_millis() + SPACING;
            let end = self.identity.as_ref().and_then(|identity| identity.expires_at);
            let later = end.map_or(later, |end| end.as_millis().min(later));
            self.tabs.ask_after = Some(UnixTime::from_millis(later));
            self.grant_all(turn);
        }
    }

    pub(super) fn tell_renewed(&mut self, turn: &mut Turn<'_>) {
        self.tell(turn, "renewed", Self::write_set);
    }

    /// The session is over: for everybody if the person signed out, else for those who have
    /// nothing newer.
    pub(super) fn tell_ended(&mut self, turn: &mut Turn<'_>, signed_out: bool) {
        self.tell(turn, if signed_out { "signed_out" } else { "ended" }, |_, _| {});
    }

    fn tell(&self, turn: &mut Turn<'_>, kind: &str, more: fn(&mut ObjectWriter, &Identity)) {
        if let Some(message) = self.message(kind, more) {
            turn.effects.push(Effect::Tell(message));
        }
    }

    fn message(&self, kind: &str, more: fn(&mut ObjectWriter, &Identity)) -> Option<ChannelText> {
        let identity = self.identity.as_ref().filter(|_| self.tabs.listening)?;
        let mut message = ObjectWriter::default();
        message
            .string("type", kind)
            .string("page", &self.tabs.page)
            .raw("generation", &identity.generation.to_string())
            .raw("uses", &self.tabs.uses.to_string());
        more(&mut message, identity);
        Some(ChannelText::new(message.finish()))
    }

    fn write_set(message: &mut ObjectWriter, identity: &Identity) {
        message
            .string("access_token", identity.access_token.expose())
            .string("scope", &identity.scope_granted.join(" "))
            .raw("renewed_at", &identity.renewed_at.as_millis().to_string());
        if let Some(expires_at) = identity.expires_at {
            message.raw("expires_at", &expires_at.as_millis().to_string());
        }
    }

    /// Leaves what the others need to go on, for the moment in which this page is closed.
    pub(super) fn bequeath(&self, turn: &mut Turn<'_>) {
        let holds = self.identity.as_ref().is_some_and(|identity| identity.refresh_token.is_some());
        if holds {
            let will = self.message("heir", |message, identity| {
                Self::write_set(message, identity);
                message.optional("refresh_token", identity.refresh_token.as_ref().map(RefreshToken::expose));
            });
            turn.effects.extend(will.map(Effect::Bequeath));
        }
    }

    /// Another page of the family speaks. It has the key, but may be of another mind.
    pub(super) fn heard(&mut self, turn: &mut Turn<'_>, text: &str) {
        let Ok(message) = json::parse_object(text.as_bytes()) else { return };
        let number = |name| u64::try_from(message.get(name)?.as_number()?.to_fixed(0)?).ok();
        let (Some(kind), Some(page), Some(theirs), Some(uses)) =
            (message.str("type"), message.str("page"), number("generation"), number("uses"))
        else {
            return;
        };
        let Some(identity) = &self.identity else { return };
        let (ours, holds) = (identity.generation, identity.refresh_token.is_some());
        let rank = (ours, self.tabs.uses, Reverse(self.tabs.page.as_str()));
        let better = (theirs, uses, Reverse(page)) > rank;
        let keep = self.renewal.is_under_way() || !better;
        match kind {
            "claim" if holds && keep => {
                self.tell_trying(turn);
                self.bequeath(turn);
            }
            "claim" if holds => self.give_up(turn),
            "held" => {
                let newer = Set::read(&message).filter(|set| set.generation > ours);
                match newer {
                    Some(set) => self.take_over(turn, set),
                    None if holds && !keep => self.give_up(turn),
                    None if holds => self.tell_trying(turn),
                    None => self.somebody_tries(turn),
                }
            }
            "renewed" => {
                if let Some(set) = Set::read(&message).filter(|set| set.generation > ours) {
                    self.take_over(turn, set);
                }
            }
            "ask" if holds && theirs < ours => self.tell_renewed(turn),
            "busy" => self.tabs.busy = self.tabs.answer_until.is_some(),
            "ask" if holds => {
                self.renew(turn);
                if matches!(self.renewal, Renewal::Idle) && !self.tabs.renew_then {
                    self.tell_trying(turn);
                } else if !self.stands_still(turn.now) {
                    // That may take longer than anybody waits who hears nothing.
                    self.tell(turn, "busy", |_, _| {});
                }
            }
            "heir" if !holds && !self.renewal.is_under_way() => {
                if let Some(mut set) = Set::read(&message).filter(|set| set.generation >= ours) {
                    let refresh_token = set.refresh_token.take();
                    self.tabs.answer_until = None;
                    if let Some(identity) = &mut self.identity {
                        identity.take_set(set);
                        identity.elsewhere = refresh_token.is_none();
                        identity.refresh_token = refresh_token;
                    }
                    self.keep_session(turn, Waiting::SessionKept);
                    self.claim(turn);
                }
            }
            "signed_out" => {
                self.forget_session(turn);
                self.signed_out = Some(SignedOut::Elsewhere);
                turn.effects.push(Effect::Show);
            }
            "ended" if theirs >= ours && !self.renewal.is_under_way() => {
                self.end_session(turn, expired());
            }
            _ => {}
        }
    }

    /// The refresh token is somebody else's: this page's copy goes, out of the storage too.
    fn give_up(&mut self, turn: &mut Turn<'_>) {
        if let Some(identity) = &mut self.identity {
            identity.refresh_token = None;
            identity.elsewhere = true;
        }
        turn.effects.push(Effect::Bequeath(ChannelText::new("")));
        (self.tabs.claim_until, self.tabs.renew_then) = (None, false);
        let waits = matches!(self.renewal, Renewal::Locking { .. });
        if waits {
            self.drop_renewal(turn);
        }
        self.keep_session(turn, Waiting::SessionKept);
        if waits || self.tabs.refused || !self.wanting.is_empty() {
            self.ask_the_others(turn);
        }
        turn.effects.push(Effect::Show);
    }

    /// Another tab has renewed the session.
    fn take_over(&mut self, turn: &mut Turn<'_>, set: Set) {
        if self.renewal.is_under_way() {
            // Both have used a refresh token: what the provider answers decides.
            return;
        }
        (self.tabs.claim_until, self.tabs.renew_then) = (None, false);
        self.tabs.answer_until = None;
        self.tabs.ask_after = None;
        self.tabs.refused = false;
        turn.effects.push(Effect::Bequeath(ChannelText::new("")));
        if let Some(identity) = &mut self.identity {
            identity.take_set(set);
            identity.elsewhere |= identity.refresh_token.take().is_some();
        }
        self.keep_session(turn, Waiting::SessionKept);
        self.renewed(turn);
    }
}
