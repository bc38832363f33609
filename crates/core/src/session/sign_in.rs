//! The way out: metadata, a transaction that is kept, and only then the provider.

use crate::{
    authorization::{self, SignIn, Way},
    discovery::{self, Metadata},
    error::{Code, Error, Phase},
    pkce::Fresh,
    secret::AuthorizationUrl,
    time::UnixTime,
    token::Redeemable,
    transaction::{self, Begin, Transaction},
};

#[cfg(feature = "dpop")]
use super::binding::Making;
use super::{
    Again, Effect, MAX_RETRIES, METADATA_LIFETIME, Records, Session, StorageFailure, Turn, Waiting,
    completing::Completing, popup::Awaiting, returned::authorization_error,
};

/// How far a sign-in has come on this page.
pub(super) enum Stage {
    Idle,
    /// The person waits for the metadata, then leaves.
    WantsMetadata(Box<SignIn>),
    /// The key is being made that the tokens are to be bound to.
    #[cfg(feature = "dpop")]
    MakingKey(Box<Making>),
    /// The transaction is being kept; only then may the page be left.
    Keeping {
        key: String,
        url: AuthorizationUrl,
        /// The person goes there in a window of its own.
        awaits: Option<Box<Awaiting>>,
    },
    /// The person is at the provider, in a window of its own.
    Awaiting(Box<Awaiting>),
    /// The browser is on its way to the provider.
    Left,
    /// The kept endpoints are on hosts that only the metadata can vouch for.
    Confirming(Box<Redeemable>),
    /// The code has been sent.
    Completing(Box<Completing>),
}

/// What a sign-in leaves with, once there is a key for it, if there has to be one.
pub(super) struct Departure {
    pub(super) request: Box<SignIn>,
    metadata: Metadata,
    pub(super) fresh: Fresh,
}

impl Session {
    pub(super) fn begin(&mut self, turn: &mut Turn<'_>, request: SignIn, records: &Records) {
        if !matches!(self.stage, Stage::Idle | Stage::Left | Stage::Awaiting(_)) {
            return;
        }
        self.stop_waiting(turn);
        self.error = None;
        self.for_organization = request.organization;
        if request.way == Way::Blocked {
            return self.fail(turn, Error::new(Code::PopupBlocked, Phase::Start));
        }
        if self.memory_only {
            // What is kept in memory is gone when the page is left: the way back would lead nowhere.
            return self.fail(turn, Error::new(Code::StorageUnavailable, Phase::Start));
        }
        self.evict(turn, records);
        self.stage = Stage::WantsMetadata(Box::new(request));
        turn.effects.push(Effect::Show);
        self.go_on_with_sign_in(turn);
    }

    pub(super) fn want_metadata(&mut self, turn: &mut Turn<'_>) {
        if self.fresh_metadata(turn.now).is_none() && !self.metadata_is_coming() {
            self.send_metadata(turn, 0);
        }
    }

    fn fresh_metadata(&self, now: UnixTime) -> Option<&Metadata> {
        self.metadata.as_ref().filter(|(_, since)| is_fresh(*since, now)).map(|(metadata, _)| metadata)
    }

