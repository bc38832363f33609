//! The provider, driven as a client would: over HTTP, with a redirect that is read and not followed.

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{ALLOW, Provider, VERIFIER, claims, text};

#[test]
fn a_code_is_exchanged_once_with_the_right_verifier() {
    let provider = Provider::start();
    let back = provider.sign_in("sam", "n1", "", ALLOW);
    assert_eq!((back.status, back.back("state").as_deref(), back.back("iss")), (303, Some("s1"), None));
    let code = back.back("code").expect("a code");
    assert!(code.starts_with("polar_ac_"));
    assert_eq!(provider.exchange(&code, &VERIFIER.replace('d', "e")).json()["error"], "invalid_grant");
    assert_eq!(provider.exchange(&code, VERIFIER).json()["error"], "invalid_grant", "the wrong verifier used it up");

    let tokens = provider.tokens("sam", "n2", "", ALLOW);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(864_000)));
    assert!(text(&tokens["access_token"]).starts_with("polar_at_u_"));
    let claims = claims(&tokens["id_token"]);
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["nonce"]),
        (&json!("https://polar.example"), &json!(["app"]), &json!("n2"))
    );
    assert_eq!(claims["email"], "sam@example.com");
    let userinfo = provider.get("/v1/oauth2/userinfo", text(&tokens["access_token"]));
    assert_eq!(userinfo.json(), json!({ "sub": claims["sub"], "email": "sam@example.com", "email_verified": true }));
}

#[test]
fn refreshing_rotates_without_grace_and_without_an_id_token() {
    let provider = Provider::start();
    let first = provider.tokens("olive", "n", "", ALLOW);
    let refresh = |token: &Value| {
        provider.post(
            "/v1/oauth2/token",
            &[("grant_type", "refresh_token"), ("refresh_token", text(token)), ("client_id", "app")],
        )
    };
    let second = refresh(&first["refresh_token"]).json();
    assert_eq!((second.get("id_token"), &second["expires_in"]), (None, &json!(3600)));
    assert_eq!(refresh(&first["refresh_token"]).json()["error"], "invalid_grant");
    assert_eq!(
        provider.get("/v1/oauth2/userinfo", text(&first["access_token"])).status,
        200,
        "the old access token lives on"
    );
    assert_eq!(refresh(&second["refresh_token"]).status, 200, "no family was revoked");
}

#[test]
fn an_organization_is_chosen_in_both_ways() {
    let provider = Provider::start();
    let all = provider.tokens("sam", "n0", "", ALLOW);
    let list = provider.get("/v1/organizations/?limit=100", text(&all["access_token"])).json();
    assert_eq!(list["pagination"], json!({ "total_count": 3, "max_page": 1 }));
    let one = text(&list["items"][1]["id"]).to_owned();
    let choice = [("decision", "allow"), ("organization", one.as_str())];

    let more = "&sub_type=organization&prompt=consent";
    let now = provider.tokens("sam", "n1", more, &choice);
    let reached = provider.get("/v1/organizations/", text(&now["access_token"])).json();
    assert_eq!((&reached["pagination"]["total_count"], &reached["items"][0]["id"]), (&json!(1), &json!(one)));
    assert_ne!(claims(&now["id_token"])["sub"], json!(one), "the subject is the person");

    provider.control("settings", &json!({ "organizations": "earlier" }));
    let earlier = provider.tokens("sam", "n2", more, &choice);
    assert!(text(&earlier["access_token"]).starts_with("polar_at_o_"));
    let claims = claims(&earlier["id_token"]);
    assert_eq!((&claims["sub"], &claims["name"]), (&json!(one), &list["items"][1]["slug"]));
    assert_eq!(provider.get("/v1/users/me", text(&earlier["access_token"])).status, 401);

    assert_eq!(provider.sign_in("sam", "n3", more, ALLOW).status, 400, "none chosen: no way back");
    assert_eq!(provider.sign_in("sam", "n4", "&sub_type=team", ALLOW).status, 400);
}

