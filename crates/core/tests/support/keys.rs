//! Keys that exist for these tests alone, as signers, as JWKs, and the verifier of a
//! [`SignatureCheck`].

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use polar_signin_core::{
    jwks::PublicKey,
    jws::{Algorithm, SignatureCheck},
};
use rsa::{
    BigUint, RsaPrivateKey, RsaPublicKey, pkcs1v15, pkcs8::DecodePrivateKey as _, pss,
    signature::RandomizedSigner as _, signature::SignatureEncoding as _, signature::Signer as _,
    signature::Verifier as _, traits::PublicKeyParts as _,
};
use sha2::{Digest as _, Sha256};

use super::{imitation, token::Members};

/// Who signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// RSA 2048, the provider's key of the fixtures.
    K1,
    /// RSA 2048, another key of the provider's.
    K2,
    /// RSA 2048, one more.
    K3,
    /// RSA 2048, of somebody whom nobody trusts.
    Stranger,
    /// RSA 1024: too short.
    Short,
    /// P-256, the provider's.
    E1,
    /// P-256, another.
    E2,
    /// Ed25519.
    D1,
}

macro_rules! pem {
    ($read:path, $name:literal) => {
        LazyLock::new(|| $read(include_str!(concat!("keys/", $name, ".pem"))).expect("a good test key"))
    };
}

static K1: LazyLock<RsaPrivateKey> = pem!(RsaPrivateKey::from_pkcs8_pem, "rsa-k1");
static K2: LazyLock<RsaPrivateKey> = pem!(RsaPrivateKey::from_pkcs8_pem, "rsa-k2");
static K3: LazyLock<RsaPrivateKey> = pem!(RsaPrivateKey::from_pkcs8_pem, "rsa-k3");
static STRANGER: LazyLock<RsaPrivateKey> = pem!(RsaPrivateKey::from_pkcs8_pem, "rsa-stranger");
static SHORT: LazyLock<RsaPrivateKey> = pem!(RsaPrivateKey::from_pkcs8_pem, "rsa-short");
static E1: LazyLock<p256::ecdsa::SigningKey> = pem!(p256::ecdsa::SigningKey::from_pkcs8_pem, "ec-e1");
static E2: LazyLock<p256::ecdsa::SigningKey> = pem!(p256::ecdsa::SigningKey::from_pkcs8_pem, "ec-e2");

fn d1() -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[7; 32])
}

impl Key {
    /// All of them, in their order.
    pub const ALL: [Self; 8] =
        [Self::K1, Self::K2, Self::K3, Self::Stranger, Self::Short, Self::E1, Self::E2, Self::D1];

    /// The `kid` of its JWK.
    pub fn kid(self) -> &'static str {
        match self {
            Self::K1 => "k1",
            Self::K2 => "k2",
            Self::K3 => "k3",
            Self::Stranger => "stranger",
            Self::Short => "short",
            Self::E1 => "e1",
            Self::E2 => "e2",
            Self::D1 => "d1",
        }
    }

    /// The algorithm of its JWK.
    pub fn alg(self) -> &'static str {
        match self {
            Self::E1 | Self::E2 => "ES256",
            Self::D1 => "EdDSA",
            _ => "RS256",
        }
    }

    fn rsa(self) -> Option<&'static RsaPrivateKey> {
        match self {
            Self::K1 => Some(&K1),
            Self::K2 => Some(&K2),
            Self::K3 => Some(&K3),
            Self::Stranger => Some(&STRANGER),
            Self::Short => Some(&SHORT),
            _ => None,
        }
    }

    fn p256(self) -> &'static p256::ecdsa::SigningKey {
        if self == Self::E2 { &E2 } else { &E1 }
    }

    /// A signature in the form of JWS, by this key's own algorithm.
    pub fn sign(self, input: &[u8]) -> Vec<u8> {
        if imitation::is_on() {
            return imitation::sign(self, input);
        }
        match self.rsa() {
            Some(rsa) => pkcs1v15::SigningKey::<Sha256>::new(rsa.clone()).sign(input).to_vec(),
            None if self == Self::D1 => d1().sign(input).to_bytes().to_vec(),
            None => {
                let signature: p256::ecdsa::Signature = self.p256().sign(input);
                signature.to_bytes().to_vec()
            }
        }
    }

    /// An RSA-PSS signature, as PS256 has it.
    pub fn sign_pss(self, input: &[u8]) -> Vec<u8> {
        let rsa = self.rsa().expect("PS256 needs an RSA key").clone();
        pss::SigningKey::<Sha256>::new(rsa).sign_with_rng(&mut rsa::rand_core::OsRng, input).to_vec()
    }

    /// An ECDSA signature in DER, as JWS does not have it.
    pub fn sign_der(self, input: &[u8]) -> Vec<u8> {
        let signature: p256::ecdsa::Signature = self.p256().sign(input);
        signature.to_der().as_bytes().to_vec()
    }

    /// The public key as a JWK without `kid`, `alg` and `use`.
    pub fn bare_jwk(self) -> Members {
        static JWKS: LazyLock<[Members; 8]> = LazyLock::new(|| Key::ALL.map(Key::make_jwk));
        JWKS[self as usize].clone()
    }

    fn make_jwk(self) -> Members {
        match self.rsa() {
            Some(rsa) => Members::new()
                .text("kty", "RSA")
                .text("n", &encode(&rsa.n().to_bytes_be()))
                .text("e", &encode(&rsa.e().to_bytes_be())),
            None if self == Self::D1 => Members::new()
                .text("kty", "OKP")
                .text("crv", "Ed25519")
                .text("x", &encode(d1().verifying_key().as_bytes())),
            None => {
                let point = self.p256().verifying_key().to_encoded_point(false);
                let (x, y) = (point.x().expect("a point"), point.y().expect("a point"));
                Members::new().text("kty", "EC").text("crv", "P-256").text("x", &encode(x)).text("y", &encode(y))
            }
        }
    }

    /// The public key as the provider publishes it.
    pub fn jwk(self) -> Members {
        self.bare_jwk().text("kid", self.kid()).text("alg", self.alg()).text("use", "sig")
    }

    /// The modulus, big-endian, for keys that somebody misuses as a MAC's.
    pub fn modulus(self) -> Vec<u8> {
        self.rsa().expect("an RSA key").n().to_bytes_be()
    }

    /// The public key in SPKI, DER.
    pub fn spki(self) -> Vec<u8> {
        use rsa::pkcs8::EncodePublicKey as _;
        let public = RsaPublicKey::from(self.rsa().expect("an RSA key"));
        public.to_public_key_der().expect("encodes").into_vec()
    }

    /// The public key in SPKI, PEM.
    pub fn spki_pem(self) -> String {
        use rsa::pkcs8::{EncodePublicKey as _, LineEnding};
        let public = RsaPublicKey::from(self.rsa().expect("an RSA key"));
        public.to_public_key_pem(LineEnding::LF).expect("encodes")
    }
}

