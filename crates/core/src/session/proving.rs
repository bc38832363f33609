//! Which key proves an ID token: the keys that were fetched, those that fit, each tried once, and
//! one forced fetch where none does (OpenID Connect Core 10.1.1).

use crate::{
    error::{Code, Error, Phase},
    jwks::{self, JwkSet, PublicKey},
    jws::{SignatureCheck, SignedToken},
    time::UnixTime,
    url::EndpointUrl,
};

/// At most so many forced fetches of keys a minute.
const MAX_FORCED_KEYS: usize = 5;

/// The search for the key of one ID token.
pub(super) struct Proving {
    pub(super) jwks_uri: EndpointUrl,
    /// As they were answered, until they are looked at.
    keys: Option<Result<JwkSet, Error>>,
    /// The keys that have not been tried yet, the next one last.
    candidates: Vec<PublicKey>,
    /// Those that have: none of them is tried again, also not after a fresh fetch.
    tried: Vec<PublicKey>,
    /// What the token failed with before the keys were fetched by force.
    forced: Option<Code>,
}

/// What the search needs next.
pub(super) enum Next {
    /// This signature checked.
    Check(SignatureCheck),
    /// The keys, fetched by force.
    Fetch,
}

impl Proving {
    pub(super) fn new(jwks_uri: EndpointUrl) -> Self {
        Self { jwks_uri, keys: None, candidates: Vec::new(), tried: Vec::new(), forced: None }
    }

    pub(super) fn keys_arrived(&mut self, keys: Result<JwkSet, Error>) {
        self.keys = Some(keys);
    }

    /// Once token and keys are both there: the first attempt with these keys.
    pub(super) fn begin(
        &mut self,
        token: &SignedToken,
        forced: &mut Forced,
        now: UnixTime,
    ) -> Option<Result<Next, Error>> {
        Some(match self.keys.take()? {
            Ok(keys) => {
                let mut candidates = keys.candidates(token.algorithm(), token.kid());
                candidates.retain(|key| !self.tried.contains(key));
                candidates.truncate(jwks::MAX_ATTEMPTS - self.tried.len());
                candidates.reverse();
                self.candidates = candidates;
                self.next(token, forced, now)
            }
            // The forced fetch was a last hope: that it failed is not why the token did.
            Err(error) => Err(self.forced.map_or(error, |code| Error::new(code, Phase::IdToken))),
        })
    }

    /// The next attempt, after one that failed.
    pub(super) fn next(&mut self, token: &SignedToken, forced: &mut Forced, now: UnixTime) -> Result<Next, Error> {
        if let Some(key) = self.candidates.pop() {
            self.tried.push(key.clone());
            return token.check(key).map(Next::Check);
        }
        let failure = if self.tried.is_empty() { Code::KeyUnknown } else { Code::IdTokenSignature };
        // The provider may have changed its keys a moment ago: ask once more, however fresh they are.
        if self.forced.is_none() && forced.allow(now) {
            self.forced = Some(failure);
            return Ok(Next::Fetch);
        }
        Err(Error::new(failure, Phase::IdToken))
    }
}

/// When keys were fetched by force.
#[derive(Default)]
pub(super) struct Forced(Vec<UnixTime>);

impl Forced {
    fn allow(&mut self, now: UnixTime) -> bool {
        self.0.retain(|at| (0..60_000).contains(&now.millis_since(*at)));
        let allowed = self.0.len() < MAX_FORCED_KEYS;
        if allowed {
            self.0.push(now);
        }
        allowed
    }
}
