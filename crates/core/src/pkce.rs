//! Proof Key for Code Exchange (RFC 7636), method S256, and the random values of a sign-in.

use sha2::{Digest as _, Sha256};

use crate::{
    base64url,
    error::{Code, Error, Phase},
    secret::{CodeVerifier, Nonce, State},
};

/// Where randomness comes from: the browser's `crypto.getRandomValues`, a fixed sequence in tests.
pub trait Entropy {
    /// Fills the bytes.
    ///
    /// # Errors
    /// [`NoEntropy`] where there is no good source; there is no other to fall back to.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy>;
}

/// No good source of randomness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEntropy;

/// 32 random bytes as 43 characters; all zeros are taken for a broken source.
pub(crate) fn random(entropy: &mut dyn Entropy) -> Result<String, Error> {
    let mut bytes = [0; 32];
    let filled = entropy.fill(&mut bytes);
    if filled.is_err() || bytes == [0; 32] {
        return Err(Error::new(Code::EntropyUnavailable, Phase::Start));
    }
    Ok(base64url::encode(&bytes))
}

/// The random values of one sign-in: no two sign-ins share one.
pub(crate) struct Fresh {
    pub(crate) state: State,
    pub(crate) nonce: Nonce,
    pub(crate) code_verifier: CodeVerifier,
}

impl Fresh {
    pub(crate) fn generate(entropy: &mut dyn Entropy) -> Result<Self, Error> {
        Ok(Self {
            state: State::new(random(entropy)?),
            nonce: Nonce::new(random(entropy)?),
            code_verifier: CodeVerifier::new(random(entropy)?),
        })
    }
}

/// `code_challenge` = BASE64URL(SHA256(`code_verifier`)) (RFC 7636 4.2).
#[must_use]
pub fn code_challenge(code_verifier: &CodeVerifier) -> String {
    base64url::encode(&Sha256::digest(code_verifier.expose()))
}

/// A short name for some public or secret text: 128 bits of its SHA-256.
pub(crate) fn short_hash(text: &str) -> String {
    base64url::encode(&Sha256::digest(text)[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tk_03_the_known_answer_of_rfc_7636_appendix_b() {
        let verifier = CodeVerifier::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(code_challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    struct Fixed(Result<u8, NoEntropy>);
    impl Entropy for Fixed {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
            bytes.fill(self.0?);
            Ok(())
        }
    }

    #[test]
    fn cb_47_no_sign_in_without_entropy() {
        for broken in [Err(NoEntropy), Ok(0)] {
            let error = Fresh::generate(&mut Fixed(broken)).err().expect("refused");
            assert_eq!(error.code(), Code::EntropyUnavailable);
        }
        let fresh = Fresh::generate(&mut Fixed(Ok(7))).expect("entropy");
        let verifier = fresh.code_verifier.expose();
        assert_eq!(verifier.len(), 43);
        assert!(verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    }
}
