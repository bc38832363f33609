//! Signing keys. The JWKS names each by a `kid`, as Polar's does; whether the tokens do is a setting.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use p256::ecdsa::{Signature as EcSignature, SigningKey as EcKey, signature::Signer as _};
use rsa::{
    RsaPrivateKey,
    pkcs1v15::{Signature as RsaSignature, SigningKey as RsaSigningKey},
    signature::SignatureEncoding as _,
    traits::PublicKeyParts as _,
};
use serde_json::{Value, json};
use sha2::Sha256;

/// The keys, the newest of each kind last.
#[derive(Clone)]
pub(crate) struct Keys {
    rsa: Vec<(String, RsaPrivateKey)>,
    ec: (String, EcKey),
    /// Further JWKs, as they are given: for key sets with strange members.
    pub(crate) extra: Vec<Value>,
    made: usize,
}

impl Keys {
    pub(crate) fn generate() -> Self {
        let ec = EcKey::random(&mut rand::thread_rng());
        Self { rsa: vec![("k1".to_owned(), new_rsa())], ec: ("ec1".to_owned(), ec), extra: Vec::new(), made: 1 }
    }

    /// The first key alone, as when the provider was started.
    pub(crate) fn as_at_the_start(&self) -> Self {
        let mut keys = self.clone();
        if let Some(at) = keys.rsa.iter().position(|(kid, _)| kid.trim_start_matches('-') == "k1") {
            keys.rsa = vec![("k1".to_owned(), keys.rsa.swap_remove(at).1)];
        }
        keys.extra.clear();
        keys
    }

    /// A new RSA key to sign with; the old ones stay in the set or go.
    pub(crate) fn rotate(&mut self, keep_old: bool) {
        if !keep_old {
            // The first one is kept aside for the next reset, out of the set.
            self.rsa.retain(|(kid, _)| kid.trim_start_matches('-') == "k1");
            if let Some((kid, _)) = self.rsa.first_mut() {
                "-k1".clone_into(kid);
            }
        }
        self.made += 1;
        self.rsa.push((format!("k{}", self.made), new_rsa()));
    }

    /// The JWK set.
    pub(crate) fn jwks(&self, es256: bool) -> Value {
        let mut keys: Vec<Value> = self.rsa.iter().filter(|(kid, _)| !kid.starts_with('-')).map(rsa_jwk).collect();
        if es256 {
            let point = self.ec.1.verifying_key().to_encoded_point(false);
            let coordinate = |bytes: Option<&p256::FieldBytes>| bytes.map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
            keys.push(json!({
                "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.ec.0,
                "x": coordinate(point.x()), "y": coordinate(point.y()),
            }));
        }
        keys.extend(self.extra.iter().cloned());
        json!({ "keys": keys })
    }

    /// The `kid` that signs.
    pub(crate) fn current(&self, es256: bool) -> &str {
        if es256 { &self.ec.0 } else { self.rsa.last().map_or("k1", |(kid, _)| kid) }
    }

    /// Signs with the key of this `kid`; with one that nobody knows if there is none.
    pub(crate) fn sign(&self, kid: &str, input: &str) -> Vec<u8> {
        if kid == self.ec.0 {
            let signature: EcSignature = self.ec.1.sign(input.as_bytes());
            return signature.to_vec();
        }
        let known = self.rsa.iter().find(|(k, _)| k == kid).map(|(_, key)| key.clone());
        sign_rs256(known.unwrap_or_else(new_rsa), input)
    }

    /// The ECDSA signature in DER, which JWS does not allow.
    pub(crate) fn sign_der(&self, input: &str) -> Vec<u8> {
        let signature: EcSignature = self.ec.1.sign(input.as_bytes());
        signature.to_der().as_bytes().to_vec()
    }
}

/// A key of somebody else's, who sends its public half along.
pub(crate) struct Attacker(RsaPrivateKey);

impl Attacker {
    pub(crate) fn new() -> Self {
        Self(new_rsa())
    }

    pub(crate) fn jwk(&self) -> Value {
        rsa_jwk(&("k1".to_owned(), self.0.clone()))
    }

    pub(crate) fn sign(self, input: &str) -> Vec<u8> {
        sign_rs256(self.0, input)
    }
}

fn sign_rs256(key: RsaPrivateKey, input: &str) -> Vec<u8> {
    let signature: RsaSignature = RsaSigningKey::<Sha256>::new(key).sign(input.as_bytes());
    signature.to_vec()
}

/// HMAC-SHA256 with a text as its key: what an attacker makes of a public key.
pub(crate) fn hmac(key: &str, input: &str) -> Vec<u8> {
    match Hmac::<Sha256>::new_from_slice(key.as_bytes()) {
        Ok(mut mac) => {
            mac.update(input.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
        Err(_) => Vec::new(),
    }
}

#[expect(clippy::expect_used, reason = "2048 bits is a size that the library makes")]
fn new_rsa() -> RsaPrivateKey {
    RsaPrivateKey::new(&mut rand::thread_rng(), 2048).expect("2048 bits")
}

fn rsa_jwk((kid, key): &(String, RsaPrivateKey)) -> Value {
    json!({
        "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid,
        "n": URL_SAFE_NO_PAD.encode(key.n().to_bytes_be()),
        "e": URL_SAFE_NO_PAD.encode(key.e().to_bytes_be()),
    })
}