/// HMAC with SHA-256 (RFC 2104), for tokens that misuse a public key as a shared one.
pub fn hs256(key: &[u8], input: &[u8]) -> Vec<u8> {
    let mut block = [0; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(input).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

/// A JWK set of these keys.
pub fn jwks(keys: &[Members]) -> String {
    let keys: Vec<String> = keys.iter().map(Members::json).collect();
    format!("{{\"keys\":[{}]}}", keys.join(","))
}

/// What a browser's `WebCrypto` does with a check: import the key, verify, say yes or no.
pub fn verify(check: &SignatureCheck) -> bool {
    if imitation::is_on() { imitation::verify(check) } else { try_verify(check).is_some() }
}

fn try_verify(check: &SignatureCheck) -> Option<()> {
    let input = check.signing_input.as_bytes();
    match (&check.key, check.algorithm) {
        (PublicKey::Rsa { n, e }, algorithm) => {
            let number = |text: &str| Some(BigUint::from_bytes_be(&decode(text)?));
            let key = RsaPublicKey::new_with_max_size(number(n)?, number(e)?, 8192).ok()?;
            match algorithm {
                Algorithm::Rs256 => {
                    let signature = pkcs1v15::Signature::try_from(check.signature.as_slice()).ok()?;
                    pkcs1v15::VerifyingKey::<Sha256>::new(key).verify(input, &signature).ok()
                }
                Algorithm::Ps256 => {
                    let signature = pss::Signature::try_from(check.signature.as_slice()).ok()?;
                    pss::VerifyingKey::<Sha256>::new(key).verify(input, &signature).ok()
                }
                _ => None,
            }
        }
        (PublicKey::P256 { x, y }, Algorithm::Es256) => {
            let field = |text: &str| <[u8; 32]>::try_from(decode(text)?).ok().map(p256::FieldBytes::from);
            let point = p256::EncodedPoint::from_affine_coordinates(&field(x)?, &field(y)?, false);
            let key = p256::ecdsa::VerifyingKey::from_encoded_point(&point).ok()?;
            let signature = p256::ecdsa::Signature::from_slice(&check.signature).ok()?;
            key.verify(input, &signature).ok()
        }
        #[cfg(feature = "eddsa")]
        (PublicKey::Ed25519 { x }, Algorithm::EdDsa) => {
            let key = ed25519_dalek::VerifyingKey::from_bytes(&decode(x)?.try_into().ok()?).ok()?;
            let signature = ed25519_dalek::Signature::from_slice(&check.signature).ok()?;
            key.verify_strict(input, &signature).ok()
        }
        _ => None,
    }
}

/// Base64url without padding.
pub fn encode(bytes: &[u8]) -> String {
    BASE64URL.encode(bytes)
}

/// The bytes of strict base64url without padding.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64URL.decode(text).ok()
}
