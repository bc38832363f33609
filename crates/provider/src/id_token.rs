//! ID tokens as Polar makes them, and the ways to spoil one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    faults::{Fault, merge},
    keys::{Attacker, hmac},
    state::{Kind, Store, Token, now},
};

/// The ID token's own life, although the access token lives ten days.
const LIFETIME: i64 = 3600;

/// An ID token for this sign-in.
pub(crate) fn make(
    store: &Store,
    token: &Token,
    nonce: Option<&str>,
    access_token: &str,
    fault: Option<&Fault>,
) -> String {
    let settings = &store.settings;
    let mut header = header(store);
    let mut kid = store.keys.current(settings.es256).to_owned();
    let mut claims = store.shaped("id_token", claims(store, token, nonce, access_token));
    let empty = Map::new();
    let fault = fault.map_or(&empty, |fault| &fault.members);
    let text = |name: &str| fault.get(name).and_then(Value::as_str);

    if let Some(raw) = text("raw") {
        return raw.to_owned();
    }
    if let (Some(Value::Bool(true)), Some(last)) = (fault.get("replay"), &store.last_id_token) {
        return last.clone();
    }
    merge(&mut header, fault.get("header"));
    merge(&mut claims, fault.get("claims"));
    set(&mut header, fault.get("header_set"));
    set(&mut claims, fault.get("claims_set"));
    if let (Some(suffix), Some(nonce)) = (text("nonce_suffix"), nonce) {
        claims["nonce"] = json!(format!("{nonce}{suffix}"));
    }
    let attacker = (fault.get("self_signed") == Some(&Value::Bool(true))).then(Attacker::new);
    if let Some(attacker) = &attacker {
        header["jwk"] = attacker.jwk();
    }
    let mut header_text = text("header_text").map_or_else(|| header.to_string(), str::to_owned);
    let mut claims_text = text("claims_text").map_or_else(|| claims.to_string(), str::to_owned);
    if let Some(other) = text("sign_with") {
        other.clone_into(&mut kid);
    }
    let input = signing_input(&header_text, &claims_text);
    let mut signature = attacker.map_or_else(|| store.keys.sign(&kid, &input), |attacker| attacker.sign(&input));
    match text("signature") {
        Some("flip") => signature[10] ^= 1,
        Some("xor5a") => signature.iter_mut().for_each(|byte| *byte ^= 0x5a),
        Some("empty") => signature.clear(),
        Some("short") => drop(signature.pop()),
        Some("zero") => signature.fill(0),
        Some("random") => signature.iter_mut().for_each(|byte| *byte = rand::random()),
        Some("other_key") => signature = store.keys.sign("nobody's", &input),
        Some("der") => signature = store.keys.sign_der(&input),
        Some(mac) if mac.starts_with("hs256:") => signature = hmac(&mac["hs256:".len()..], &input),
        _ => {}
    }
    if fault.contains_key("claims_after_signing") {
        merge(&mut claims, fault.get("claims_after_signing"));
        claims_text = claims.to_string();
    }
    if fault.contains_key("header_after_signing") {
        merge(&mut header, fault.get("header_after_signing"));
        header_text = header.to_string();
    }
    format!("{}.{}", signing_input(&header_text, &claims_text), URL_SAFE_NO_PAD.encode(signature))
}

fn header(store: &Store) -> Value {
    let settings = &store.settings;
    let mut header = json!({ "typ": "JWT", "alg": if settings.es256 { "ES256" } else { "RS256" } });
    if settings.kid {
        header["kid"] = json!(store.keys.current(settings.es256));
    }
    header
}

/// Userinfo as a JWT (Core 5.3.2): signed as an ID token is, and with an issuer and an audience.
pub(crate) fn signed_userinfo(store: &Store, token: &Token, mut claims: Value) -> String {
    claims["iss"] = json!(store.settings.issuer);
    claims["aud"] = json!(token.client_id);
    let input = signing_input(&header(store).to_string(), &claims.to_string());
    let signature = store.keys.sign(store.keys.current(store.settings.es256), &input);
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Sets members to just these values, `null` among them.
fn set(target: &mut Value, members: Option<&Value>) {
    for (name, value) in members.and_then(Value::as_object).into_iter().flatten() {
        target[name] = value.clone();
    }
}

fn claims(store: &Store, token: &Token, nonce: Option<&str>, access_token: &str) -> Value {
    let issued = now();
    let half = &Sha256::digest(access_token)[..16];
    let mut claims = subject_claims(store, token);
    claims["iss"] = json!(store.settings.issuer);
    claims["aud"] = json!([token.client_id]);
    claims["exp"] = json!(issued + LIFETIME);
    claims["iat"] = json!(issued);
    claims["auth_time"] = json!(token.authenticated);
    claims["at_hash"] = json!(URL_SAFE_NO_PAD.encode(half));
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    claims
}

/// What the ID token and userinfo say of the subject: a person has no name, an organization has
/// its slug for one.
pub(crate) fn subject_claims(store: &Store, token: &Token) -> Value {
    if let Kind::Organization(id) = &token.kind {
        let slug = store.organization(id).map(|organization| organization.slug.clone());
        return json!({ "sub": id, "name": slug });
    }
    let mut claims = json!({ "sub": token.person });
    if let (true, Some(person)) = (has_scope(&token.scope, "email"), store.person(&token.person)) {
        claims["email"] = json!(person.email);
        claims["email_verified"] = json!(true);
    }
    claims
}

/// Whether a space-separated list holds a scope.
pub(crate) fn has_scope(list: &str, scope: &str) -> bool {
    list.split(' ').any(|granted| granted == scope)
}

fn signing_input(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}
