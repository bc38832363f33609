//! Renewing the access token (RFC 6749 6, OpenID Connect Core 12, RFC 9700 4.14.2).
//!
//! A renewal is begun when a token is needed, or by the alarm shortly before it ends. There is one
//! at a time: in this page by [`Renewal`], across tabs by a lock and by `tabs.rs`. What comes back
//! is kept before anybody gets the new access token. Only `invalid_grant` ends a session; whatever
//! else goes wrong leaves it as it is, to be tried again later.

use crate::{
    error::{Code, Error, Phase},
    http::HttpOutcome,
    id_token::{self, Expected, ExpectedNonce},
    jws::{SignatureVerified, SignedToken},
    snapshot::{Loadable, RenewalStatus},
    time::UnixTime,
    token::{self, TokenResponse},
};

use super::{
    Effect, Records, Session, StorageFailure, Ticket, Turn, Waiting,
    attempts::{Attempts, after},
    identity::Identity,
    proving::Proving,
    signing::Purpose,
    tabs::CLAIM_WAIT,
};

/// How long before its end an access token is renewed: this, or a fifth of its life if that is less.
const MARGIN: i64 = 60_000;
/// How long another page may hold the lock before this one asks whether anybody lives who is at it.
/// With the time that they have to answer, it goes on without the lock after twenty seconds.
const LOCK_WAIT: i64 = 20_000 - CLAIM_WAIT;
/// Whoever waited longer than that for the lock waited for another page.
const QUEUED: i64 = 1_000;

/// How far a renewal has come on this page.
pub(super) enum Renewal {
    Idle,
    /// Another page may be at it: this one waits for the lock.
    Locking {
        lock: Ticket,
        since: UnixTime,
        /// It is held, and others may still say that they went on meanwhile.
        held: bool,
        /// They were asked whether anybody is at it.
        asked: bool,
    },
    /// The refresh token has been sent.
    Sent {
        lock: Option<Ticket>,
    },
    /// The answer brought an ID token, which has to be proven like the first.
    Proving(Box<Renewed>),
    /// The new tokens are being kept; only then does anybody get them.
    Keeping {
        lock: Option<Ticket>,
    },
}

/// New tokens whose ID token is not proven yet.
pub(super) struct Renewed {
    lock: Option<Ticket>,
    tokens: TokenResponse,
    id_token: Option<SignedToken>,
    proving: Proving,
}

impl Renewed {
    pub(super) fn parts(&mut self) -> (&mut Proving, Option<&SignedToken>) {
        (&mut self.proving, self.id_token.as_ref())
    }
}

impl Renewal {
    pub(super) fn lock(&self) -> Option<Ticket> {
        match self {
            Self::Idle => None,
            Self::Locking { lock, .. } => Some(*lock),
            Self::Sent { lock } | Self::Keeping { lock } => *lock,
            Self::Proving(renewed) => renewed.lock,
        }
    }

    /// The refresh token may be used up already: nobody else must use it.
    pub(super) fn is_under_way(&self) -> bool {
        !matches!(self, Self::Idle | Self::Locking { .. })
    }
}

impl Identity {
    /// From when on the access token should be renewed.
    pub(super) fn due_at(&self) -> Option<UnixTime> {
        if self.ended {
            return Some(UnixTime::from_millis(0));
        }
        let end = self.expires_at?;
        let margin = (end.millis_since(self.renewed_at) / 5).clamp(0, MARGIN);
        Some(UnixTime::from_millis(end.as_millis() - margin))
    }

    pub(super) fn is_due(&self, now: UnixTime) -> bool {
        self.due_at().is_some_and(|due| due <= now)
    }

    pub(super) fn has_ended(&self, now: UnixTime) -> bool {
        self.ended || self.expires_at.is_some_and(|end| end <= now)
    }
}

impl Session {
    /// Whether this page could renew the session by itself, now or later.
    pub(super) fn can_renew(&self) -> bool {
        self.identity.as_ref().is_some_and(|identity| identity.refresh_token.is_some()) && !self.attempts.stopped
    }

