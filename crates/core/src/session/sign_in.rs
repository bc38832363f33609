//! A sign-in: out to the provider, back with a code, and through every check.

use crate::{
    authorization::{self, SignIn},
    callback::{self, Callback, Response},
    discovery::{self, Endpoints, Metadata},
    error::{Code, Error, Phase, ProviderError},
    id_token::{self, Expected},
    jwks::{self, JwkSet, PublicKey},
    jws::{SignatureOutcome, SignatureVerified, SignedToken},
    pkce::Fresh,
    secret::{AuthorizationUrl, IdTokenText},
    time::UnixTime,
    token::{Redeemable, TokenResponse, code_request},
    transaction::{self, Begin, Status, Transaction},
    url::EndpointUrl,
};

use super::{
    Again, Effect, MAX_RETRIES, METADATA_LIFETIME, Records, Session, StorageFailure, Turn, Waiting, identity::Identity,
};

/// At most so many forced fetches of keys a minute.
const MAX_FORCED_KEYS: usize = 5;

/// How far a sign-in has come on this page.
pub(super) enum Stage {
    Idle,
    /// The person waits for the metadata, then leaves.
    WantsMetadata(Box<SignIn>),
    /// The transaction is being kept; only then may the page be left.
    Keeping {
        key: String,
        url: AuthorizationUrl,
    },
    /// The browser is on its way to the provider.
    Left,
    /// The kept endpoints are on hosts that only the metadata can vouch for.
    Confirming(Box<Redeemable>),
    /// The code has been sent.
    Completing(Box<Completing>),
}

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
    pub(super) fn opened(&mut self, turn: &mut Turn<'_>, url: &str, records: &Records, framed: bool) {
        let callback = callback::parse(url, self.config.redirect_uri());
        if !matches!(callback, Callback::None) {
            // The first effect, whatever comes of it.
            turn.effects.push(Effect::Scrub(callback::scrub(url)));
            if framed {
                self.inert = true;
                return;
            }
        }
        self.restore(turn, records);
        match callback {
            Callback::None => {}
            Callback::Foreign => self.belongs_to_nobody(),
            Callback::Malformed(state) => match find(records, &transaction::state_hash(&state)) {
                Some((key, _)) => self.refuse_callback(turn, key, Code::CallbackMalformed),
                None => self.belongs_to_nobody(),
            },
            Callback::Response(response) => self.returned(turn, url, response, records),
        }
        self.clear_old(turn, records);
        turn.effects.push(Effect::Show);
    }

    /// A response that no sign-in here waits for. Somebody who is signed in need not hear of it.
    fn belongs_to_nobody(&mut self) {
        if self.identity.is_none() && matches!(self.stage, Stage::Idle) {
            self.error = Some(authorization_error(Code::CallbackUnknown));
        }
    }

    fn refuse_callback(&mut self, turn: &mut Turn<'_>, key: &str, code: Code) {
        turn.effects.push(Effect::Forget(key.to_owned()));
        self.error = Some(authorization_error(code));
    }

    /// RFC 6749 4.1.2, RFC 9207 2.4: everything that is checked before the code goes anywhere.
    fn returned(&mut self, turn: &mut Turn<'_>, url: &str, response: Response, records: &Records) {
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
        if transaction.status == Status::Redeeming {
            return self.refuse_callback(turn, key, Code::CallbackInterrupted);
        }
        if transaction.is_expired(turn.now) {
            return self.refuse_callback(turn, key, Code::TransactionExpired);
        }
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
            self.want_metadata(turn);
        }
    }

    /// Whether every kept endpoint is on a host of the configured provider. A storage can be
    /// edited: what it says of other hosts is believed only if the metadata says it too.
    pub(super) fn vouches_for(&self, endpoints: &Endpoints) -> bool {
        let metadata_origin = self.config.provider().metadata_url().origin();
        let ours = |url: &EndpointUrl| url.origin() == metadata_origin;
        ours(&endpoints.token) && ours(&endpoints.jwks) && endpoints.userinfo.as_ref().is_none_or(ours)
    }

    fn redeem(&mut self, turn: &mut Turn<'_>, redeemable: Redeemable) {
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

    fn sign_in_failed(&mut self, turn: &mut Turn<'_>, error: Error) {
        self.abandon(turn);
        self.fail(turn, error);
    }

    /// Ends what is being completed: its record and its open tickets go.
    fn abandon(&mut self, turn: &mut Turn<'_>) {
        turn.effects.extend(self.completing_key().map(Effect::Forget));
        self.stage = Stage::Idle;
        self.waiting
            .retain(|(_, waiting)| !matches!(waiting, Waiting::Tokens(_) | Waiting::Keys(..) | Waiting::Signature));
        self.again = None;
    }

    /// The key of the sign-in that is being completed.
    fn completing_key(&self) -> Option<String> {
        match &self.stage {
            Stage::Completing(completing) => Some(completing.key.clone()),
            Stage::Confirming(redeemable) => Some(redeemable.transaction.key(&self.config)),
            _ => None,
        }
    }

    // The way out.

    pub(super) fn begin(&mut self, turn: &mut Turn<'_>, request: SignIn, records: &Records) {
        if !matches!(self.stage, Stage::Idle | Stage::Left) {
            return;
        }
        self.error = None;
        if self.memory_only {
            // What is kept in memory is gone when the page is left: the way back would lead nowhere.
            return self.fail(turn, Error::new(Code::StorageUnavailable, Phase::Start));
        }
        self.evict(turn, records);
        self.stage = Stage::WantsMetadata(Box::new(request));
        turn.effects.push(Effect::Show);
        match &self.metadata {
            Some((metadata, since)) if is_fresh(*since, turn.now) => {
                let metadata = metadata.clone();
                self.leave(turn, &metadata);
            }
            _ => self.want_metadata(turn),
        }
    }

    pub(super) fn want_metadata(&mut self, turn: &mut Turn<'_>) {
        let fresh = self.metadata.as_ref().is_some_and(|(_, since)| is_fresh(*since, turn.now));
        let on_its_way = self.waiting.iter().any(|(_, waiting)| matches!(waiting, Waiting::Metadata(..)));
        if !fresh && !on_its_way && !matches!(self.again, Some((_, Again::Metadata(_)))) {
            self.send_metadata(turn, 0);
        }
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
                        self.leave(turn, &metadata);
                    }
                }
            }
            Err(error) if Self::may_pass(&error) && tries < MAX_RETRIES => self.try_again(turn, tries, Again::Metadata),
            Err(error) if self.unconfirmed => self.details_failed(turn, &error),
            // Nobody waits for it: the next click asks again.
            Err(error) if matches!(self.stage, Stage::WantsMetadata(_) | Stage::Confirming(_)) => {
                self.sign_in_failed(turn, error);
            }
            Err(_) => {}
        }
    }

    /// Makes the transaction and asks to have it kept; without that the page is not left.
    fn leave(&mut self, turn: &mut Turn<'_>, metadata: &Metadata) {
        let Stage::WantsMetadata(request) = &self.stage else { return };
        let fresh = match Fresh::generate(turn.entropy) {
            Ok(fresh) => fresh,
            Err(error) => return self.fail(turn, error),
        };
        let mut scope = self.config.scope().to_vec();
        scope.extend(request.further_scope.iter().filter(|further| !self.config.scope().contains(further)).cloned());
        let begin = Begin {
            config: &self.config,
            metadata,
            scope,
            organization: request.organization,
            max_age: request.max_age,
            return_to: request.return_to.as_deref(),
        };
        let (transaction, state) = Transaction::begin(begin, fresh, turn.now);
        let url = authorization::url(metadata, &transaction, &state, request);
        let key = transaction.key(&self.config);
        let record = transaction.encode();
        self.stage = Stage::Keeping { key: key.clone(), url };
        let ticket = self.ticket(Waiting::TransactionKept);
        turn.effects.push(Effect::Keep(ticket, key, record));
    }

    pub(super) fn transaction_kept(&mut self, turn: &mut Turn<'_>, result: Result<(), StorageFailure>) {
        let stage = core::mem::replace(&mut self.stage, Stage::Idle);
        let Stage::Keeping { url, .. } = stage else {
            self.stage = stage;
            return;
        };
        match result {
            Ok(()) => {
                self.stage = Stage::Left;
                turn.effects.push(Effect::Leave(url));
            }
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
        if let Stage::WantsMetadata(_) | Stage::Keeping { .. } | Stage::Left = self.stage {
            if let Stage::Keeping { key, .. } = core::mem::replace(&mut self.stage, Stage::Idle) {
                turn.effects.push(Effect::Forget(key));
            }
            turn.effects.push(Effect::Show);
        }
    }

    /// Removes what is too old of this namespace, but for the sign-in that is being completed.
    fn clear_old(&mut self, turn: &mut Turn<'_>, records: &Records) {
        let current = self.completing_key();
        for (key, created) in pending(records) {
            let age = created.map_or(i64::MAX, |created| turn.now.millis_since(created));
            if !(-transaction::LIFETIME..=transaction::LIFETIME).contains(&age) && current.as_deref() != Some(key) {
                turn.effects.push(Effect::Forget(key.to_owned()));
            }
        }
    }

    /// Makes room: at most eight sign-ins are under way, the oldest give way.
    fn evict(&mut self, turn: &mut Turn<'_>, records: &Records) {
        let mut kept: Vec<_> = pending(records).collect();
        while kept.len() >= transaction::MAX_PENDING {
            let oldest = (0..kept.len()).min_by_key(|index| kept[*index].1).unwrap_or_default();
            turn.effects.push(Effect::Forget(kept.swap_remove(oldest).0.to_owned()));
        }
    }
}

/// The record of a sign-in, of whatever provider, with its key.
fn find<'a>(records: &'a Records, hash: &str) -> Option<(&'a str, &'a str)> {
    records.iter().find(|(key, _)| transaction::hash_in_key(key) == Some(hash))
}

fn pending(records: &Records) -> impl Iterator<Item = (&str, Option<UnixTime>)> {
    let transactions = records.iter().filter(|(key, _)| transaction::hash_in_key(key).is_some());
    transactions.map(|(key, text)| (key, transaction::created(text)))
}

fn is_fresh(since: UnixTime, now: UnixTime) -> bool {
    (0..METADATA_LIFETIME).contains(&now.millis_since(since))
}

fn allow_forced(forced: &mut Vec<UnixTime>, now: UnixTime) -> bool {
    forced.retain(|at| (0..60_000).contains(&now.millis_since(*at)));
    let allowed = forced.len() < MAX_FORCED_KEYS;
    if allowed {
        forced.push(now);
    }
    allowed
}

fn authorization_error(code: Code) -> Error {
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
