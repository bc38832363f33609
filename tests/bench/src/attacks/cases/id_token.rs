//! The ID token: how it is signed, and what it says.

use serde_json::{Value, json};

use crate::attacks::case::{Answers, Case, Group, Reach, Sign, Walk, case};

fn token(id: &'static str, rows: &'static str, words: &'static str, fault: Value) -> Case {
    let mut fault = fault;
    fault["endpoint"] = json!("id_token");
    case(id, rows, words, Walk::SignIn, Sign::SignedIn).with(fault).reaching(Reach::Exchanged)
}

/// Signed as it should be, with these claims in place of the good ones.
fn says(id: &'static str, rows: &'static str, words: &'static str, claims: &Value) -> Case {
    token(id, rows, words, json!({ "claims": claims }))
}

/// The good claims and signature, with these members in the header.
fn headed(id: &'static str, rows: &'static str, words: &'static str, header: &Value) -> Case {
    token(id, rows, words, json!({ "header_set": header }))
}

fn keys(id: &'static str, words: &'static str, body: &Value) -> Case {
    case(id, "DS-20", words, Walk::SignIn, Sign::SignedIn)
        .with(json!({ "endpoint": "jwks", "body": body.to_string() }))
        .reaching(Reach::Exchanged)
        .note(BY_TLS)
}

const BY_TLS: &str = "OpenID Connect Core 3.1.3.7 (6) lets a client rely on TLS in place of the signature of an ID token \
                      that comes from the token endpoint.";

pub(super) fn signature() -> Group {
    let evil = "{other_host}/keys";
    let jwe = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkExMjhHQ00ifQ.AAAA.AAAA.AAAA.AAAA";
    let cases = vec![
        token(
            "alg-none",
            "ID-03",
            "`alg` is `none`, the signature empty",
            json!({ "header_set": { "alg": "none" }, "signature": "empty" }),
        ),
        token(
            "alg-none-signed",
            "ID-03",
            "`alg` is `none`, with a signature",
            json!({ "header_set": { "alg": "none" } }),
        ),
        token(
            "alg-none-case",
            "ID-04",
            "`alg` is `nOnE`, the signature empty",
            json!({ "header_set": { "alg": "nOnE" }, "signature": "empty" }),
        ),
        token("alg-missing", "ID-04", "No `alg`", json!({ "header": { "alg": null } })),
        token(
            "alg-hs256",
            "ID-05",
            "`HS256`, with the public key as the secret",
            json!({ "header_set": { "alg": "HS256" }, "signature": "hs256:{key}" }),
        ),
        headed("alg-es256", "ID-06", "`ES256`, with a signature of an RSA key", &json!({ "alg": "ES256" }))
            .note(BY_TLS),
        token("signature-flipped", "ID-07", "One bit of the signature is another", json!({ "signature": "flip" }))
            .note(BY_TLS),
        token("signature-empty", "ID-07", "An empty signature", json!({ "signature": "empty" })).note(BY_TLS),
        token(
            "signature-other-key",
            "ID-07",
            "Signed by a key that the provider does not have",
            json!({ "signature": "other_key" }),
        )
        .note(BY_TLS),
        token(
            "changed-after",
            "ID-08",
            "`sub` changed after it was signed",
            json!({ "claims_after_signing": { "sub": "mallory" } }),
        )
        .note(BY_TLS),
        token("kid-unknown", "DS-25", "A `kid` that no key has", json!({ "header_set": { "kid": "k9" } })).note(BY_TLS),
        token("jwk-embedded", "ID-09", "Signed by a key that it brings along (`jwk`)", json!({ "self_signed": true }))
            .note(BY_TLS),
        token(
            "jku",
            "ID-09",
            "Signed by such a key, with `jku` and `x5u` of another host",
            json!({ "self_signed": true, "header_set": { "jku": evil, "x5u": evil } }),
        )
        .note(BY_TLS),
        headed(
            "crit",
            "ID-11",
            "A `crit` header with something unknown",
            &json!({ "crit": ["http://evil.example/x"], "http://evil.example/x": 1 }),
        )
        .note("RFC 7515 4.1.11 says that it must be refused."),
        headed("typ-access", "ID-12", "`typ` is `at+jwt`: an access token", &json!({ "typ": "at+jwt" }))
            .note("OpenID Connect Core says nothing about `typ`."),
        token("jwe", "ID-13", "An encrypted token (five parts)", json!({ "raw": jwe })),
        token("not-a-token", "ID-14", "A text that is no JWT", json!({ "raw": "not-a-token" })),
        token("payload-null", "ID-16", "Signed claims that are `null`", json!({ "claims_text": "null" })),
        keys("keys-none", "The provider has no keys (`{\"keys\":[]}`)", &json!({ "keys": [] })),
    ];
    Group {
        title: "The signature of the ID token",
        words: "Accepted: somebody is signed in. All claims are good.",
        answers: Answers::RefusedOrAccepted,
        cases,
    }
}

