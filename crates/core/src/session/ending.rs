//! Signing out: here first and always, then at the provider where that is possible
//! (RFC 7009, OpenID Connect RP-Initiated Logout 1.0).

use crate::{
    callback::Callback,
    error::{Code, Error, Phase},
    form,
    http::{HttpOutcome, HttpRequest},
    json::{self, ObjectWriter},
    pkce::{random, short_hash},
    secret::{AuthorizationUrl, RecordText},
    snapshot::SignedOut,
    time::UnixTime,
    transaction,
};

use super::{Effect, Records, Session, Turn, Waiting, identity::Identity};

/// How long revocation may hold up the rest, in milliseconds.
const REVOCATION_WAIT: i64 = 2_000;
/// How long the way to the provider's sign-out and back may take.
const LIFETIME: i64 = 3_600_000;
/// A longer address goes without the hint, which is the long part of it.
const LONGEST_ADDRESS: usize = 2_048;

/// What is still to be done at the provider.
pub(super) struct Ending {
    /// Revocations that have not been sent yet, the next one last.
    revocations: Vec<HttpRequest>,
    pub(super) until: UnixTime,
    /// Where to leave for afterwards.
    leave: Option<AuthorizationUrl>,
    failed: Option<Error>,
    revokes: bool,
}

impl Ending {
    pub(super) fn until(&self) -> UnixTime {
        self.until
    }

    /// The page is about to be left.
    pub(super) fn leaves(&self) -> bool {
        self.leave.is_some()
    }
}

impl Session {
    /// Removes everything of the session before anything is sent.
    pub(super) fn sign_out(&mut self, turn: &mut Turn<'_>, records: &Records) {
        self.tell_ended(turn, true);
        let identity = self.identity.take();
        self.forget_session(turn);
        #[cfg(feature = "dpop")]
        turn.effects.extend(identity.as_ref().and_then(|identity| identity.key.clone()).map(Effect::DropKey));
        self.abandon(turn);
        self.error = None;
        let namespace = self.config.namespace();
        let ours =
            records.iter().filter(|(key, _)| key.starts_with(&namespace) && transaction::hash_in_key(key).is_some());
        turn.effects.extend(ours.map(|(key, _)| Effect::Forget(key.to_owned())));
        self.signed_out = Some(SignedOut::Here);
        if let Some(identity) = identity.filter(|_| !self.unconfirmed) {
            self.sign_out_there(turn, &identity);
        }
        turn.effects.push(Effect::Show);
    }

    fn sign_out_there(&mut self, turn: &mut Turn<'_>, identity: &Identity) {
        let mut revocations = Vec::new();
        if let Some(endpoint) = &identity.endpoints.revocation {
            // RFC 7009 2.1. The refresh token goes first: the last one of the list is the next.
            let request = |token: &str, hint| {
                let client_id = self.config.client_id();
                HttpRequest::form(
                    endpoint.as_str(),
                    &[("token", token), ("token_type_hint", hint), ("client_id", client_id)],
                )
            };
            revocations.push(request(identity.access_token.expose(), "access_token"));
            revocations.extend(identity.refresh_token.as_ref().map(|token| request(token.expose(), "refresh_token")));
        }
        let leave = self.end_session_url(turn, identity);
        if revocations.is_empty() && leave.is_none() {
            return;
        }
        let until = UnixTime::from_millis(turn.now.as_millis() + REVOCATION_WAIT);
        let revokes = !revocations.is_empty();
        self.ending = Some(Ending { revocations, until, leave, failed: None, revokes });
        self.revoke_next(turn);
    }

    fn revoke_next(&mut self, turn: &mut Turn<'_>) {
        let Some(ending) = &mut self.ending else { return };
        match ending.revocations.pop() {
            Some(request) => {
                let ticket = self.ticket(Waiting::Revoked);
                turn.effects.push(Effect::Send(ticket, request));
            }
            None => self.sign_out_is_over(turn),
        }
    }

