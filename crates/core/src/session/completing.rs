//! From a code to a session: tokens and keys side by side, the signature, the claims.

use crate::{
    error::{Code, Error, Phase},
    id_token::{self, Expected},
    jwks::{self, JwkSet, PublicKey},
    jws::{SignatureOutcome, SignatureVerified, SignedToken},
    secret::IdTokenText,
    time::UnixTime,
    token::{Redeemable, TokenResponse, code_request},
    transaction::Transaction,
    url::EndpointUrl,
};

use super::{Again, Effect, MAX_RETRIES, Session, Turn, Waiting, identity::Identity, sign_in::Stage};

/// At most so many forced fetches of keys a minute.
const MAX_FORCED_KEYS: usize = 5;

/// A sign-in that waits for tokens, keys and the signature.
pub(super) struct Completing {
    key: String,
    jwks_uri: EndpointUrl,
    exchanged: Option<Exchanged>,
    keys: Option<Result<JwkSet, Error>>,
    /// The keys that have not been tried yet, the next one last.
    candidates: Vec<PublicKey>,
    /// Those that have: none of them is tried again, also not after a fresh fetch.
    tried: Vec<PublicKey>,
    /// What the sign-in failed with before the keys were fetched by force.
    forced: Option<Code>,
}

struct Exchanged {
    tokens: TokenResponse,
    id_token: SignedToken,
    transaction: Transaction,
}

impl Session {
    pub(super) fn redeem(&mut self, turn: &mut Turn<'_>, redeemable: Redeemable) {
        let key = redeemable.transaction.key(&self.config);
        let jwks_uri = redeemable.transaction.endpoints.jwks.clone();
        let (request, waiting) = code_request(redeemable);
        let ticket = self.ticket(Waiting::Tokens(Box::new(waiting)));
        turn.effects.push(Effect::Send(ticket, request));
        let completing = Completing {
            key,
            jwks_uri,
            exchanged: None,
            keys: None,
            candidates: Vec::new(),
            tried: Vec::new(),
            forced: None,
        };
        self.stage = Stage::Completing(Box::new(completing));
        // Beside the token request, not after it.
        self.send_keys(turn, 0);
    }

    pub(super) fn send_keys(&mut self, turn: &mut Turn<'_>, tries: u32) {
        let Stage::Completing(completing) = &self.stage else { return };
        let (request, waiting) = jwks::request(&completing.jwks_uri);
        let ticket = self.ticket(Waiting::Keys(waiting, tries));
        turn.effects.push(Effect::Send(ticket, request));
    }

    pub(super) fn tokens_arrived(
        &mut self,
        turn: &mut Turn<'_>,
        answer: Result<(TokenResponse, IdTokenText, Transaction), Error>,
    ) {
        let algorithms = self.config.algorithms();
        let exchanged = answer.and_then(|(tokens, id_token, transaction)| {
            let id_token = SignedToken::parse(id_token, algorithms)?;
            Ok(Exchanged { tokens, id_token, transaction })
        });
        match (exchanged, &mut self.stage) {
            (Ok(exchanged), Stage::Completing(completing)) => {
                completing.exchanged = Some(exchanged);
                self.tokens_and_keys(turn);
            }
            (Ok(_), _) => {}
            (Err(error), _) => self.sign_in_failed(turn, error),
        }
    }

    pub(super) fn keys_arrived(&mut self, turn: &mut Turn<'_>, keys: Result<JwkSet, Error>, tries: u32) {
        let Stage::Completing(completing) = &mut self.stage else { return };
        match keys {
            Err(error) if Self::may_pass(&error) && tries < MAX_RETRIES => self.try_again(turn, tries, Again::Keys),
            keys => {
                completing.keys = Some(keys);
                self.tokens_and_keys(turn);
            }
        }
    }

    /// Once both are there: which keys to try.
    fn tokens_and_keys(&mut self, turn: &mut Turn<'_>) {
        let Stage::Completing(completing) = &mut self.stage else { return };
        let (Some(exchanged), Some(keys)) = (&completing.exchanged, &completing.keys) else { return };
        match keys {
            Ok(keys) => {
                let mut candidates = keys.candidates(exchanged.id_token.algorithm(), exchanged.id_token.kid());
                candidates.retain(|key| !completing.tried.contains(key));
                candidates.truncate(jwks::MAX_ATTEMPTS - completing.tried.len());
                candidates.reverse();
                completing.candidates = candidates;
                self.next_key(turn);
            }
            Err(error) => {
                // The forced fetch was a last hope: that it failed is not why the sign-in did.
                let error = completing.forced.map_or_else(|| error.clone(), |code| Error::new(code, Phase::IdToken));
                self.sign_in_failed(turn, error);
            }
        }
    }

