//! Signatures checked and messages sealed by the browser's own cryptography, and random bytes.
//!
//! Nothing is decided here: not which algorithm may be used, nor whether a key is strong enough
//! or meant for this. A key goes in with the members that make it a key and no others (a key's
//! own `use` or `key_ops` would make the browser refuse what our caller has allowed), is not
//! extractable, and is good for this one check alone.

use js_sys::{Array, Object, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, SubtleCrypto};

use super::{member, options};

/// How something is signed, by its name in JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    Ps256,
    /// ECDSA on P-256 with SHA-256; the signature is r and s, 32 bytes each.
    Es256,
    /// Ed25519.
    EdDsa,
}

/// A public key; numbers in base64url, as in a JWK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// RSA: modulus and exponent.
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
    /// A point on the curve P-256.
    EcP256 {
        /// The first coordinate.
        x: String,
        /// The second coordinate.
        y: String,
    },
    /// An Ed25519 key.
    Ed25519 {
        /// The key.
        x: String,
    },
}

/// What the browser says to a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The holder of the key signed exactly this.
    Good,
    /// Not so.
    Bad,
    /// No verdict: the browser does not take this key, or not for this algorithm, or it has no
    /// cryptography (a page that came by plain http).
    Unusable,
}

/// There are no random bytes to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoEntropy;

/// Checks a signature over these bytes.
pub async fn verify(algorithm: Algorithm, key: &Key, signing_input: &[u8], signature: &[u8]) -> Verdict {
    match try_verify(algorithm, key, signing_input, signature).await {
        Some(true) => Verdict::Good,
        Some(false) => Verdict::Bad,
        None => Verdict::Unusable,
    }
}

/// Fills the slice with random bytes fit for secrets.
///
/// # Errors
/// If the browser gives none. The slice is then not to be used.
pub fn fill_random(bytes: &mut [u8]) -> Result<(), NoEntropy> {
    getrandom::fill(bytes).map_err(|_| NoEntropy)
}

/// The bytes of an initialisation vector (NIST SP 800-38D 8.2.2: by chance), which stand first in what is sealed.
const IV: usize = 12;

/// Seals a text with a 256-bit key in base64url: AES-GCM, so nobody without the key can read it or
/// make another like it. `None` if the browser will not.
pub async fn seal(key: &str, text: &str) -> Option<Vec<u8>> {
    let mut sealed = vec![0; IV];
    fill_random(&mut sealed).ok()?;
    let (subtle, key, parameters) = sealing(key, "encrypt", &sealed).await?;
    let promise = subtle.encrypt_with_object_and_u8_array(&parameters, &key, text.as_bytes()).ok()?;
    sealed.extend(Uint8Array::new(&settled(promise).await?).to_vec());
    Some(sealed)
}

/// The text that was sealed with this key; `None` for anything else.
pub async fn unseal(key: &str, sealed: &[u8]) -> Option<String> {
    let (iv, sealed) = sealed.split_at_checked(IV)?;
    let (subtle, key, parameters) = sealing(key, "decrypt", iv).await?;
    let promise = subtle.decrypt_with_object_and_u8_array(&parameters, &key, sealed).ok()?;
    String::from_utf8(Uint8Array::new(&settled(promise).await?).to_vec()).ok()
}

async fn sealing(key: &str, usage: &str, iv: &[u8]) -> Option<(SubtleCrypto, CryptoKey, Object)> {
    let subtle = subtle()?;
    let jwk = options(&[("kty", "oct".into()), ("k", key.into())]);
    let parameters = options(&[("name", "AES-GCM".into()), ("iv", Uint8Array::from(iv).into())]);
    let usages = Array::of1(&JsValue::from_str(usage));
    let import = subtle.import_key_with_object("jwk", &jwk, &parameters, false, &usages).ok()?;
    let key = settled(import).await?.dyn_into().ok()?;
    Some((subtle, key, parameters))
}

pub(super) fn subtle() -> Option<SubtleCrypto> {
    member(&member(&js_sys::global(), "crypto"), "subtle").dyn_into().ok()
}

async fn try_verify(algorithm: Algorithm, key: &Key, signing_input: &[u8], signature: &[u8]) -> Option<bool> {
    if !has_form(algorithm, key) {
        return None;
    }
    let subtle = subtle()?;
    let parameters = parameters(algorithm);
    let usages = Array::of1(&JsValue::from_str("verify"));
    let import = subtle.import_key_with_object("jwk", &jwk(key), &parameters, false, &usages).ok()?;
    let key: CryptoKey = settled(import).await?.dyn_into().ok()?;
    if signature.len() != signature_length(algorithm, &key)? {
        return Some(false);
    }
    let check =
        subtle.verify_with_object_and_u8_array_and_u8_array(&parameters, &key, signature, signing_input).ok()?;
    settled(check).await?.as_bool()
}

pub(super) async fn settled(promise: Promise) -> Option<JsValue> {
    JsFuture::from(promise).await.ok()
}

/// Whether a key is of the algorithm's kind, and on a curve has the one length that it can have. Browsers should say so:
/// WebKit takes other lengths for keys too, and Firefox crashes at a key of another kind for Ed25519. Whether the point is
/// on the curve is theirs to say.
fn has_form(algorithm: Algorithm, key: &Key) -> bool {
    // 32 bytes in base64url.
    let is_number = |text: &str| text.len() == 43;
    match (algorithm, key) {
        (Algorithm::Rs256 | Algorithm::Ps256, Key::Rsa { .. }) => true,
        (Algorithm::Es256, Key::EcP256 { x, y }) => is_number(x) && is_number(y),
        (Algorithm::EdDsa, Key::Ed25519 { x }) => is_number(x),
        _ => false,
    }
}

/// The only length that a signature of this key can have (RFC 8017 8.1.2 and 8.2.2, step 1; RFC 7518 3.4): WebKit
/// takes an RSA signature with zeros before it, or without those that it begins with, for the same number.
fn signature_length(algorithm: Algorithm, key: &CryptoKey) -> Option<usize> {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 => {
            let bits = member(&member(key, "algorithm"), "modulusLength").as_f64()?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a browser's count of bits")]
            Some((bits as usize).div_ceil(8))
        }
        Algorithm::Es256 | Algorithm::EdDsa => Some(64),
    }
}

/// One object serves for import and for verification: each takes the members that it knows.
fn parameters(algorithm: Algorithm) -> Object {
    let hash = ("hash", JsValue::from_str("SHA-256"));
    match algorithm {
        Algorithm::Rs256 => options(&[("name", "RSASSA-PKCS1-v1_5".into()), hash]),
        Algorithm::Ps256 => options(&[("name", "RSA-PSS".into()), hash, ("saltLength", 32.into())]),
        Algorithm::Es256 => options(&[("name", "ECDSA".into()), hash, ("namedCurve", "P-256".into())]),
        Algorithm::EdDsa => options(&[("name", "Ed25519".into())]),
    }
}

fn jwk(key: &Key) -> Object {
    let text = JsValue::from_str;
    match key {
        Key::Rsa { n, e } => options(&[("kty", text("RSA")), ("n", text(n)), ("e", text(e))]),
        Key::EcP256 { x, y } => options(&[("kty", text("EC")), ("crv", text("P-256")), ("x", text(x)), ("y", text(y))]),
        Key::Ed25519 { x } => options(&[("kty", text("OKP")), ("crv", text("Ed25519")), ("x", text(x))]),
    }
}
