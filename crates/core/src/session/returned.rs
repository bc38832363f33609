//! The way back: an address that is a response, the sign-in that it belongs to, and everything
//! that is checked before the code goes anywhere.

use crate::{
    callback::{self, Callback, Response},
    discovery::Endpoints,
    error::{Code, Error, Phase, ProviderError},
    token::Redeemable,
    transaction::{self, Status, Transaction},
};

use super::{
    Effect, Records, Session, Turn, Waiting,
    sign_in::{Stage, pending},
};

impl Session {
    pub(super) fn opened(&mut self, turn: &mut Turn<'_>, url: &str, records: &Records, framed: bool) {
        let callback = callback::parse(url, self.config.redirect_uri());
        if !matches!(callback, Callback::None) {
            // The first effect, whatever comes of it.
            turn.effects.push(Effect::Scrub(callback::scrub(url)));
            if framed {
                self.inert = true;
                turn.effects.push(Effect::Show);
                return;
            }
        }
        self.restore(turn, records);
        if self.back_from_sign_out(turn, &callback, records) {
            self.clear_old(turn, records);
            turn.effects.push(Effect::Show);
            return;
        }
        match callback {
            Callback::None => self.find_interrupted(turn, records),
            Callback::Foreign => self.belongs_to_nobody(),
            Callback::Malformed(state) => match find(records, &transaction::state_hash(&state)) {
                Some((key, _)) => self.refuse_callback(turn, key, Code::CallbackMalformed),
                None => self.belongs_to_nobody(),
            },
            Callback::Response(response) => self.returned(turn, url, response, records, false),
        }
        self.clear_old(turn, records);
        turn.effects.push(Effect::Show);
    }

    /// A sign-in that was cut off while its code was being exchanged, by a reload.
    fn find_interrupted(&mut self, turn: &mut Turn<'_>, records: &Records) {
        let namespace = self.config.namespace();
        let cut_off = records.iter().filter(|(key, text)| {
            let hash = transaction::hash_in_key(key).filter(|_| key.starts_with(&namespace));
            let transaction = hash.and_then(|hash| Transaction::decode(text, hash, &self.config));
            transaction.is_some_and(|transaction| transaction.status == Status::Redeeming)
        });
        let keys: Vec<&str> = cut_off.map(|(key, _)| key).collect();
        for key in keys {
            self.refuse_callback(turn, key, Code::CallbackInterrupted);
        }
    }

    pub(super) fn interrupted(&mut self, turn: &mut Turn<'_>) {
        self.sign_in_failed(turn, authorization_error(Code::CallbackInterrupted));
    }

    /// A response that no sign-in here waits for. Somebody who is signed in need not hear of it.
    fn belongs_to_nobody(&mut self) {
        if self.identity.is_none() && matches!(self.stage, Stage::Idle) {
            self.error = Some(authorization_error(Code::CallbackUnknown));
        }
    }

    pub(super) fn refuse_callback(&mut self, turn: &mut Turn<'_>, key: &str, code: Code) {
        turn.effects.push(Effect::Forget(key.to_owned()));
        self.error = Some(authorization_error(code));
    }

    /// RFC 6749 4.1.2, RFC 9207 2.4: everything that is checked before the code goes anywhere. A response is
    /// relayed if a window brought it to this page, which waits for it.
    pub(super) fn returned(
        &mut self,
        turn: &mut Turn<'_>,
        url: &str,
        response: Response,
        records: &Records,
        relayed: bool,
    ) {
        let hash = transaction::state_hash(&response.state);
        let Some((key, text)) = find(records, &hash) else { return self.belongs_to_nobody() };
        if self.completing_key().as_deref() == Some(key) {
            return;
        }
        if !key.starts_with(&self.config.namespace()) {
            return self.refuse_callback(turn, key, Code::ProviderChanged);
        }
        let Some(mut transaction) = Transaction::decode(text, &hash, &self.config) else {
            return self.refuse_callback(turn, key, Code::TransactionCorrupt);
        };
        if transaction.popup && !relayed {
            // The page that waits for it may still get it.
            return self.belongs_to_nobody();
        }
        if transaction.status == Status::Redeeming {
            return self.refuse_callback(turn, key, Code::CallbackInterrupted);
        }
        if transaction.is_expired(turn.now) {
            return self.refuse_callback(turn, key, Code::TransactionExpired);
        }
        self.for_organization = transaction.organization;
        if !callback::is_at(url, &transaction.redirect_uri) {
            self.error = Some(authorization_error(Code::RedirectMismatch));
            return;
        }
        match &response.iss {
            Some(iss) if *iss != transaction.issuer => {
                return self.refuse_callback(turn, key, Code::IssuerParameterMismatch);
            }
            None if transaction.iss_parameter => return self.refuse_callback(turn, key, Code::IssuerParameterMissing),
            _ => {}
        }
        let code = match response.result {
            Ok(code) => code,
            Err(said) => {
                turn.effects.push(Effect::Forget(key.to_owned()));
                self.error = Some(refusal(said));
                return;
            }
        };
        // Whatever was being completed on this page before gives way: no answer may reach the wrong one.
        self.abandon(turn);
        // From here on a reload finds the mark, and sends nothing a second time.
        transaction.status = Status::Redeeming;
        let record = transaction.encode();
        let ticket = self.ticket(Waiting::MarkKept(key.to_owned()));
        turn.effects.push(Effect::Keep(ticket, key.to_owned(), record));
        self.error = None;
        let redeemable = Redeemable { code, transaction };
        if self.vouches_for(&redeemable.transaction.endpoints) {
            self.redeem(turn, redeemable);
        } else {
            self.stage = Stage::Confirming(Box::new(redeemable));
            // A page that has been here for a while may know the metadata already.
            self.go_on_with_sign_in(turn);
        }
    }

    /// Whether every kept endpoint is on a host of the configured provider. A storage can be
    /// edited: what it says of other hosts is believed only if the metadata says it too.
    pub(super) fn vouches_for(&self, endpoints: &Endpoints) -> bool {
        let metadata_url = self.config.provider().metadata_url();
        endpoints.iter().all(|url| url.shares_authority(metadata_url))
    }

    /// Removes what is too old of this namespace, but for the sign-in that is being completed.
    fn clear_old(&mut self, turn: &mut Turn<'_>, records: &Records) {
        let current = self.completing_key();
        for (key, text) in pending(records) {
            if transaction::is_old(text, turn.now) && current.as_deref() != Some(key) {
                turn.effects.push(Effect::Forget(key.to_owned()));
            }
        }
    }
}

/// The record of a sign-in, of whatever provider, with its key.
fn find<'a>(records: &'a Records, hash: &str) -> Option<(&'a str, &'a str)> {
    records.iter().find(|(key, _)| transaction::hash_in_key(key) == Some(hash))
}

pub(super) fn authorization_error(code: Code) -> Error {
    Error::new(code, Phase::Authorization)
}

/// RFC 6749 4.1.2.1 and Core 3.1.2.6: what the provider sent in place of a code.
fn refusal(said: ProviderError) -> Error {
    let code = match said.error() {
        "access_denied" => Code::AccessDenied,
        "login_required" => Code::LoginRequired,
        "interaction_required" => Code::InteractionRequired,
        "consent_required" => Code::ConsentRequired,
        "account_selection_required" => Code::AccountSelectionRequired,
        "temporarily_unavailable" => Code::TemporarilyUnavailable,
        "server_error" => Code::ServerError,
        _ => Code::AuthorizationFailed,
    };
    authorization_error(code).said(said)
}