    /// What there is to say about it.
    pub(super) fn renewal_status(&self, identity: &Identity) -> RenewalStatus {
        match &self.attempts.failed {
            Some(error) if self.attempts.stopped => RenewalStatus::Stopped(error.clone()),
            _ if self.renewal.is_under_way() => RenewalStatus::UnderWay,
            Some(error) if identity.refresh_token.is_some() => RenewalStatus::Later(error.clone(), self.attempts.next),
            _ if identity.refresh_token.is_some() => RenewalStatus::Possible,
            _ if identity.elsewhere => RenewalStatus::Elsewhere,
            _ => RenewalStatus::NotOffered,
        }
    }

    /// Looks at the clock: renews what is due, ends what has ended for good.
    pub(super) fn look_at_the_clock(&mut self, turn: &mut Turn<'_>) {
        let Some(identity) = &self.identity else { return };
        let (due, ended, elsewhere) = (identity.is_due(turn.now), identity.has_ended(turn.now), identity.elsewhere);
        // Whoever waits for the lock or for an answer has a reason, be the token due or refused.
        let (locking, asking) = (matches!(self.renewal, Renewal::Locking { .. }), self.tabs.answer_until.is_some());
        if (due || locking) && self.can_renew() {
            self.renew(turn);
        } else if (due || asking) && elsewhere && !self.attempts.stopped {
            self.ask_the_others(turn);
        } else if ended {
            let error = self.attempts.failed.take().filter(|_| self.attempts.stopped);
            self.tell_ended(turn, false);
            self.end_session(turn, error.unwrap_or_else(expired));
        }
    }

    /// The time at which to look again.
    pub(super) fn next_look(&self, now: UnixTime) -> Option<UnixTime> {
        let identity = self.identity.as_ref()?;
        match &self.renewal {
            // The end of the claim, or the metadata, wakes it.
            Renewal::Locking { .. } if !self.tabs.is_settled() => None,
            Renewal::Locking { since, .. } => Some(after(*since, LOCK_WAIT)),
            Renewal::Idle if self.can_renew() && !self.may_be_sent() => None,
            Renewal::Idle if self.can_renew() => {
                let due = identity.due_at()?;
                Some(self.attempts.earliest(now).map_or(due, |earliest| earliest.max(due)))
            }
            Renewal::Idle if identity.elsewhere && !self.attempts.stopped => {
                self.tabs.answer_until.or_else(|| identity.due_at().max(self.tabs.ask_after))
            }
            Renewal::Idle => identity.expires_at,
            _ => None,
        }
    }

    /// Nothing has to come first.
    fn may_be_sent(&self) -> bool {
        self.tabs.is_settled() && !(self.unconfirmed && self.metadata_is_coming())
    }

    /// Begins a renewal, unless one is under way or it is too early for the next.
    pub(super) fn renew(&mut self, turn: &mut Turn<'_>) {
        if self.unconfirmed {
            // The token goes nowhere before the metadata has vouched for the endpoint.
            if self.attempts.may_begin(turn.now) {
                self.want_metadata(turn);
            }
            return;
        }
        if let Renewal::Locking { lock, since, held, asked } = self.renewal {
            if !self.tabs.is_settled() {
                return;
            }
            if held {
                self.send_refresh_token(turn, Some(lock));
            } else if turn.now.millis_since(since) >= LOCK_WAIT {
                // Whoever is at it and lives says so now, and then this page waits for that.
                if !asked {
                    self.renewal = Renewal::Locking { lock, since, held, asked: true };
                    self.claim(turn);
                }
                if self.tabs.is_settled() {
                    turn.effects.push(Effect::Unlock(lock));
                    self.send_refresh_token(turn, None);
                }
            }
            return;
        }
        let ready = matches!(self.renewal, Renewal::Idle) && self.can_renew() && self.attempts.may_begin(turn.now);
        if ready && !self.tabs.is_settled() {
            self.tabs.renew_then = true;
        } else if ready {
            let name = self.lock_name();
            let lock = self.ticket(Waiting::Lock);
            self.renewal = Renewal::Locking { lock, since: turn.now, held: false, asked: false };
            turn.effects.push(Effect::Lock(lock, name));
        }
    }

