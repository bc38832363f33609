//! What Polar lacks and other providers have, behind settings.

mod support;

use serde_json::json;
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
