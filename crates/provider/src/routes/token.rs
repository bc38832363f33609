//! The token endpoint, and its two neighbours that refuse public clients.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Asked, client_of, invalid_client};
use crate::{
    dpop,
    id_token::{self, has_scope},
    reply::Reply,
    state::{Client, Kind, Store, Token, now, random},
};

/// How long a code may wait, in seconds.
const CODE_LIFETIME: i64 = 600;

pub(super) fn answer(store: &mut Store, asked: &Asked) -> Reply {
    let Some(client) = client_of(store, asked) else { return invalid_client() };
    let thumbprint = match dpop::at_token_endpoint(store, asked) {
        Ok(thumbprint) => thumbprint,
        Err(refusal) => return refusal,
    };
    match asked.form("grant_type").as_deref() {
        Some("authorization_code") => exchange(store, asked, &client.id, thumbprint),
        Some("refresh_token") => refresh(store, asked, &client.id, thumbprint.as_deref()),
        Some(_) => refuse("unsupported_grant_type", ""),
        None => refuse("invalid_request", "Missing grant_type"),
    }
}

fn exchange(store: &mut Store, asked: &Asked, client_id: &str, thumbprint: Option<String>) -> Reply {
    let code = asked.form("code").unwrap_or_default();
    // A code works once, whatever comes of it.
    let Some(grant) = store.codes.remove(&code) else { return refuse("invalid_grant", "Invalid \"code\" in request.") };
    if grant.token.client_id != client_id || now() - grant.created > CODE_LIFETIME {
        return refuse("invalid_grant", "Invalid \"code\" in request.");
    }
    if asked.form("redirect_uri").as_deref() != Some(&grant.redirect_uri) {
        return refuse("invalid_grant", "Invalid \"redirect_uri\" in request.");
    }
    if grant.thumbprint.is_some() && grant.thumbprint != thumbprint {
        // RFC 9449 10.
        return refuse("invalid_grant", "The code is bound to another key.");
    }
    let verifier = asked.form("code_verifier");
    match (&grant.code_challenge, verifier) {
        _ if !store.settings.checks_pkce => {}
        (Some(challenge), Some(verifier)) if matches(challenge, &verifier, grant.plain_challenge) => {}
        (Some(_), Some(_)) => return refuse("invalid_grant", "Code challenge failed."),
        _ => return refuse("invalid_request", "Missing \"code_verifier\""),
    }
    let token = Token { expires: now() + store.settings.access_token_lifetime, thumbprint, ..grant.token };
    let lifetime = store.settings.access_token_lifetime;
    let (access_token, mut body) = issue(store, token.clone(), lifetime);
    if has_scope(&token.scope, "openid") {
        let fault = store.fault("id_token", Some("authorization_code"));
        let id_token = id_token::make(store, &token, grant.nonce.as_deref(), &access_token, fault.as_ref());
        body["id_token"] = json!(id_token);
        store.last_id_token = Some(id_token);
    }
    Reply::ok(&store.shaped("token", body)).with("cache-control", "no-store")
}

fn refresh(store: &mut Store, asked: &Asked, client_id: &str, thumbprint: Option<&str>) -> Reply {
    let old = asked.form("refresh_token").unwrap_or_default();
    let Some(token) = store.refresh_tokens.get(&old).filter(|token| token.client_id == client_id).cloned() else {
        return refuse("invalid_grant", "");
    };
    if token.thumbprint.as_deref() != thumbprint {
        // RFC 9449 5: a public client's refresh token is bound like its access token.
        return refuse("invalid_grant", "The token is bound to another key.");
    }
    let lifetime = store.settings.refreshed_lifetime;
    let mut token = Token { expires: now() + lifetime, ..token };
    if store.settings.organizations_migrate {
        token.kind = Kind::User;
    }
    // The old refresh token dies at once, the old access token lives on; Polar sends no ID token along.
    let rotates = store.settings.rotate_refresh;
    let (access_token, mut body) = issue(store, token.clone(), lifetime);
    if store.settings.refresh_id_token && has_scope(&token.scope, "openid") {
        let fault = store.fault("id_token", Some("refresh_token"));
        // Without a nonce: it belongs to the authorization request (Core 12.2).
        body["id_token"] = json!(id_token::make(store, &token, None, &access_token, fault.as_ref()));
    }
    if rotates {
        store.refresh_tokens.remove(&old);
    } else if let Some(fresh) = body.as_object_mut().and_then(|body| body.remove("refresh_token")) {
        store.refresh_tokens.remove(fresh.as_str().unwrap_or_default());
    }
    Reply::ok(&store.shaped("token", body)).with("cache-control", "no-store")
}

/// New tokens, and the answer that hands them out.
fn issue(store: &mut Store, token: Token, lifetime: i64) -> (String, Value) {
    let kind = if matches!(token.kind, Kind::Organization(_)) { "o" } else { "u" };
    let made = |name: &str| {
        let secret = random(&format!("polar_{name}_{kind}_"));
        if store.settings.jwt_tokens { in_jwt_form(&secret, &token) } else { secret }
    };
    let (access_token, refresh_token) = (made("at"), made("rt"));
    let body = json!({
        "token_type": if token.thumbprint.is_some() { "DPoP" } else { "Bearer" }, "access_token": access_token, "expires_in": lifetime,
        "refresh_token": refresh_token, "scope": token.scope,
    });
    store.access_tokens.insert(access_token.clone(), token.clone());
    store.refresh_tokens.insert(refresh_token, token);
    (access_token, body)
}

/// Something that clients can read as a JWT. Nobody checks its signature: it is a token like the others.
fn in_jwt_form(secret: &str, token: &Token) -> String {
    let header = json!({ "alg": "RS256", "typ": "at+jwt" });
    let claims = json!({ "sub": token.person, "iat": now(), "exp": token.expires, "jti": secret });
    [header, claims, json!("signature")].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".")
}

fn matches(challenge: &str, verifier: &str, plain: bool) -> bool {
    if plain { challenge == verifier } else { challenge == URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) }
}

fn refuse(error: &str, description: &str) -> Reply {
    Reply::oauth_error(StatusCode::BAD_REQUEST, error, description)
}

/// Only for clients with a secret, as at Polar: a public one gets the same answer as an unknown one.
pub(super) fn revoke_or_introspect(store: &mut Store, asked: &Asked) -> Reply {
    let may = |client: &Client| !client.is_public || store.settings.public_revocation && asked.path.ends_with("revoke");
    let Some(client) = client_of(store, asked).filter(may) else { return invalid_client() };
    let given = asked.form("token").unwrap_or_default();
    let known = store.access_tokens.get(&given).or_else(|| store.refresh_tokens.get(&given));
    let known = known.filter(|token| token.client_id == client.id).cloned();
    if asked.path.ends_with("revoke") {
        // RFC 7009 2.2: the answer is the same for a token that is not known.
        if known.is_some() {
            store.access_tokens.remove(&given);
            store.refresh_tokens.remove(&given);
        }
        return Reply { status: 200, headers: Vec::new(), body: Vec::new() };
    }
    Reply::ok(&match known {
        Some(token) if token.expires > now() => json!({
            "active": true, "client_id": token.client_id, "sub": token.person, "scope": token.scope,
            "exp": token.expires, "organizations": token.narrowed_to,
            "cnf": token.thumbprint.map(|jkt| json!({ "jkt": jkt })),
        }),
        _ => json!({ "active": false }),
    })
}