    /// The lock is ours. What is kept is read again: another page of this tab may have been first.
    pub(super) fn locked(&mut self, turn: &mut Turn<'_>, ticket: Ticket, records: &Records) {
        let since = match self.renewal {
            Renewal::Locking { lock, since, .. } if lock == ticket && self.identity.is_some() => since,
            _ => return turn.effects.push(Effect::Unlock(ticket)),
        };
        if !self.memory_only {
            let transport = self.config.provider().transport();
            let kept = records.get(&self.session_key()).map(|text| Identity::decode(text, transport));
            match (kept, &mut self.identity) {
                (None, _) => return self.gone_elsewhere(turn),
                (Some(Some(kept)), Some(identity)) if kept.generation > identity.generation => {
                    identity.adopt(kept);
                    return self.renewed(turn);
                }
                _ => {}
            }
        }
        self.renewal = Renewal::Locking { lock: ticket, since, held: true, asked: false };
        if turn.now.millis_since(since) > QUEUED {
            // Another page was at it. What it has to say of that may come later than the lock.
            self.claim(turn);
        }
        self.renew(turn);
    }

    fn send_refresh_token(&mut self, turn: &mut Turn<'_>, lock: Option<Ticket>) {
        let Some(identity) = &self.identity else { return };
        let Some(refresh_token) = &identity.refresh_token else { return self.finish_renewal(turn) };
        let request = token::refresh_request(
            &identity.endpoints.token,
            self.config.client_id(),
            refresh_token,
            identity.key.as_ref(),
        );
        let ticket = self.ticket(Waiting::Renewed);
        self.attempts.last = Some(turn.now);
        self.tabs.uses += 1;
        self.renewal = Renewal::Sent { lock };
        turn.effects.push(Effect::Send(ticket, request));
        turn.effects.push(Effect::Show);
    }

    pub(super) fn refresh_answered(&mut self, turn: &mut Turn<'_>, outcome: HttpOutcome) {
        self.attempts.uncertain = matches!(outcome, HttpOutcome::Unknown(_));
        let bound = self.identity.as_ref().is_some_and(|identity| identity.key.is_some());
        match TokenResponse::process(outcome, bound) {
            Ok(mut tokens) => match tokens.id_token.take() {
                // Polar sends none: the first one's claims stay.
                None => self.take_tokens(turn, tokens),
                Some(id_token) => match SignedToken::parse(id_token, self.config.algorithms()) {
                    Err(error) => self.renewal_unproven(turn, error),
                    Ok(id_token) => {
                        let Some(identity) = &self.identity else { return };
                        let proving = Proving::new(identity.endpoints.jwks.clone());
                        let lock = self.renewal.lock();
                        let renewed = Renewed { lock, tokens, id_token: Some(id_token), proving };
                        self.renewal = Renewal::Proving(Box::new(renewed));
                        self.send_keys(turn, Purpose::Renewal, 0);
                    }
                },
            },
            Err(error) if error.code() == Code::GrantRefused => self.refused_for_good(turn),
            Err(error) => {
                // What was asked wrongly today is asked wrongly tomorrow (RFC 6749 5.2).
                let final_words = [
                    "invalid_client",
                    "unauthorized_client",
                    "invalid_scope",
                    "unsupported_grant_type",
                    "invalid_request",
                ];
                self.attempts.stopped = error.provider().is_some_and(|said| final_words.contains(&said.error()));
                self.attempts.failed(turn, error);
                self.tell_trying(turn);
                self.finish_renewal(turn);
            }
        }
    }

    /// `invalid_grant`: the one answer that ends a session.
    fn refused_for_good(&mut self, turn: &mut Turn<'_>) {
        self.tell_ended(turn, false);
        self.end_session(turn, expired());
    }

    /// The renewed ID token is not one that continues this session: nothing of the answer is
    /// believed, and the old refresh token is used up.
    pub(super) fn renewal_unproven(&mut self, turn: &mut Turn<'_>, error: Error) {
        self.tell_ended(turn, false);
        self.end_session(turn, error);
    }

