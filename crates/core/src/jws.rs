//! JSON Web Signature, compact form (RFC 7515), as ID tokens use it: the strict reading of a
//! signed token, and the check of its signature as data for whoever can compute it.

use core::fmt;

use crate::{
    base64url,
    error::{Code, Error, Phase},
    json::{self, Value},
    jwks::PublicKey,
    secret::IdTokenText,
};

/// The largest token that is read.
const MAX_BYTES: usize = 64 * 1024;

/// The signature algorithms that can be allowed (RFC 7518 3.1, RFC 8037). There is no `none` and
/// no HS*: a public client shares no key with the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// Ed25519. Behind the feature `eddsa`, for the three kilobytes of SHA-512 that its `at_hash` needs.
    #[cfg(feature = "eddsa")]
    EdDsa,
}

impl Algorithm {
    /// The algorithm of this name, exactly.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            "PS256" => Some(Self::Ps256),
            #[cfg(feature = "eddsa")]
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }
}

/// A signed token, read but not believed.
pub struct SignedToken {
    text: IdTokenText,
    algorithm: Algorithm,
    kid: Option<String>,
    payload: Vec<u8>,
    signature: Vec<u8>,
    signing_input_end: usize,
}

/// One attempt to verify: what was signed, with which key, and the signature.
pub struct SignatureCheck {
    /// The algorithm, from the token's header and the allow-list.
    pub algorithm: Algorithm,
    /// The key to try.
    pub key: PublicKey,
    /// Header and payload as they were signed (RFC 7515 5.1): ASCII.
    pub signing_input: Box<str>,
    /// The signature.
    pub signature: Vec<u8>,
}

/// What came of a [`SignatureCheck`]. Only the check itself can make one.
pub struct SignatureOutcome(Option<SignatureVerified>);

/// Proof that somebody verified this very signing input. There is no public way to make one.
pub struct SignatureVerified {
    signing_input: Box<str>,
}

impl SignatureCheck {
    /// Answers the check: `good` is what the cryptography said.
    #[must_use]
    pub fn outcome(self, good: bool) -> SignatureOutcome {
        SignatureOutcome(good.then_some(SignatureVerified { signing_input: self.signing_input }))
    }
}

impl SignatureOutcome {
    /// The proof, if the signature is good: for [`crate::id_token::validate`].
    #[must_use]
    pub fn into_proof(self) -> Option<SignatureVerified> {
        self.0
    }
}

impl SignedToken {
    /// Reads the compact form and its header (RFC 7515 5.2, steps 1 to 6; RFC 8725 3.1, 3.11).
    ///
    /// # Errors
    /// `IdTokenMalformed`, `IdTokenAlgorithm` or `IdTokenUnsupported`.
    pub fn parse(text: IdTokenText, allowed: &[Algorithm]) -> Result<Self, Error> {
        let malformed = || Error::new(Code::IdTokenMalformed, Phase::IdToken);
        let unsupported = || Error::new(Code::IdTokenUnsupported, Phase::IdToken);
        let compact = text.expose();
        if compact.len() > MAX_BYTES {
            return Err(malformed());
        }
        // At most four pieces are made, however many dots there are.
        let mut segments = compact.splitn(4, '.');
        let (Some(header), Some(payload), Some(signature), None) =
            (segments.next(), segments.next(), segments.next(), segments.next())
        else {
            return Err(malformed());
        };
        let signing_input_end = header.len() + 1 + payload.len();
        let header_bytes = base64url::decode(header).ok_or_else(malformed)?;
        let payload = base64url::decode(payload).ok_or_else(malformed)?;
        let signature = base64url::decode(signature).ok_or_else(malformed)?;
        let header = json::parse_object(&header_bytes).map_err(|_| malformed())?;

        let algorithm = header
            .str("alg")
            .and_then(Algorithm::from_name)
            .filter(|algorithm| allowed.contains(algorithm))
            .ok_or_else(|| Error::new(Code::IdTokenAlgorithm, Phase::IdToken))?;
        // No extension is understood, so none may be critical (RFC 7515 4.1.11).
        if ["crit", "zip", "enc", "cty"].iter().any(|name| header.member(name).is_some()) {
            return Err(unsupported());
        }
        match header.member("typ") {
            None => {}
            Some(Value::String(typ)) if is_jwt(typ) => {}
            Some(_) => return Err(unsupported()),
        }
        let kid = match header.member("kid") {
            None => None,
            Some(Value::String(kid)) => Some(kid.clone().into_owned()),
            Some(_) => return Err(malformed()),
        };
        Ok(Self { text, algorithm, kid, payload, signature, signing_input_end })
    }

    /// The header's `alg`.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The header's `kid`, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The check of this token's signature with that key.
    ///
    /// # Errors
    /// `IdTokenSignature` where no key could ever verify it: a wrong length, or zeros.
    pub fn check(&self, key: PublicKey) -> Result<SignatureCheck, Error> {
        let plausible = match self.algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => !self.signature.is_empty(),
            #[cfg(feature = "eddsa")]
            Algorithm::EdDsa => self.signature.len() == 64,
            // r and s, 32 bytes each, neither of them zero.
            Algorithm::Es256 => {
                self.signature.len() == 64 && self.signature.chunks(32).all(|half| half.iter().any(|byte| *byte != 0))
            }
        };
        if !plausible {
            return Err(Error::new(Code::IdTokenSignature, Phase::IdToken));
        }
        let signing_input = self.text.expose()[..self.signing_input_end].into();
        Ok(SignatureCheck { algorithm: self.algorithm, key, signing_input, signature: self.signature.clone() })
    }

    /// The payload and the token's text, once its signature is proven.
    ///
    /// # Errors
    /// `IdTokenSignature` if the proof is for another token.
    pub fn verified(self, proof: &SignatureVerified) -> Result<(Vec<u8>, IdTokenText), Error> {
        if *proof.signing_input != self.text.expose()[..self.signing_input_end] {
            return Err(Error::new(Code::IdTokenSignature, Phase::IdToken));
        }
        Ok((self.payload, self.text))
    }
}

fn is_jwt(typ: &str) -> bool {
    typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("application/jwt")
}

impl fmt::Debug for SignedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedToken({:?})", self.algorithm)
    }
}

impl fmt::Debug for SignatureCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignatureCheck({:?})", self.algorithm)
    }
}

impl fmt::Debug for SignatureOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "good" } else { "bad" })
    }
}
