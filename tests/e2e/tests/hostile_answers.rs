//! Metadata, keys, tokens and userinfo that are not what they should be, in every form of their row.

use polar_signin_e2e::{
    Context, Result, Stage, Tab,
    flows::{Repeated, asked_for, codes_were_sent, nothing_is_kept, only_a_session_is_kept, signed_in_as},
    hygiene::session_records,
    pages::{ErrorPage, ProviderPage, SignedInPage, StartPage},
    provider::{JWKS, METADATA, TOKEN, USERINFO},
    suite,
};
use serde_json::{Value, json};

suite![
    ds_17_metadata_that_redirects_is_not_followed,
    ds_18_metadata_by_status_and_content_type,
    ds_19_metadata_from_a_cache_or_a_storage_is_not_used,
    ds_25_one_more_look_at_the_keys_for_a_sign_in,
    tk_21_tokens_come_with_status_200_alone,
    tk_25_another_person_leaves_nothing_of_the_first,
    tk_27_what_asks_for_dpop_is_not_tried_again,
    ui_02_userinfo_of_nobody,
    ui_04_userinfo_by_content_type,
    ui_06_userinfo_points_nowhere_and_overrides_nothing,
    ui_08_an_edited_session_is_not_somebody_else,
];

const AUTHORIZE: &str = "/oauth2/authorize";

/// Where nothing may arrive, on the page's own origin: the page may ask for it.
fn sink(stage: &Stage) -> String {
    format!("{}/sink", stage.gateway().origin())
}

fn nothing_arrived(stage: &Stage) {
    assert!(stage.gateway().requests().iter().all(|seen| !seen.target.contains("sink")), "the sink was asked");
}

/// Presses the button with this fault in the metadata: refused on the page, which is not left.
async fn not_left(stage: &Stage, tab: &Tab, fault: Value) -> Result<String> {
    let mut fault = fault;
    fault["endpoint"] = json!("discovery");
    stage.provider().reset().await?;
    stage.provider().fault(fault).await?;
    StartPage::open(stage, tab).await?;
    tab.click("#sign-in").await?;
    let code = ErrorPage::wait(tab).await?.code().await?;
    assert!(stage.provider().requests_to("GET", AUTHORIZE).await?.is_empty(), "the page was left");
    nothing_is_kept(tab).await?;
    Ok(code)
}

async fn ds_17_metadata_that_redirects_is_not_followed(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    let same = format!("{}/somewhere", stage.provider().origin());
    for status in [301, 302, 307] {
        for target in [&same, &sink(&stage)] {
            let code = not_left(&stage, &tab, json!({ "redirect": target, "status": status })).await?;
            assert_eq!(code, "network", "{status} to {target}");
            assert!(stage.provider().requests_to("GET", "/somewhere").await?.is_empty(), "{status} was followed");
        }
    }
    nothing_arrived(&stage);
    Ok(())
}

async fn ds_18_metadata_by_status_and_content_type(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    let of_type = |content_type: &str| json!({ "headers": { "content-type": content_type } });
    for (fault, code) in [
        (
            json!({ "body": "<html>Sign in to the WiFi</html>", "headers": { "content-type": "text/html" } }),
            "metadata_malformed",
        ),
        (json!({ "body": "" }), "metadata_malformed"),
        (json!({ "status": 204, "body": "" }), "http_status"),
        (json!({ "status": 404 }), "http_status"),
        (of_type("text/plain"), "metadata_malformed"),
        (of_type("text/html"), "metadata_malformed"),
        (json!({ "remove_headers": ["content-type"] }), "metadata_malformed"),
    ] {
        assert_eq!(not_left(&stage, &tab, fault.clone()).await?, code, "{fault}");
    }
    stage.provider().reset().await?;
    let mut fault = of_type("Application/JSON;charset=utf-8");
    fault["endpoint"] = json!("discovery");
    stage.provider().fault(fault).await?;
    StartPage::open(&stage, &tab).await?.sign_in().await?.allow_as("olive").await.map(|_| ())
}