    /// Core 12.2: the same issuer, subject, audience and authentication, and no older.
    pub(super) fn renewal_proven(&mut self, turn: &mut Turn<'_>, proof: &SignatureVerified) {
        let Renewal::Proving(renewed) = &mut self.renewal else { return };
        let (Some(id_token), Some(identity)) = (renewed.id_token.take(), &self.identity) else { return };
        let first = identity.claims();
        let expected = Expected {
            issuer: self.config.provider().issuer(),
            client_id: self.config.client_id(),
            trusted_audiences: self.config.trusted_audiences(),
            nonce: ExpectedNonce::AsBefore(&identity.nonce),
            access_token: &renewed.tokens.access_token,
            subject: Some(&identity.subject),
            max_age: None,
            acr: None,
        };
        let verified = id_token::validate(id_token, proof, &expected, turn.now)
            .and_then(|verified| id_token::continues(&first, &verified).map(|()| verified));
        match verified {
            Err(error) => self.renewal_unproven(turn, error),
            Ok(verified) => {
                let lock = renewed.lock;
                let Renewal::Proving(renewed) = core::mem::replace(&mut self.renewal, Renewal::Sent { lock }) else {
                    return;
                };
                if let Some(identity) = &mut self.identity {
                    identity.replace_id_token(&verified);
                }
                self.take_tokens(turn, renewed.tokens);
            }
        }
    }

    /// Keeps the new tokens in one write. Nobody has them before that is done.
    fn take_tokens(&mut self, turn: &mut Turn<'_>, tokens: TokenResponse) {
        let lock = self.renewal.lock();
        let Some(identity) = &mut self.identity else { return };
        identity.renew(tokens, turn.now);
        self.renewal = Renewal::Keeping { lock };
        self.keep_session(turn, Waiting::RenewalKept);
    }

    pub(super) fn renewal_kept(&mut self, turn: &mut Turn<'_>, result: Result<(), StorageFailure>) {
        if result.is_err() {
            self.session_not_kept(turn);
        }
        if matches!(self.renewal, Renewal::Keeping { .. }) {
            self.tell_renewed(turn);
            self.renewed(turn);
        }
    }

    /// There is a new access token: whoever waited for one gets it.
    pub(super) fn renewed(&mut self, turn: &mut Turn<'_>) {
        let last = self.attempts.last;
        self.attempts = Attempts { last, ..Attempts::default() };
        self.finish_renewal(turn);
        self.bequeath(turn);
        self.fetch_details(turn);
        self.check_organization(turn);
    }

    /// Whatever came of it, the lock goes back and nobody waits on.
    fn finish_renewal(&mut self, turn: &mut Turn<'_>) {
        turn.effects.extend(self.renewal.lock().map(Effect::Unlock));
        self.renewal = Renewal::Idle;
        self.grant_all(turn);
        // A session whose access token ended meanwhile, and that nobody will renew.
        if self.identity.as_ref().is_some_and(|identity| identity.has_ended(turn.now)) && !self.can_renew() {
            self.look_at_the_clock(turn);
        }
        turn.effects.push(Effect::Show);
    }

    /// Gives up what is under way, without a word to anybody who waits.
    pub(super) fn drop_renewal(&mut self, turn: &mut Turn<'_>) {
        turn.effects.extend(self.renewal.lock().map(Effect::Unlock));
        self.renewal = Renewal::Idle;
        self.attempts = Attempts::default();
    }

    /// Back from sleep, or online again: whatever waits for a later time may be tried now.
    pub(super) fn hurry(&mut self) {
        self.attempts.next = None;
    }

    /// Details that were asked for with a token that is no more.
    pub(super) fn details_are_missing(identity: &Identity) -> bool {
        !matches!(
            (&identity.userinfo, &identity.organizations),
            (Loadable::Ready(_) | Loadable::Absent, Loadable::Ready(_))
        )
    }
}

/// The session has ended, and why needs no more words.
pub(super) fn expired() -> Error {
    Error::new(Code::SessionExpired, Phase::Session)
}