    /// With the metadata: at once, if that is known.
    pub(super) fn go_on_with_sign_in(&mut self, turn: &mut Turn<'_>) {
        let Some(metadata) = self.fresh_metadata(turn.now).cloned() else { return self.want_metadata(turn) };
        match core::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::Confirming(redeemable) if redeemable.transaction.endpoints == metadata.endpoints => {
                self.redeem(turn, *redeemable);
            }
            Stage::Confirming(redeemable) => {
                self.stage = Stage::Confirming(redeemable);
                self.sign_in_failed(turn, authorization_error(Code::TransactionCorrupt));
            }
            stage => {
                self.stage = stage;
                self.depart(turn, metadata);
            }
        }
    }

    /// It is on its way, or asked for again soon.
    pub(super) fn metadata_is_coming(&self) -> bool {
        self.waiting.iter().any(|(_, waiting)| matches!(waiting, Waiting::Metadata(..)))
            || self.again.iter().any(|(_, again)| matches!(again, Again::Metadata(_)))
    }

    pub(super) fn send_metadata(&mut self, turn: &mut Turn<'_>, tries: u32) {
        let (request, waiting) = discovery::request(self.config.provider().metadata_url());
        let ticket = self.ticket(Waiting::Metadata(waiting, tries));
        turn.effects.push(Effect::Send(ticket, request));
    }

    pub(super) fn metadata_arrived(&mut self, turn: &mut Turn<'_>, metadata: Result<Metadata, Error>, tries: u32) {
        match metadata {
            Ok(metadata) => {
                self.metadata = Some((metadata.clone(), turn.now));
                self.confirm_identity(turn, &metadata.endpoints);
                self.go_on_with_sign_in(turn);
            }
            Err(error) if Self::may_pass(&error) && tries < MAX_RETRIES => self.try_again(turn, tries, Again::Metadata),
            Err(error) if self.unconfirmed => {
                self.details_failed(turn, &error);
                self.attempts.failed(turn, error);
            }
            // Nobody waits for it: the next click asks again.
            Err(error) if matches!(self.stage, Stage::WantsMetadata(_) | Stage::Confirming(_)) => {
                self.sign_in_failed(turn, error);
            }
            Err(_) => {}
        }
    }

    fn depart(&mut self, turn: &mut Turn<'_>, metadata: Metadata) {
        let request = match core::mem::replace(&mut self.stage, Stage::Idle) {
            Stage::WantsMetadata(request) => request,
            stage => {
                self.stage = stage;
                return;
            }
        };
        let fresh = match Fresh::generate(turn.entropy) {
            Ok(fresh) => fresh,
            Err(error) => return self.fail(turn, error),
        };
        let departure = Departure { request, metadata, fresh };
        #[cfg(feature = "dpop")]
        if self.config.dpop() {
            return self.make_key(turn, departure);
        }
        self.leave(turn, departure, None);
    }

    /// Makes the transaction and asks to have it kept; without that the page is not left.
    pub(super) fn leave(&mut self, turn: &mut Turn<'_>, departure: Departure, thumbprint: Option<&str>) {
        let Departure { request, metadata, fresh } = departure;
        let metadata = &metadata;
        let mut scope = self.config.scope().to_vec();
        scope.extend(request.further_scope.iter().filter(|further| !self.config.scope().contains(further)).cloned());
        let popup = request.way.popup();
        let begin = Begin {
            config: &self.config,
            metadata,
            scope,
            organization: request.organization,
            max_age: request.max_age,
            // A page that is not left need not be found again.
            return_to: request.return_to.as_deref().filter(|_| popup.is_none()),
            popup: popup.is_some(),
        };
        let (transaction, state) = Transaction::begin(begin, fresh, turn.now);
        let url = authorization::url(metadata, &transaction, &state, &request, thumbprint);
        let key = transaction.key(&self.config);
        let record = transaction.encode();
        let awaits = popup.map(|popup| Box::new(Awaiting::new(popup, &transaction, key.clone())));
        self.stage = Stage::Keeping { key: key.clone(), url, awaits };
        let ticket = self.ticket(Waiting::TransactionKept);
        turn.effects.push(Effect::Keep(ticket, key, record));
    }

    pub(super) fn transaction_kept(&mut self, turn: &mut Turn<'_>, result: Result<(), StorageFailure>) {
        let stage = core::mem::replace(&mut self.stage, Stage::Idle);
        let Stage::Keeping { url, awaits, .. } = stage else {
            self.stage = stage;
            return;
        };
        match result {
            Ok(()) => match awaits {
                Some(awaits) => self.leave_in_popup(turn, awaits, url),
                None => {
                    self.stage = Stage::Left;
                    turn.effects.push(Effect::Leave(url));
                }
            },
            Err(failure) => {
                let code = match failure {
                    StorageFailure::Full => Code::StorageFull,
                    StorageFailure::Blocked => Code::StorageUnavailable,
                };
                self.fail(turn, Error::new(code, Phase::Start));
            }
        }
    }

    pub(super) fn cancel(&mut self, turn: &mut Turn<'_>) {
        let awaited = self.stop_waiting(turn).is_some();
        #[cfg(feature = "dpop")]
        let making = matches!(self.stage, Stage::MakingKey(_));
        #[cfg(not(feature = "dpop"))]
        let making = false;
        let leaving = matches!(self.stage, Stage::WantsMetadata(_) | Stage::Keeping { .. } | Stage::Left);
        if awaited || making || leaving {
            if let Stage::Keeping { key, .. } = core::mem::replace(&mut self.stage, Stage::Idle) {
                turn.effects.push(Effect::Forget(key));
            }
            turn.effects.push(Effect::Show);
        }
    }

    /// Makes room: at most eight sign-ins are under way, the oldest give way.
    fn evict(&mut self, turn: &mut Turn<'_>, records: &Records) {
        let mut kept: Vec<_> = pending(records).map(|(key, text)| (key, transaction::created(text))).collect();
        while kept.len() >= transaction::MAX_PENDING {
            let oldest = (0..kept.len()).min_by_key(|index| kept[*index].1).unwrap_or_default();
            turn.effects.push(Effect::Forget(kept.swap_remove(oldest).0.to_owned()));
        }
    }
}

pub(super) fn pending(records: &Records) -> impl Iterator<Item = (&str, &str)> {
    records.iter().filter(|(key, _)| transaction::hash_in_key(key).is_some())
}

fn is_fresh(since: UnixTime, now: UnixTime) -> bool {
    (0..METADATA_LIFETIME).contains(&now.millis_since(since))
}