#[test]
fn consent_is_remembered_without_its_choice_and_can_be_refused() {
    let provider = Provider::start();
    let denied = provider.sign_in("fay", "n1", "", &[("decision", "deny")]);
    assert_eq!((denied.back("error").as_deref(), denied.back("code")), (Some("access_denied"), None));
    let first = provider.sign_in("fay", "n2", "", ALLOW);
    assert!(first.back("code").is_some());
    let again = provider.post(&Provider::authorize_path("n3", ""), &[("person", "fay")]);
    assert!(again.back("code").is_some(), "silent, since it was granted before");
    let shown = provider.post(&Provider::authorize_path("n4", "&prompt=consent"), &[("person", "fay")]);
    assert_eq!(shown.status, 200);
    assert_eq!(shown.body.matches("name=\"organization\"").count(), 40);
    assert_eq!(shown.headers["x-frame-options"], "DENY");
    let reused = provider.call("GET", &Provider::authorize_path("n3", ""), &[], "").expect("an answer");
    assert_eq!(reused.back("error").as_deref(), Some("invalid_request"), "a nonce is never used twice");
    let silent = provider.call("GET", &Provider::authorize_path("n5", "&prompt=none"), &[], "").expect("an answer");
    assert_eq!(silent.back("error").as_deref(), Some("login_required"));
}

#[test]
fn public_clients_can_neither_revoke_nor_introspect() {
    let provider = Provider::start();
    for path in ["/v1/oauth2/revoke", "/v1/oauth2/introspect"] {
        let answer = provider.post(path, &[("client_id", "app"), ("token", "x")]);
        assert_eq!((answer.status, answer.json()), (401, json!({ "error": "invalid_client" })));
        assert_eq!(answer.headers["www-authenticate"], "Basic");
    }
}

#[test]
fn anyone_can_register_a_client_within_the_rules() {
    let provider = Provider::start();
    let register =
        |body: Value| provider.call("POST", "/v1/oauth2/register", &[], &body.to_string()).expect("an answer");
    let form =
        |uri: &str| json!({ "client_name": "Mine", "redirect_uris": [uri], "token_endpoint_auth_method": "none" });
    for good in ["https://app.example/", "http://localhost:8080/", "http://a.localhost/", "http://192.168.1.2/"] {
        let answer = register(form(good));
        assert_eq!(answer.status, 201, "{good}");
        let client = answer.json();
        assert!(text(&client["client_id"]).starts_with("polar_ci_") && client.get("client_secret").is_none());
        let at = text(&client["registration_client_uri"]).trim_start_matches(&provider.origin).to_owned();
        assert_eq!(
            provider.get(&at, text(&client["registration_access_token"])).json()["redirect_uris"],
            json!([good])
        );
        assert_eq!(provider.get(&at, "polar_crt_wrong").status, 401);
    }
    for bad in ["http://app.example/", "ftp://localhost/", "app", "https://app.example/#x"] {
        assert_eq!(register(form(bad)).status, 422, "{bad}");
    }
    assert_eq!(register(json!({ "redirect_uris": ["https://app.example/"] })).status, 422);
}

#[test]
fn lists_are_paged_and_other_tokens_reach_the_api_alone() {
    let provider = Provider::start();
    let token = text(&provider.tokens("max", "n", "", ALLOW)["access_token"]).to_owned();
    let mut seen = std::collections::BTreeSet::new();
    for page in 1..=10 {
        let list = provider.get(&format!("/v1/organizations/?page={page}&limit=100"), &token).json();
        assert_eq!(list["pagination"], json!({ "total_count": 1000, "max_page": 10 }));
        seen.extend(list["items"].as_array().expect("items").iter().map(|item| text(&item["id"]).to_owned()));
    }
    assert_eq!(seen.len(), 1000);
    assert_eq!(provider.get("/v1/organizations/?limit=101", &token).status, 422);
    assert_eq!(provider.get("/v1/products/", &token).status, 403, "the scope was not granted");
    for (token, organizations) in [("polar_pat_demo_sam", 3), ("polar_oat_demo_acme", 1)] {
        assert_eq!(provider.get("/v1/oauth2/userinfo", token).status, 401);
        assert_eq!(provider.get("/v1/organizations/", token).json()["pagination"]["total_count"], organizations);
    }
}

#[test]
fn other_origins_may_ask_without_credentials() {
    let provider = Provider::start();
    let preflight =
        provider.call("OPTIONS", "/v1/oauth2/userinfo", &[("origin", "https://app.example")], "").expect("an answer");
    assert!(preflight.headers["access-control-allow-headers"].contains("Authorization"));
    let metadata = provider.get("/.well-known/openid-configuration", "");
    assert_eq!(metadata.headers["access-control-allow-origin"], "*");
    assert_eq!(metadata.headers["access-control-expose-headers"], "Polar-Version");
    assert!(!metadata.headers.contains_key("access-control-allow-credentials"));
    assert_ne!(metadata.json()["issuer"], json!(provider.origin));
}