    /// RFC 7009 2.2: 200 whatever the token was; the body means nothing.
    pub(super) fn revoked(&mut self, turn: &mut Turn<'_>, outcome: HttpOutcome) {
        let Some(ending) = &mut self.ending else { return };
        let result = outcome.answer(Phase::SignOut).and_then(|response| match response.status {
            200 => Ok(()),
            _ => Err(response.status_error(Phase::SignOut)),
        });
        if let Err(error) = result {
            ending.failed = Some(error);
        }
        self.revoke_next(turn);
    }

    /// All was tried, or it took too long: what is left is the way to the provider's own page.
    pub(super) fn sign_out_is_over(&mut self, turn: &mut Turn<'_>) {
        let Some(ending) = self.ending.take() else { return };
        let late = self.waiting.iter().any(|(_, waiting)| matches!(waiting, Waiting::Revoked));
        self.waiting.retain(|(_, waiting)| !matches!(waiting, Waiting::Revoked));
        let failed = ending.failed.or_else(|| late.then(|| Error::new(Code::Timeout, Phase::SignOut)));
        self.signed_out = Some(match failed {
            Some(error) => SignedOut::NotRevoked(error),
            None if ending.revokes => SignedOut::Revoked,
            None => SignedOut::Here,
        });
        turn.effects.extend(ending.leave.map(Effect::Leave));
        turn.effects.push(Effect::Show);
    }

    /// RP-Initiated Logout 2: the provider's own sign-out, and the way back from it.
    fn end_session_url(&mut self, turn: &mut Turn<'_>, identity: &Identity) -> Option<AuthorizationUrl> {
        let endpoint = identity.endpoints.end_session.as_ref().filter(|_| self.config.rp_initiated_logout())?;
        let state = random(turn.entropy).ok()?;
        let mut record = ObjectWriter::default();
        record.string("state_hash", &short_hash(&state)).raw("created", &turn.now.as_millis().to_string());
        let ticket = self.ticket(Waiting::MarkKept(self.config.sign_out_key()));
        turn.effects.push(Effect::Keep(ticket, self.config.sign_out_key(), RecordText::new(record.finish())));
        let parameters = |hint: Option<&str>| {
            let redirect_uri = self.config.redirect_uri().as_str();
            let mut pairs = vec![
                ("client_id", self.config.client_id()),
                ("post_logout_redirect_uri", redirect_uri),
                ("state", state.as_str()),
            ];
            pairs.extend(hint.map(|hint| ("id_token_hint", hint)));
            let separator = if endpoint.query().is_some() { "&" } else { "?" };
            [endpoint.as_str(), separator, &form::encode_pairs(&pairs)].concat()
        };
        let url = parameters(Some(identity.id_token.expose()));
        let url = if url.len() > LONGEST_ADDRESS { parameters(None) } else { url };
        Some(AuthorizationUrl::new(url))
    }

    /// RP-Initiated Logout 3. Whoever comes back without a code while a sign-out is under way comes
    /// back from that, whatever the `state` says: it is signed out here in any case, and no sign-in
    /// is touched. Says whether it was so.
    pub(super) fn back_from_sign_out(&mut self, turn: &mut Turn<'_>, callback: &Callback, records: &Records) -> bool {
        let key = self.config.sign_out_key();
        let Some(text) = records.get(&key) else { return false };
        if let Callback::Response(_) = callback {
            return false;
        }
        turn.effects.push(Effect::Forget(key));
        let record = json::parse_object(text.as_bytes()).unwrap_or_default();
        let created = transaction::created(text).map(|created| turn.now.millis_since(created));
        if !created.is_some_and(|age| (0..=LIFETIME).contains(&age)) || self.identity.is_some() {
            return false;
        }
        let ours = matches!(callback, Callback::Malformed(state)
            if record.str("state_hash") == Some(short_hash(state.expose()).as_str()));
        self.signed_out = Some(if ours { SignedOut::Everywhere } else { SignedOut::Here });
        true
    }
}