async fn ds_19_metadata_from_a_cache_or_a_storage_is_not_used(stage: Stage) -> Result {
    // Once the metadata is somebody else's, and it wants to stay in the browser's cache.
    let evil = json!({
        "token_endpoint": sink(&stage), "userinfo_endpoint": sink(&stage), "jwks_uri": sink(&stage),
    });
    let stays = json!({ "cache-control": "public, max-age=86400", "content-type": "application/json" });
    let fault = json!({ "endpoint": "discovery", "times": 1, "json_merge": evil, "headers": stays });
    stage.provider().fault(fault).await?;
    let tab = stage.tab().await?;
    StartPage::open(&stage, &tab).await?;
    tab.click("#sign-in").await?;
    ProviderPage::wait(&tab).await?;
    // Back, and the sign-in of that moment forgotten; whatever an attacker could write stays there.
    tab.goto(&stage.site()).await?;
    StartPage::wait(&tab).await?;
    let document = json!({ "issuer": "https://polar.example", "token_endpoint": sink(&stage) }).to_string();
    tab.eval(
        "const namespace = Object.keys(sessionStorage).find(key => key.startsWith('polar-signin:')).split(':').slice(0, 3);
         sessionStorage.clear();
         for (const name of ['metadata', 'discovery', 'openid-configuration'])
             for (const storage of [sessionStorage, localStorage])
                 storage[[...namespace, name].join(':')] = arguments[0];",
        &[&document],
    )
    .await?;
    let before = stage.provider().requests_to("GET", METADATA).await?.len();
    StartPage::open(&stage, &tab).await?.sign_in().await?.allow_as("olive").await?.userinfo("sub").await?;
    assert!(stage.provider().requests_to("GET", METADATA).await?.len() > before, "it was not asked for again");
    nothing_arrived(&stage);
    codes_were_sent(&stage, 1).await
}

async fn ds_25_one_more_look_at_the_keys_for_a_sign_in(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    let unknown = |kid: &str| json!({ "endpoint": "id_token", "times": 1, "header": { "kid": kid } });
    for (number, kid) in ["x1", "x2", "../../etc/x", "__proto__"].into_iter().enumerate() {
        assert_eq!(browser.refused(unknown(kid)).await?, "key_unknown", "{kid}");
        // The fetch beside the token request, and the one more.
        asked_for(&stage, "GET", JWKS, 2 * (number + 1)).await?;
    }
    // The further look fails: that is not why the sign-in does.
    let before = stage.provider().requests_to("GET", JWKS).await?.len();
    stage.provider().fault(json!({ "endpoint": "jwks", "times": 1 })).await?;
    stage.provider().fault(json!({ "endpoint": "jwks", "times": 1, "status": 500, "body": "" })).await?;
    assert_eq!(browser.refused(unknown("x5")).await?, "key_unknown");
    assert_eq!(stage.provider().requests_to("GET", JWKS).await?.len(), before + 2);
    browser.accepted().await.map(|_| ())
}

async fn tk_21_tokens_come_with_status_200_alone(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    for status in [201, 202, 204, 206, 304] {
        let fault = json!({ "endpoint": "token", "times": 1, "status": status });
        let code = browser.refused(fault).await?;
        // A browser may take an answer of these two for broken before the page sees it.
        let expected: &[&str] =
            if matches!(status, 204 | 304) { &["http_status", "network"] } else { &["http_status"] };
        assert!(expected.contains(&code.as_str()), "{status}: {code}");
    }
    Ok(())
}

