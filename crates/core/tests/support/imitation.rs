//! Signatures without their arithmetic, for properties that want very many of them.
//!
//! An imitated signature has the length of a real one and hangs on the key, the algorithm and every
//! byte that is signed, so whatever the core hands to the verifier is held to account as before. The
//! arithmetic is not the core's: it is the browser's, and in most native tests RustCrypto's.

use std::{cell::Cell, sync::LazyLock};

use polar_signin_core::{
    jwks::PublicKey,
    jws::{Algorithm, SignatureCheck},
};
use sha2::{Digest as _, Sha256};

use super::{keys::Key, token::Members};

thread_local! {
    static IS_ON: Cell<bool> = const { Cell::new(false) };
}

/// From here on this thread's signatures are imitated, or real.
pub fn set(on: bool) {
    IS_ON.set(on);
}

pub fn is_on() -> bool {
    IS_ON.get()
}

/// What this key makes of this input, by its own algorithm.
pub fn sign(key: Key, input: &[u8]) -> Vec<u8> {
    let blocks = match key {
        Key::Short => 4,
        Key::E1 | Key::E2 | Key::D1 => 2,
        Key::K1 | Key::K2 | Key::K3 | Key::Stranger => 8,
    };
    let seed = Sha256::new().chain_update(key.kid()).chain_update([0]).chain_update(input).finalize();
    let block = |index: u8| Sha256::new().chain_update(seed).chain_update([index]).finalize();
    (0..blocks).flat_map(block).collect()
}

/// Whether the key of this check made its signature.
pub fn verify(check: &SignatureCheck) -> bool {
    let made_by = |(key, numbers): &(Key, [String; 2])| {
        is(&check.key, numbers)
            && name(check.algorithm) == key.alg()
            && sign(*key, check.signing_input.as_bytes()) == check.signature
    };
    PUBLIC.iter().any(made_by)
}

/// The numbers of the keys that can sign.
static PUBLIC: LazyLock<Vec<(Key, [String; 2])>> =
    LazyLock::new(|| Key::ALL.into_iter().map(|key| (key, numbers(&key.bare_jwk()))).collect());

fn numbers(jwk: &Members) -> [String; 2] {
    let number = |names: [&str; 2]| {
        let found = jwk.pairs().iter().find(|(name, _)| names.contains(&name.as_str()));
        found.map(|(_, value)| value.trim_matches('"').to_owned()).unwrap_or_default()
    };
    [number(["n", "x"]), number(["e", "y"])]
}

fn is(key: &PublicKey, numbers: &[String; 2]) -> bool {
    match key {
        PublicKey::Rsa { n: first, e: second } | PublicKey::P256 { x: first, y: second } => {
            [first, second] == [&numbers[0], &numbers[1]]
        }
        #[cfg(feature = "eddsa")]
        PublicKey::Ed25519 { x } => *x == numbers[0],
    }
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Rs256 => "RS256",
        Algorithm::Es256 => "ES256",
        Algorithm::Ps256 => "PS256",
        #[cfg(feature = "eddsa")]
        Algorithm::EdDsa => "EdDSA",
    }
}