pub(super) fn claims() -> Group {
    let later = "{in_a_day}";
    let cases = vec![
        says("iss-missing-claim", "ID-19", "No `iss`", &json!({ "iss": null })),
        says("iss-other-claim", "ID-19", "Another `iss`", &json!({ "iss": "https://evil.example" })),
        says("iss-longer", "ID-19", "The `iss`, and one character more", &json!({ "iss": "{issuer}1" })),
        says("aud-missing", "ID-21", "No `aud`", &json!({ "aud": null })),
        says("aud-other", "ID-21", "`aud` is another client", &json!({ "aud": ["polar_ci_other"] })),
        says("aud-longer", "ID-21", "`aud` is the client, and one character more", &json!({ "aud": "{client}1" })),
        says("aud-nested", "ID-21", "`aud` is a list in a list", &json!({ "aud": [["{client}"]] })),
        says("aud-two", "ID-23", "Two `aud`, no `azp`", &json!({ "aud": ["{client}", "polar_ci_other"] }))
            .note("Core 3.1.3.7 (3): audiences that the client does not trust are to be refused."),
        says(
            "aud-two-azp",
            "ID-23",
            "Two `aud`, `azp` is the client",
            &json!({ "aud": ["{client}", "polar_ci_other"], "azp": "{client}" }),
        )
        .note("Core 3.1.3.7 (3): audiences that the client does not trust are to be refused."),
        says("azp-other", "ID-24", "`azp` is another client", &json!({ "azp": "polar_ci_other" })),
        says("sub-missing", "ID-25", "No `sub`", &json!({ "sub": null })),
        says("sub-empty", "ID-25", "An empty `sub`", &json!({ "sub": "" })),
        says("sub-number", "ID-25", "`sub` is a number", &json!({ "sub": 5 })),
        says("exp-missing", "ID-26", "No `exp`", &json!({ "exp": null })),
        says("exp-past", "ID-27", "`exp` is a day ago", &json!({ "exp": "{a_day_ago}" })),
        says("exp-huge", "ID-28", "`exp` is 1e300", &json!({ "exp": 1e300 })),
        says("iat-missing", "ID-30", "No `iat`", &json!({ "iat": null })),
        says("iat-future", "ID-31", "`iat` is in a day", &json!({ "iat": later, "exp": "{in_two_days}" }))
            .note("Core 3.1.3.7 (10) leaves the range of `iat` to the client."),
        says("nbf-future", "ID-32", "`nbf` is in a day", &json!({ "nbf": later })),
        says("nonce-missing", "ID-33", "No `nonce`", &json!({ "nonce": null })).note(NONCE),
        says("nonce-other", "ID-33", "Another `nonce`", &json!({ "nonce": "other" })).note(NONCE),
        token("nonce-longer", "ID-33", "The `nonce`, and one character more", json!({ "nonce_suffix": "1" }))
            .note(NONCE),
        says(
            "at-hash-other",
            "ID-35",
            "The `at_hash` of another access token",
            &json!({ "at_hash": "77QmUPtjPfzWtF2AnpK9RQ" }),
        )
        .note("Core 3.1.3.8: a client may check it where the token endpoint sends the ID token."),
    ];
    Group {
        title: "The claims of the ID token",
        words: "Accepted: somebody is signed in. All of them are signed by the provider's key.",
        answers: Answers::RefusedOrAccepted,
        cases,
    }
}

const NONCE: &str = "oidc-client-ts sends no nonce by default (its option `nonce`): then there is nothing to compare.";