async fn tk_25_another_person_leaves_nothing_of_the_first(stage: Stage) -> Result {
    // A sign-in is begun and left lying; the person comes back and signs in as somebody else.
    let tab = stage.tab().await?;
    StartPage::open(&stage, &tab).await?.sign_in().await?;
    let lying = tab.url().await?;
    tab.goto(&stage.site()).await?;
    let first = StartPage::wait(&tab).await?.sign_in().await?.allow_as("sam").await?;
    let (subject, email) = (first.subject().await?, first.field("email").await?);
    first.reach().await?;
    let kept = session_records(&tab).await?;
    let old: Value = serde_json::from_str(&kept.iter().find(|(key, _)| key.ends_with(":session")).context("none")?.1)?;
    // Then the first one is brought to its end, by another person.
    let prompt = format!("{lying}&prompt=login");
    tab.goto(&prompt).await?;
    let second = ProviderPage::wait(&tab).await?.allow_as("olive").await?;
    assert_ne!(second.subject().await?, subject);
    second.userinfo("sub").await?;
    second.reach().await?;
    let text = tab.eval_text("return document.documentElement.outerHTML", &[]).await?;
    for of_first in [subject.as_str(), email.as_str()] {
        assert!(!text.contains(of_first), "{of_first} is still on the page");
    }
    only_a_session_is_kept(&tab).await?;
    let records = format!("{:?}", session_records(&tab).await?);
    for name in ["access_token", "refresh_token", "id_token"] {
        let value = old[name].as_str().context(name)?;
        assert!(!records.contains(value), "the first person's {name} is still kept");
    }
    assert!(!records.contains(&email), "the first person's address is still kept");
    Ok(())
}

async fn tk_27_what_asks_for_dpop_is_not_tried_again(stage: Stage) -> Result {
    // The provider offers both; neither is spoken, and nothing is pushed to anybody.
    let offers = json!({
        "pushed_authorization_request_endpoint": sink(&stage), "dpop_signing_alg_values_supported": ["ES256"],
    });
    stage.provider().fault(json!({ "endpoint": "discovery", "json_merge": offers })).await?;
    let browser = Repeated::new(&stage).await?;
    let headers = json!({
        "content-type": "application/json", "dpop-nonce": "n1", "access-control-expose-headers": "DPoP-Nonce",
    });
    let asks = json!({ "error": "use_dpop_nonce" }).to_string();
    let fault = json!({ "endpoint": "token", "times": 1, "status": 400, "body": asks, "headers": headers });
    assert_eq!(browser.refused(fault).await?, "token_refused");
    let bound = json!({ "endpoint": "token", "times": 1, "json_merge": { "token_type": "DPoP" } });
    assert_eq!(browser.refused(bound).await?, "token_type");
    for asked in stage.provider().requests_to("GET", AUTHORIZE).await? {
        assert!(!asked.query.contains_key("request_uri") && asked.query.contains_key("code_challenge"));
    }
    nothing_arrived(&stage);
    browser.accepted().await.map(|_| ())
}

/// Signs in with this userinfo: it is discarded, said so, and the session goes on without it.
async fn discarded(browser: &Repeated, stage: &Stage, fault: Value, code: &str) -> Result {
    let mut fault = fault;
    fault["endpoint"] = json!("userinfo");
    fault["times"] = json!(1);
    stage.provider().fault(fault.clone()).await?;
    let page = browser.accepted().await?;
    assert_eq!(page.userinfo_failed_by().await?, code, "{fault}");
    assert!(!page.tab().has("[data-userinfo]").await?, "{fault}: something of it is shown");
    assert!(!page.tab().text("main").await?.contains("Mallory"), "{fault}: something of it is shown");
    page.sign_out().await.map(|_| ())
}

