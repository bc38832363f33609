//! What tests do to the provider, under `/control`: only with `--control`.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::Asked;
use crate::{faults::Fault, reply::Reply, state::Store};

pub(crate) fn answer(store: &mut Store, asked: &Asked) -> Reply {
    if asked.method == "OPTIONS" {
        return Reply::preflight();
    }
    let body: Value =
        if asked.body.is_empty() { json!({}) } else { serde_json::from_str(&asked.body).unwrap_or(Value::Null) };
    let wrong = || Reply::json(StatusCode::BAD_REQUEST, &json!({ "error": "not understood", "body": asked.body }));
    match (asked.method.as_str(), asked.path.trim_start_matches("/control/")) {
        ("POST", "reset") => {
            store.reset();
            done()
        }
        ("POST", "settings") => set(store, &body).map_or_else(wrong, |()| done()),
        ("POST", "faults") => match Fault::parse(&body) {
            Some(fault) => {
                store.faults.push(fault);
                done()
            }
            None => wrong(),
        },
        ("DELETE", "faults") => {
            store.faults.clear();
            done()
        }
        ("POST", "keys") => {
            if let Some(extra) = body["extra"].as_array() {
                store.keys.extra.clone_from(extra);
            }
            if body["rotate"] == true {
                store.keys.rotate(body["keep_old"] == true);
            }
            done()
        }
        ("POST", "membership") => membership(store, &body).map_or_else(wrong, |()| done()),
        // Everybody is signed out here, and every token ends.
        ("POST", "revoke") => {
            store.access_tokens.retain(|_, token| token.client_id.is_empty());
            store.refresh_tokens.clear();
            store.sessions.clear();
            done()
        }
        ("GET", "requests") => Reply::ok(&Value::Array(store.log.clone())),
        ("DELETE", "requests") => {
            store.log.clear();
            done()
        }
        _ => Reply::not_found(),
    }
}

fn done() -> Reply {
    Reply::ok(&json!({}))
}

/// Changes the settings that are named. `None` if one is not known or of the wrong kind.
fn set(store: &mut Store, body: &Value) -> Option<()> {
    let settings = &mut store.settings;
    for (name, value) in body.as_object()? {
        match name.as_str() {
            "issuer" => value.as_str()?.clone_into(&mut settings.issuer),
            "organizations" => settings.organizations_earlier = value.as_str()? == "earlier",
            "auto_sign_in" => settings.auto_sign_in = value.as_str().map(str::to_owned),
            "auto_consent" => settings.auto_consent = value.as_bool()?,
            "access_token_lifetime" => settings.access_token_lifetime = value.as_i64()?,
            "refreshed_lifetime" => settings.refreshed_lifetime = value.as_i64()?,
            "id_token_alg" => settings.es256 = value.as_str()? == "ES256",
            "id_token_kid" => settings.kid = value.as_bool()?,
            "iss_parameter" => settings.iss_parameter = value.as_bool()?,
            "checks_pkce" => settings.checks_pkce = value.as_bool()?,
            "jwks_path" => value.as_str()?.clone_into(&mut settings.jwks_path),
            "jwks_kids" => settings.jwks_kids = value.as_bool()?,
            "signed_userinfo" => settings.signed_userinfo = value.as_bool()?,
            "shape" => settings.shape.clone_from(value.as_object()?),
            "rotate_refresh" => settings.rotate_refresh = value.as_bool()?,
            "refresh_id_token" => settings.refresh_id_token = value.as_bool()?,
            "jwt_tokens" => settings.jwt_tokens = value.as_bool()?,
            "public_revocation" => settings.public_revocation = value.as_bool()?,
            "end_session" => settings.end_session = value.as_bool()?,
            "organizations_migrate" => settings.organizations_migrate = value.as_bool()?,
            "dpop" => settings.dpop = value.as_bool()?,
            "dpop_nonce_token" => settings.dpop_nonce_token = value.as_bool()?,
            "dpop_nonce_resource" => settings.dpop_nonce_resource = value.as_bool()?,
            _ => return None,
        }
    }
    Some(())
}

/// `{"person":"sam","remove":"acme-tools"}`, or `add`.
fn membership(store: &mut Store, body: &Value) -> Option<()> {
    let slug = body["remove"].as_str().or_else(|| body["add"].as_str())?;
    let organization = store.organizations.iter().find(|organization| organization.slug == slug)?.id.clone();
    let person = store.people.iter_mut().find(|person| person.handle == body["person"])?;
    person.member_of.retain(|id| *id != organization);
    if body["add"].is_string() {
        person.member_of.push(organization);
    }
    Some(())
}