    fn next_key(&mut self, turn: &mut Turn<'_>) {
        let Stage::Completing(completing) = &mut self.stage else { return };
        let Some(exchanged) = &completing.exchanged else { return };
        if let Some(key) = completing.candidates.pop() {
            completing.tried.push(key.clone());
            match exchanged.id_token.check(key) {
                Ok(check) => {
                    let ticket = self.ticket(Waiting::Signature);
                    turn.effects.push(Effect::Verify(ticket, check));
                }
                Err(error) => self.sign_in_failed(turn, error),
            }
            return;
        }
        let failure = if completing.tried.is_empty() { Code::KeyUnknown } else { Code::IdTokenSignature };
        // The provider may have changed its keys a moment ago: ask once more, however fresh they are.
        if completing.forced.is_none() && allow_forced(&mut self.forced_keys, turn.now) {
            completing.forced = Some(failure);
            completing.keys = None;
            self.send_keys(turn, MAX_RETRIES);
        } else {
            self.sign_in_failed(turn, Error::new(failure, Phase::IdToken));
        }
    }

    pub(super) fn signature_checked(&mut self, turn: &mut Turn<'_>, outcome: SignatureOutcome) {
        match outcome.into_proof() {
            None => self.next_key(turn),
            Some(proof) => self.complete(turn, &proof),
        }
    }

    /// The last check, and the only way in.
    fn complete(&mut self, turn: &mut Turn<'_>, proof: &SignatureVerified) {
        let Stage::Completing(completing) = &mut self.stage else { return };
        let Some(Exchanged { tokens, id_token, transaction }) = completing.exchanged.take() else { return };
        let expected = Expected {
            issuer: &transaction.issuer,
            client_id: &transaction.client_id,
            trusted_audiences: self.config.trusted_audiences(),
            nonce: &transaction.nonce,
            access_token: &tokens.access_token,
            subject: None,
            max_age: transaction.max_age,
            acr: None,
        };
        match id_token::validate(id_token, proof, &expected, turn.now) {
            Err(error) => self.sign_in_failed(turn, error),
            Ok(verified) => {
                let key = core::mem::take(&mut completing.key);
                turn.effects.push(Effect::Forget(key));
                self.stage = Stage::Idle;
                let return_to = transaction.return_to.clone();
                // Whoever was signed in before is gone before the new one can be seen.
                self.drop_tickets();
                self.signed_out = false;
                self.enter(turn, Identity::new(&verified, tokens, transaction, turn.now));
                turn.effects.extend(return_to.map(Effect::Return));
            }
        }
    }

    pub(super) fn sign_in_failed(&mut self, turn: &mut Turn<'_>, error: Error) {
        self.abandon(turn);
        self.fail(turn, error);
    }

    /// Ends what is being completed: its record and its open tickets go.
    pub(super) fn abandon(&mut self, turn: &mut Turn<'_>) {
        turn.effects.extend(self.completing_key().map(Effect::Forget));
        self.stage = Stage::Idle;
        self.waiting
            .retain(|(_, waiting)| !matches!(waiting, Waiting::Tokens(_) | Waiting::Keys(..) | Waiting::Signature));
        self.again = None;
    }

    /// The key of the sign-in that is being completed.
    pub(super) fn completing_key(&self) -> Option<String> {
        match &self.stage {
            Stage::Completing(completing) => Some(completing.key.clone()),
            Stage::Confirming(redeemable) => Some(redeemable.transaction.key(&self.config)),
            _ => None,
        }
    }
}

fn allow_forced(forced: &mut Vec<UnixTime>, now: UnixTime) -> bool {
    forced.retain(|at| (0..60_000).contains(&now.millis_since(*at)));
    let allowed = forced.len() < MAX_FORCED_KEYS;
    if allowed {
        forced.push(now);
    }
    allowed
}
