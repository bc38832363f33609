//! Proof of possession (RFC 9449): tokens that are of no use without a key.
//!
//! The key is in the browser's hands and its private half in nobody's: this module makes the text
//! that is to be signed, and the header out of what was signed. [`Exchange`] is the one place
//! through which every request with such a key goes: it wants a proof of its own for each time
//! that the request leaves, and says whether the answer is the last word or asks for a nonce.

use core::fmt;

use sha2::{Digest as _, Sha256};

use crate::{
    base64url,
    error::Error,
    http::{Body, Failure, HttpOutcome, HttpRequest, HttpResponse},
    json::ObjectWriter,
    pkce::{Entropy, random},
    secret::{DpopProof, ServerNonce},
    time::UnixTime,
    url::{authority, without_query},
};

/// The longest nonce of a server that is looked at.
const LONGEST_NONCE: usize = 1024;
/// Of how many servers the last nonce is remembered.
const MAX_SERVERS: usize = 16;

/// The public half of a key: a point of P-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    x: String,
    y: String,
}

impl PublicKey {
    /// Out of the uncompressed point (SEC 1, 2.3.3), which is what `WebCrypto` exports as `raw`.
    #[must_use]
    pub fn from_point(point: &[u8]) -> Option<Self> {
        let (x, y) = match point {
            [4, rest @ ..] if rest.len() == 64 => rest.split_at(32),
            _ => return None,
        };
        Some(Self { x: base64url::encode(x), y: base64url::encode(y) })
    }

    /// RFC 7638 3.2, 3.3: the required members, in their order, without white space.
    fn jwk(&self) -> String {
        let mut jwk = ObjectWriter::default();
        jwk.string("crv", "P-256").string("kty", "EC").string("x", &self.x).string("y", &self.y);
        jwk.finish()
    }

    /// The key's thumbprint (RFC 7638), for `dpop_jkt` (RFC 9449 10).
    #[must_use]
    pub fn thumbprint(&self) -> String {
        base64url::encode(&Sha256::digest(self.jwk()))
    }
}

/// A proof that waits for its signature.
pub struct Unsigned {
    signing_input: String,
}

impl Unsigned {
    /// What is to be signed with ES256.
    #[must_use]
    pub fn signing_input(&self) -> &str {
        &self.signing_input
    }

    /// The proof, out of the signature: r and s, 32 bytes each (RFC 7518 3.4). `None` if it is none.
    #[must_use]
    pub fn signed(self, signature: &[u8]) -> Option<DpopProof> {
        let proof = [&self.signing_input, ".", &base64url::encode(signature)].concat();
        (signature.len() == 64).then(|| DpopProof::new(proof))
    }
}

impl fmt::Debug for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unsigned(…)")
    }
}

/// RFC 9449 4.2: a proof for one request, at this time.
///
/// # Errors
/// `EntropyUnavailable`: no two proofs may have the same `jti`.
pub fn proof(
    key: &PublicKey,
    method: &str,
    url: &str,
    access_token: Option<&str>,
    nonces: &Nonces,
    now: UnixTime,
    entropy: &mut dyn Entropy,
) -> Result<Unsigned, Error> {
    let mut header = ObjectWriter::default();
    header.string("typ", "dpop+jwt").string("alg", "ES256").raw("jwk", &key.jwk());
    let mut claims = ObjectWriter::default();
    claims
        .string("jti", &random(entropy)?)
        .string("htm", method)
        // Without query and fragment.
        .string("htu", without_query(url))
        .raw("iat", &now.as_millis().div_euclid(1000).to_string())
        .optional("ath", access_token.map(|token| base64url::encode(&Sha256::digest(token))).as_deref())
        .optional("nonce", nonces.of(url));
    let part = |mut json: ObjectWriter| base64url::encode(json.finish().as_bytes());
    Ok(Unsigned { signing_input: [&part(header), ".", &part(claims)].concat() })
}

/// The last nonce that each server gave (RFC 9449 8.2, 9): for the next request to it.
#[derive(Default)]
pub struct Nonces(Vec<(String, ServerNonce)>);

impl Nonces {
    fn of(&self, url: &str) -> Option<&str> {
        let server = authority(url);
        self.0.iter().find(|(of, _)| of == server).map(|(_, nonce)| nonce.expose())
    }

    /// Remembers what a server gave with whatever answer. What is no nonce (RFC 9449 8.1) is not looked at.
    pub fn learn(&mut self, url: &str, nonce: Option<&str>) {
        let allowed = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        let good = |nonce: &&str| (1..=LONGEST_NONCE).contains(&nonce.len()) && nonce.bytes().all(allowed);
        let Some(nonce) = nonce.filter(good) else { return };
        let server = authority(url);
        self.0.retain(|(of, _)| of != server);
        self.0.truncate(MAX_SERVERS - 1);
        self.0.insert(0, (server.to_owned(), ServerNonce::new(nonce)));
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonces({})", self.0.len())
    }
}

/// A request with a key, from its first proof to its answer. The request is moved in, and with it the
/// code that it may hold: it leaves once, and once more only if the server refused to look at it
/// without a nonce (RFC 9449 8).
#[derive(Debug)]
pub struct Exchange {
    request: HttpRequest,
    demanded: bool,
}

impl Exchange {
    /// For this request.
    #[must_use]
    pub fn new(request: HttpRequest) -> Self {
        Self { request, demanded: false }
    }

    /// What is sent, with the next proof.
    #[must_use]
    pub fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// The proof for the next time that it leaves.
    ///
    /// # Errors
    /// As [`proof`].
    pub fn prove(
        &self,
        key: &PublicKey,
        nonces: &Nonces,
        now: UnixTime,
        entropy: &mut dyn Entropy,
    ) -> Result<Unsigned, Error> {
        let HttpRequest { url, bearer, body, key: _ } = &self.request;
        let method = match body {
            None => "GET",
            Some(Body::Form(_) | Body::Json(_)) => "POST",
        };
        let token = bearer.as_ref().map(crate::secret::Secret::expose);
        proof(key, method, url, token, nonces, now, entropy)
    }

    /// Takes the answer. `None`: it leaves once more, with the nonce that was demanded. A second demand, or one
    /// whose nonce cannot be read, ends it.
    pub fn answered(&mut self, outcome: HttpOutcome, nonces: &mut Nonces) -> Option<HttpOutcome> {
        if let HttpOutcome::Answered(response) = &outcome {
            let nonce = response.dpop.nonce.as_deref();
            nonces.learn(&self.request.url, nonce);
            if demands_nonce(response) {
                let again = nonce.is_some() && !core::mem::replace(&mut self.demanded, true);
                return (!again).then_some(HttpOutcome::NotSent(Failure::NonceDemanded));
            }
        }
        Some(outcome)
    }
}

/// Whether a server refused a request for the lack of a nonce (RFC 9449 8, 9). It has not looked at what
/// the request holds, so it may leave again.
fn demands_nonce(response: &HttpResponse) -> bool {
    const DEMAND: &str = "use_dpop_nonce";
    let challenge = response.dpop.challenge.as_deref();
    let in_challenge = || challenge.is_some_and(|challenge| challenge.contains(DEMAND));
    let in_body = || response.oauth_error().is_some_and(|error| error == DEMAND);
    matches!(response.status, 400 | 401) && (in_challenge() || in_body())
}