#[test]
fn it_misbehaves_on_demand_and_only_as_often_as_asked() {
    let provider = Provider::start();
    let userinfo = "/v1/oauth2/userinfo";
    let token = text(&provider.tokens("sam", "n", "", ALLOW)["access_token"]).to_owned();
    let fault = |fault: Value| provider.control("faults", &fault);

    fault(
        json!({ "endpoint": "userinfo", "times": 1, "status": 503, "body": "<h1>no</h1>", "headers": { "content-type": "text/html" } }),
    );
    let answer = provider.get(userinfo, &token);
    assert_eq!(
        (answer.status, answer.body.as_str(), answer.headers["content-type"].as_str()),
        (503, "<h1>no</h1>", "text/html")
    );
    assert_eq!(provider.get(userinfo, &token).status, 200);

    fault(json!({ "endpoint": "userinfo", "times": 1, "json_merge": { "sub": "other", "email": null } }));
    assert_eq!(provider.get(userinfo, &token).json(), json!({ "sub": "other", "email_verified": true }));

    fault(json!({ "endpoint": "userinfo", "times": 1, "cors": false }));
    assert!(!provider.get(userinfo, &token).headers.contains_key("access-control-allow-origin"));

    fault(json!({ "endpoint": "userinfo", "times": 1, "delay_ms": 300 }));
    let started = Instant::now();
    provider.get(userinfo, &token);
    assert!(started.elapsed() >= Duration::from_millis(300));

    for drop in ["before", "after"] {
        let code = provider.sign_in("sam", &format!("drop {drop}"), "", ALLOW).back("code").expect("a code");
        fault(json!({ "endpoint": "token", "times": 1, "drop": drop }));
        let form = [("grant_type", "authorization_code"), ("code", code.as_str()), ("client_id", "app")];
        assert!(provider.try_post("/v1/oauth2/token", &form).is_err(), "the connection was cut");
        let still_good = provider.exchange(&code, VERIFIER).status == 200;
        assert_eq!(still_good, drop == "before");
    }

    fault(
        json!({ "endpoint": "jwks", "times": 1, "drip": { "bytes": 10, "every_ms": 20 }, "body": "0123456789".repeat(10) }),
    );
    let started = Instant::now();
    assert_eq!(provider.get("/.well-known/jwks.json", "").body.len(), 100);
    assert!(started.elapsed() >= Duration::from_millis(200));

    fault(json!({ "endpoint": "jwks", "times": 1, "content_length": 1000, "body": "{}" }));
    assert!(provider.call("GET", "/.well-known/jwks.json", &[], "").is_err(), "cut off before its end");

    let before = claims(&provider.tokens("sam", "n5", "", ALLOW)["id_token"]);
    fault(json!({ "endpoint": "id_token", "times": 1, "claims": { "iss": "https://evil.example", "nonce": null } }));
    let spoilt = claims(&provider.tokens("sam", "n6", "", ALLOW)["id_token"]);
    assert_eq!(
        (&spoilt["iss"], spoilt.get("nonce"), &spoilt["sub"]),
        (&json!("https://evil.example"), None, &before["sub"])
    );

    fault(json!({ "endpoint": "id_token", "times": 1, "claims_set": { "exp": null, "aud": 5 } }));
    let spoilt = claims(&provider.tokens("sam", "n6b", "", ALLOW)["id_token"]);
    assert_eq!((spoilt.get("exp"), &spoilt["aud"]), (Some(&Value::Null), &json!(5)));
    fault(json!({ "endpoint": "id_token", "times": 1, "replay": true }));
    assert_eq!(claims(&provider.tokens("sam", "n6c", "", ALLOW)["id_token"]), spoilt);

    fault(
        json!({ "endpoint": "callback", "times": 1, "query": "code={code}&code=B&state={state}", "fragment": "code=EVIL" }),
    );
    let back = provider.sign_in("sam", "n7", "", ALLOW).headers["location"].clone();
    assert!(back.ends_with("&code=B&state=s1#code=EVIL"), "{back}");

    provider.control("reset", &json!({}));
    let log = provider.call("GET", "/control/requests", &[], "").expect("an answer").json();
    assert_eq!(log, json!([]));
    assert_eq!(provider.get(userinfo, &token).status, 401, "all tokens are gone");
}
