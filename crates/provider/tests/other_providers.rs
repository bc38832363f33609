//! What Polar lacks and other providers have, behind settings.

mod support;

use serde_json::{Value, json};
use support::{ALLOW, Provider, REDIRECT, claims, text};

#[test]
fn what_other_providers_do_can_be_switched_on() {
    let provider = Provider::start();
    provider.control("settings", &json!({ "refresh_id_token": true, "public_revocation": true, "end_session": true }));
    let metadata = provider.get("/.well-known/openid-configuration", "").json();
    assert!(metadata["revocation_endpoint_auth_methods_supported"].to_string().contains("none"));
    assert_eq!(metadata["end_session_endpoint"], format!("{}/oauth2/end-session", provider.origin));
    let first = provider.tokens("olive", "n", "", ALLOW);
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", text(&first["refresh_token"])), ("client_id", "app")];
    let second = provider.post("/v1/oauth2/token", &form).json();
    let (before, after) = (claims(&first["id_token"]), claims(&second["id_token"]));
    assert_eq!((&before["sub"], &before["aud"], after.get("nonce")), (&after["sub"], &after["aud"], None));
    let token = text(&second["access_token"]);
    let gone = provider.post("/v1/oauth2/revoke", &[("client_id", "app"), ("token", token)]);
    assert_eq!((gone.status, gone.body.as_str()), (200, ""));
    assert_eq!(provider.get("/v1/oauth2/userinfo", token).status, 401);
    let out = format!("/oauth2/end-session?client_id=app&post_logout_redirect_uri={REDIRECT}&state=s");
    assert_eq!(provider.get(&out, "").status, 200, "it asks first");
    assert_eq!(provider.post(&out, &[]).headers["location"], format!("{REDIRECT}?state=s"));
    assert_eq!(provider.post(&out.replace(":9/", ":8/"), &[]).status, 400);
}

#[test]
fn tokens_can_be_such_that_clients_read_them() {
    let provider = Provider::start();
    provider.control("settings", &json!({ "jwt_tokens": true }));
    let tokens = provider.tokens("olive", "n", "", ALLOW);
    let read = claims(&tokens["access_token"]);
    assert_eq!(read["sub"], claims(&tokens["id_token"])["sub"]);
    assert_eq!(claims(&tokens["refresh_token"])["sub"], read["sub"]);
    // They are what the provider handed out, no more: another of the same form is worth nothing.
    let token = text(&tokens["access_token"]);
    assert_eq!(provider.get("/v1/oauth2/userinfo", token).status, 200);
    let other = claims(&provider.tokens("olive", "m", "", ALLOW)["access_token"]);
    assert_ne!(other["jti"], read["jti"]);
    assert_eq!(provider.get("/v1/oauth2/userinfo", &format!("{token}x")).status, 401);
}

#[test]
fn a_shape_lies_beneath_every_fault() {
    let provider = Provider::start();
    let shape = json!({
        "discovery": { "code_challenge_methods_supported": null, "mtls_endpoint_aliases": { "token_endpoint": "x" } },
        "token": { "expires_in": null }, "id_token": { "aud": "app", "auth_time": null }, "userinfo": { "name": "Olive" },
    });
    provider.control("settings", &json!({ "shape": shape }));
    let metadata = provider.get("/.well-known/openid-configuration", "").json();
    assert_eq!(metadata.get("code_challenge_methods_supported"), None);
    assert_eq!(metadata["mtls_endpoint_aliases"]["token_endpoint"], "x");
    provider.control("faults", &json!({ "endpoint": "id_token", "times": 1, "claims": { "aud": "other" } }));
    let spoilt = claims(&provider.tokens("olive", "n1", "", ALLOW)["id_token"]);
    assert_eq!((&spoilt["aud"], spoilt.get("auth_time")), (&json!("other"), None));
    let tokens = provider.tokens("olive", "n2", "", ALLOW);
    assert_eq!((tokens.get("expires_in"), &claims(&tokens["id_token"])["aud"]), (None, &json!("app")));
    provider.control("faults", &json!({ "endpoint": "userinfo", "times": 1, "json_suffix": { "sub": "invalid" } }));
    let other = provider.get("/v1/oauth2/userinfo", text(&tokens["access_token"])).json();
    let same = provider.get("/v1/oauth2/userinfo", text(&tokens["access_token"])).json();
    assert_eq!(text(&other["sub"]), format!("{}invalid", text(&same["sub"])));
    assert_eq!(same["name"], "Olive");
    provider.control("settings", &json!({ "signed_userinfo": true, "id_token_kid": true }));
    let signed = provider.get("/v1/oauth2/userinfo", text(&tokens["access_token"]));
    assert_eq!(signed.headers["content-type"], "application/jwt");
    assert_eq!(claims(&json!(signed.body))["aud"], "app");
    assert_eq!(claims(&json!(signed.body))["sub"], same["sub"]);
}

#[test]
fn keys_move_change_and_lose_their_names() {
    let provider = Provider::start();
    let at = |path: &str| provider.get(path, "");
    let kids = |path: &str| -> Vec<Value> {
        at(path).json()["keys"].as_array().expect("a list").iter().map(|key| key["kid"].clone()).collect()
    };
    provider.control("settings", &json!({ "jwks_path": "/jwks/elsewhere" }));
    assert_eq!(at("/.well-known/jwks.json").status, 404);
    let metadata = at("/.well-known/openid-configuration").json();
    assert_eq!(metadata["jwks_uri"], format!("{}/jwks/elsewhere", provider.origin));
    assert_eq!(kids("/jwks/elsewhere"), ["k1"]);
    provider.control("faults", &json!({ "endpoint": "token", "times": 1, "new_key": true }));
    provider.tokens("olive", "n1", "", ALLOW);
    assert_eq!(kids("/jwks/elsewhere"), ["k2"], "another key just before it signs");
    provider.tokens("olive", "n2", "", ALLOW);
    assert_eq!(kids("/jwks/elsewhere"), ["k2"]);
    provider.control("settings", &json!({ "jwks_kids": false }));
    assert_eq!(kids("/jwks/elsewhere"), [json!(null)]);
    provider.control("reset", &json!({}));
    assert_eq!(kids("/.well-known/jwks.json"), ["k1"], "the key that it was started with");
}
