//! JSON Web Key sets (RFC 7517): reading a provider's keys, and which of them may verify a token.

use crate::{
    base64url,
    error::{Code, Error, Phase},
    http::{HttpOutcome, HttpRequest, JsonType},
    json::{self, Object, Value},
    jws::Algorithm,
    url::EndpointUrl,
};

/// The most keys that are read from one set.
const MAX_KEYS: usize = 100;
/// The most keys that are tried on one token.
pub(crate) const MAX_ATTEMPTS: usize = 10;

/// The usable keys of a provider. A key that cannot be used is left out; it never spoils the set.
#[derive(Clone, Debug, Default)]
pub struct JwkSet(Vec<Jwk>);

#[derive(Clone, Debug)]
struct Jwk {
    kid: Option<String>,
    alg: Option<String>,
    key: PublicKey,
}

/// A public key, its numbers in base64url as the JWK had them, of a size that is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA: modulus of 2048 to 8192 bits and an odd exponent of at least 3.
    Rsa {
        /// `n`
        n: String,
        /// `e`
        e: String,
    },
    /// Elliptic curve P-256.
    P256 {
        /// `x`
        x: String,
        /// `y`
        y: String,
    },
    /// Ed25519.
    #[cfg(feature = "eddsa")]
    Ed25519 {
        /// `x`
        x: String,
    },
}

/// The answer to [`request`] that is waited for.
#[derive(Debug)]
pub struct AwaitKeys(());

/// Asks for the keys.
#[must_use]
pub fn request(jwks_uri: &EndpointUrl) -> (HttpRequest, AwaitKeys) {
    (HttpRequest::get(jwks_uri.as_str()), AwaitKeys(()))
}

impl AwaitKeys {
    /// Reads the answer (RFC 7517 5).
    ///
    /// # Errors
    /// A network or status error, or `KeysMalformed`.
    pub fn process(self, outcome: HttpOutcome) -> Result<JwkSet, Error> {
        let response = outcome.answer(Phase::Keys)?;
        JwkSet::parse(response.json(JsonType::KeySet, Phase::Keys, Code::KeysMalformed)?)
    }
}

impl JwkSet {
    /// Reads a JWK set.
    ///
    /// # Errors
    /// `KeysMalformed` if it is no object with an array `keys`, or has more than 100 members.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        let malformed = || Error::new(Code::KeysMalformed, Phase::Keys);
        let set = json::parse_object(text).map_err(|_| malformed())?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or_else(malformed)?;
        if keys.len() > MAX_KEYS {
            return Err(malformed());
        }
        Ok(Self(keys.iter().filter_map(Value::as_object).filter_map(Jwk::parse).collect()))
    }

    /// The keys that may have made a signature of this algorithm, at most ten: those of this
    /// `kid` where the token names one (exactly, as bytes), else all that fit.
    #[must_use]
    pub fn candidates(&self, algorithm: Algorithm, kid: Option<&str>) -> Vec<PublicKey> {
        self.0
            .iter()
            .filter(|jwk| kid.is_none() || jwk.kid.as_deref() == kid)
            .filter(|jwk| jwk.fits(algorithm))
            .map(|jwk| jwk.key.clone())
            .take(MAX_ATTEMPTS)
            .collect()
    }
}

impl Jwk {
    fn parse(jwk: &Object<'_>) -> Option<Self> {
        let optional = |name| match jwk.get(name) {
            None => Some(None),
            Some(Value::String(text)) => Some(Some(text.clone().into_owned())),
            Some(_) => None,
        };
        if optional("use")?.is_some_and(|usage| usage != "sig") {
            return None;
        }
        if let Some(operations) = jwk.get("key_ops") {
            let verifies = |operation: &Value<'_>| operation.as_str() == Some("verify");
            if !operations.as_array()?.iter().any(verifies) {
                return None;
            }
        }
        Some(Self { kid: optional("kid")?, alg: optional("alg")?, key: PublicKey::parse(jwk)? })
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        let by_kind = match self.key {
            PublicKey::Rsa { .. } => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
            PublicKey::P256 { .. } => algorithm == Algorithm::Es256,
            #[cfg(feature = "eddsa")]
            PublicKey::Ed25519 { .. } => algorithm == Algorithm::EdDsa,
        };
        by_kind && self.alg.as_deref().is_none_or(|alg| Algorithm::from_name(alg) == Some(algorithm))
    }
}

impl PublicKey {
    fn parse(jwk: &Object<'_>) -> Option<Self> {
        let number = |name: &str| {
            let text = jwk.str(name)?;
            Some((text.to_owned(), base64url::decode(text)?))
        };
        let coordinate = |name| number(name).filter(|(_, bytes)| bytes.len() == 32).map(|(text, _)| text);
        match (jwk.str("kty")?, jwk.str("crv")) {
            ("RSA", _) => {
                let (n, modulus) = number("n")?;
                let (e, exponent) = number("e")?;
                ((2048..=8192).contains(&bits(&modulus)?) && is_exponent(&exponent)).then_some(Self::Rsa { n, e })
            }
            ("EC", Some("P-256")) => Some(Self::P256 { x: coordinate("x")?, y: coordinate("y")? }),
            #[cfg(feature = "eddsa")]
            ("OKP", Some("Ed25519")) => Some(Self::Ed25519 { x: coordinate("x")? }),
            _ => None,
        }
    }
}

/// The length in bits of a big-endian number; `None` with a leading zero byte.
fn bits(number: &[u8]) -> Option<usize> {
    let first = *number.first()?;
    (first != 0).then(|| number.len() * 8 - first.leading_zeros() as usize)
}

/// Odd, at least 3, at most 64 bits.
fn is_exponent(number: &[u8]) -> bool {
    let odd = number.last().is_some_and(|last| last % 2 == 1);
    odd && bits(number).is_some_and(|bits| (2..=64).contains(&bits))
}