async fn ui_02_userinfo_of_nobody(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    let sub = |sub: Value| json!({ "body": json!({ "sub": sub, "name": "Mallory" }).to_string() });
    for fault in [sub(json!(null)), sub(json!("")), sub(json!(1)), json!({ "body": r#"{"name":"Mallory"}"# })] {
        discarded(&browser, &stage, fault, "userinfo_malformed").await?;
    }
    for body in ["{}", "[]", "null", ""] {
        discarded(&browser, &stage, json!({ "body": body }), "userinfo_malformed").await?;
    }
    discarded(&browser, &stage, json!({ "status": 204, "body": "" }), "http_status").await
}

async fn ui_04_userinfo_by_content_type(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    let of_type = |content_type: &str| json!({ "headers": { "content-type": content_type } });
    // {"alg":"none"} . {"sub":"x","name":"Mallory"} .
    let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4IiwibmFtZSI6Ik1hbGxvcnkifQ.";
    for fault in [
        of_type("application/jwt"),
        json!({ "body": unsigned, "headers": { "content-type": "application/jwt" } }),
        json!({ "body": unsigned }),
        of_type("text/html"),
        json!({ "remove_headers": ["content-type"] }),
    ] {
        discarded(&browser, &stage, fault, "userinfo_malformed").await?;
    }
    let mut good = of_type("application/json; charset=utf-8");
    good["endpoint"] = json!("userinfo");
    stage.provider().fault(good).await?;
    browser.accepted().await?.userinfo("sub").await.map(|_| ())
}

async fn ui_06_userinfo_points_nowhere_and_overrides_nothing(stage: Stage) -> Result {
    let hostile = json!({
        "iss": "https://evil.example", "aud": "polar_ci_other", "exp": 1, "nonce": "x", "azp": "x", "at_hash": "x",
        "_claim_names": { "address": "src1", "phone": "src2" },
        "_claim_sources": {
            "src1": { "endpoint": sink(&stage), "access_token": "for-the-source" },
            "src2": { "JWT": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0." },
        },
    });
    stage.provider().fault(json!({ "endpoint": "userinfo", "json_merge": hostile })).await?;
    let page = signed_in_as(&stage, "olive").await?;
    let subject = page.userinfo("sub").await?;
    assert_eq!(page.claim("iss").await?, "https://polar.example");
    assert_eq!(page.subject().await?, subject);
    page.reach().await?;
    page.tab().reload().await?;
    let page = SignedInPage::wait(page.tab()).await?;
    page.userinfo("sub").await?;
    assert_eq!(page.claim("iss").await?, "https://polar.example");
    nothing_arrived(&stage);
    // The access token went to the provider alone, in the header.
    for seen in stage.provider().requests_to("GET", USERINFO).await? {
        assert!(seen.query.is_empty() && seen.headers.contains_key("authorization"));
    }
    assert!(stage.provider().requests_to("OPTIONS", TOKEN).await?.is_empty());
    Ok(())
}

async fn ui_08_an_edited_session_is_not_somebody_else(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "olive").await?;
    let email = page.field("email").await?;
    page.userinfo("sub").await?;
    page.reach().await?;
    let tab = page.tab();
    // Nothing of userinfo is kept that could be shown to the next person.
    let records = session_records(tab).await?;
    let record: Value = serde_json::from_str(&records[0].1)?;
    let mut claims: Value = serde_json::from_str(record["claims"].as_str().context("no claims")?)?;
    claims["sub"] = json!("u9");
    claims["name"] = json!("Mallory");
    let edited = Value::String(claims.to_string());
    tab.eval(
        "const key = Object.keys(sessionStorage).find(key => key.endsWith(':session'));
         sessionStorage[key] = JSON.stringify({ ...JSON.parse(sessionStorage[key]), claims: JSON.parse(arguments[0]) });",
        &[&edited.to_string()],
    )
    .await?;
    tab.reload().await?;
    // Userinfo is about somebody else than the record says: the session ends, and says why.
    let page = ErrorPage::wait(tab).await?;
    assert_eq!(page.code().await?, "userinfo_subject");
    let text = page.all_text().await?;
    assert!(!text.contains("Mallory") && !text.contains(&email), "somebody is still shown");
    nothing_is_kept(tab).await
}
