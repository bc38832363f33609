//! Dynamic registration (RFC 7591, 7592): anyone may create a client.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::Asked;
use crate::{
    reply::Reply,
    seed::SCOPES,
    state::{Client, Store, now, random},
};

pub(super) fn answer(store: &mut Store, asked: &Asked) -> Reply {
    let id = asked.path.trim_start_matches("/v1/oauth2/register").trim_matches('/').to_owned();
    match (asked.method.as_str(), id.is_empty()) {
        ("POST", true) => create(store, asked),
        ("GET" | "PUT" | "DELETE", false) => manage(store, asked, &id),
        _ => Reply::not_found(),
    }
}

fn create(store: &mut Store, asked: &Asked) -> Reply {
    let wanted = match read(asked) {
        Ok(wanted) => wanted,
        Err(refusal) => return refusal,
    };
    let id = random("polar_ci_");
    let registration_token = random("polar_crt_");
    let client = client(&id, &wanted, Some(registration_token.clone()));
    let mut body = shown(&client);
    body["client_id_issued_at"] = json!(now());
    body["registration_client_uri"] = json!(format!("{}/v1/oauth2/register/{id}", store.origin));
    body["registration_access_token"] = json!(registration_token);
    store.clients.insert(id, client);
    Reply::json(StatusCode::CREATED, &body)
}

fn manage(store: &mut Store, asked: &Asked, id: &str) -> Reply {
    let known = store
        .clients
        .get(id)
        .filter(|client| client.registration_token.is_some() && client.registration_token.as_deref() == asked.bearer());
    let Some(known) = known.cloned() else {
        return Reply::oauth_error(StatusCode::UNAUTHORIZED, "invalid_token", "");
    };
    match asked.method.as_str() {
        "DELETE" => {
            store.clients.remove(id);
            Reply { status: 204, headers: Vec::new(), body: Vec::new() }
        }
        "PUT" => match read(asked) {
            Err(refusal) => refusal,
            Ok(wanted) => {
                let client = client(id, &wanted, known.registration_token);
                let body = shown(&client);
                store.clients.insert(id.to_owned(), client);
                Reply::ok(&body)
            }
        },
        _ => Reply::ok(&shown(&known)),
    }
}

/// Reads and checks what is wanted.
fn read(asked: &Asked) -> Result<Value, Reply> {
    let wanted: Value =
        serde_json::from_str(&asked.body).map_err(|_| Reply::validation_error(&["body"], "JSON decode error"))?;
    if wanted["client_name"].as_str().is_none_or(str::is_empty) {
        return Err(Reply::validation_error(&["body", "client_name"], "Field required"));
    }
    let uris = wanted["redirect_uris"].as_array().filter(|uris| !uris.is_empty());
    let uris = uris.ok_or_else(|| Reply::validation_error(&["body", "redirect_uris"], "Field required"))?;
    if !uris.iter().all(|uri| uri.as_str().is_some_and(is_redirect_uri)) {
        let message = "An insecure redirect URI is only allowed for localhost.";
        return Err(Reply::validation_error(&["body", "redirect_uris"], message));
    }
    let method = wanted["token_endpoint_auth_method"].as_str().unwrap_or("client_secret_post");
    if !["none", "client_secret_post", "client_secret_basic"].contains(&method) {
        return Err(Reply::validation_error(
            &["body", "token_endpoint_auth_method"],
            "Input should be 'none', 'client_secret_post' or 'client_secret_basic'",
        ));
    }
    let scope = wanted["scope"].as_str().unwrap_or_default();
    if let Some(unknown) = scope.split(' ').find(|scope| !scope.is_empty() && !SCOPES.contains(scope)) {
        return Err(Reply::validation_error(&["body", "scope"], &format!("Invalid scope: {unknown}")));
    }
    Ok(wanted)
}

/// https, or http on localhost and private addresses.
fn is_redirect_uri(uri: &str) -> bool {
    if uri.contains('#') {
        return false;
    }
    if let Some(rest) = uri.strip_prefix("https://") {
        return !rest.is_empty();
    }
    let Some(rest) = uri.strip_prefix("http://") else { return false };
    let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
    let private = |ip: std::net::Ipv4Addr| ip.is_private() || ip.is_loopback();
    host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(private)
}

fn client(id: &str, wanted: &Value, registration_token: Option<String>) -> Client {
    let is_public = wanted["token_endpoint_auth_method"] == "none";
    let uris = wanted["redirect_uris"].as_array().map_or(&[][..], Vec::as_slice);
    Client {
        id: id.to_owned(),
        name: wanted["client_name"].as_str().unwrap_or_default().to_owned(),
        redirect_uris: uris.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        scope: wanted["scope"].as_str().map_or_else(|| SCOPES.join(" "), str::to_owned),
        is_public,
        secret: (!is_public).then(|| random("polar_cs_")),
        registration_token,
        metadata: wanted.clone(),
    }
}

fn shown(client: &Client) -> Value {
    let mut body = json!({
        "client_id": client.id, "client_name": client.name, "redirect_uris": client.redirect_uris,
        "token_endpoint_auth_method": if client.is_public { json!("none") } else { client.metadata["token_endpoint_auth_method"].clone() },
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"], "scope": client.scope,
        // Registration drops the wish for organizations as the default.
        "default_sub_type": "user",
    });
    for name in ["client_uri", "logo_uri", "tos_uri", "policy_uri"] {
        body[name] = client.metadata[name].clone();
    }
    if let Some(secret) = &client.secret {
        body["client_secret"] = json!(secret);
        body["client_secret_expires_at"] = json!(0);
    }
    body
}
