//! FZ-05: taking a signed token apart.

use polar_signin_core::{
    jws::{Algorithm, SignedToken},
    secret::IdTokenText,
};

use super::{
    super::{
        keys::encode,
        token::{claims, header, signing_input},
    },
    Choices,
};

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Strict base64url, the slow way: bit by bit.
fn slow_decode(text: &str) -> Option<Vec<u8>> {
    let mut bits = Vec::new();
    for byte in text.bytes() {
        let value = ALPHABET.iter().position(|c| *c == byte)?;
        bits.extend((0..6).rev().map(|bit| value >> bit & 1 == 1));
    }
    let whole = bits.len() / 8 * 8;
    let stray = &bits[whole..];
    if stray.len() >= 6 || stray.iter().any(|bit| *bit) {
        return None;
    }
    Some(bits[..whole].chunks(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | u8::from(*bit))).collect())
}

fn parses(text: &str) -> bool {
    SignedToken::parse(IdTokenText::new(text), &[Algorithm::Rs256, Algorithm::Es256, Algorithm::Ps256]).is_ok()
}

/// Any text: what is read has exactly three segments in the one form that base64url gives them.
pub fn any(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let ok = parses(&text);
    let segments: Vec<&str> = text.split('.').collect();
    let canonical = |segment: &&str| slow_decode(segment).is_some_and(|bytes| encode(&bytes) == **segment);
    if ok {
        assert!(segments.len() == 3 && segments.iter().all(canonical) && text.len() <= 64 * 1024, "{text}");
    }
}

/// A good token with one segment replaced: it is read exactly if that segment decodes.
pub fn segment(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let foreign = choices.one_in(2);
    let mut text = String::new();
    for byte in choices.rest() {
        // Mostly of the alphabet, so that the form is decided by length and stray bits.
        if foreign && byte % 16 == 15 {
            text.push(['=', '+', '/', ' ', '\n', '.', 'é', '\u{0}'][usize::from(byte >> 4) % 8]);
        } else {
            text.push(char::from(ALPHABET[usize::from(byte % 64)]));
        }
    }
    let decodes = slow_decode(&text).is_some();
    let input = signing_input(header().json().as_bytes(), claims().json().as_bytes());
    let (good_header, _) = input.split_once('.').expect("two segments");
    assert_eq!(parses(&format!("{input}.{text}")), decodes, "signature {text}");
    assert_eq!(parses(&format!("{good_header}.{text}.AAAA")), decodes, "payload {text}");
}
