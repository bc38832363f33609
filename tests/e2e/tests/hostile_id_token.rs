//! ID tokens that no honest provider makes, each in every form of its row of the matrix. All of
//! them are signed well unless the row is about the signature, so only the claim itself can be why.

use polar_signin_e2e::{Result, Stage, flows::Repeated, suite};
use serde_json::{Value, json};

suite![
    id_09_keys_that_the_token_brings_along_are_not_looked_at,
    id_19_another_issuer,
    id_21_another_audience,
    id_25_no_subject,
    id_30_no_time_of_issue,
    id_33_another_nonce,
    id_34_the_token_of_an_earlier_sign_in,
    id_40_hostile_claims_are_text,
    id_41_claims_named_like_properties_are_claims,
];

/// Each of these values of one claim is refused with the same code, and so is its absence.
async fn refused(stage: &Stage, claim: &str, values: &[Value], code: &str) -> Result {
    let browser = Repeated::new(stage).await?;
    for value in values {
        let fault = json!({ "endpoint": "id_token", "times": 1, "claims_set": { claim: value } });
        assert_eq!(browser.refused(fault).await?, code, "{claim}: {value}");
    }
    let missing = json!({ "endpoint": "id_token", "times": 1, "claims": { claim: null } });
    assert_eq!(browser.refused(missing).await?, code, "{claim}: missing");
    // It was the claim: without the fault the same browser signs in.
    browser.accepted().await.map(|_| ())
}

async fn id_09_keys_that_the_token_brings_along_are_not_looked_at(stage: Stage) -> Result {
    let evil = format!("{}/sink", stage.gateway().origin());
    let browser = Repeated::new(&stage).await?;
    let forged =
        |header: Value| json!({ "endpoint": "id_token", "times": 1, "self_signed": true, "header_set": header });
    for header in [
        json!({}),
        json!({ "kid": "k1" }),
        json!({ "jku": evil, "x5u": evil }),
        json!({ "kid": "k1", "jku": evil, "x5u": evil, "x5c": ["MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"] }),
    ] {
        assert_eq!(browser.refused(forged(header.clone())).await?, "id_token_signature", "{header}");
    }
    let seen = stage.gateway().requests();
    assert!(seen.iter().all(|seen| !seen.target.contains("sink")), "a key was fetched from where the token says");
    // A good token may carry them: they mean nothing.
    let harmless = json!({ "endpoint": "id_token", "times": 1, "header_set": { "jku": evil, "x5u": evil } });
    stage.provider().fault(harmless).await?;
    browser.accepted().await?;
    assert!(stage.gateway().requests().iter().all(|seen| !seen.target.contains("sink")));
    Ok(())
}

async fn id_19_another_issuer(stage: Stage) -> Result {
    // The provider's is https://polar.example.
    let values = [
        json!(null),
        json!(""),
        json!(["https://polar.example"]),
        json!("https://polar.example1"),
        json!("https://polar.example/"),
        json!("https://POLAR.example"),
        json!("https://polar.example:443"),
        json!("http://polar.example"),
    ];
    refused(&stage, "iss", &values, "id_token_issuer").await
}

async fn id_21_another_audience(stage: Stage) -> Result {
    // The client is polar_ci_e2e.
    let values = [
        json!(null),
        json!(""),
        json!([]),
        json!("polar_ci_e2e1"),
        json!("POLAR_CI_E2E"),
        json!(["polar_ci_other"]),
        json!([["polar_ci_e2e"]]),
        json!({ "0": "polar_ci_e2e" }),
        json!("polar_ci_e2e polar_ci_other"),
        json!(1),
    ];
    refused(&stage, "aud", &values, "id_token_audience").await
}

async fn id_25_no_subject(stage: Stage) -> Result {
    let values = [json!(null), json!(""), json!(1), json!([]), json!("s".repeat(256))];
    refused(&stage, "sub", &values, "id_token_subject").await
}

async fn id_30_no_time_of_issue(stage: Stage) -> Result {
    refused(&stage, "iat", &[json!(null), json!("1795392000")], "id_token_issued_at").await
}

async fn id_33_another_nonce(stage: Stage) -> Result {
    // Of a sign-in that is under way in the same browser too.
    let browser = Repeated::new(&stage).await?;
    stage.provider().settings(json!({ "auto_sign_in": null })).await?;
    browser.begin().await?;
    browser.tab().wait_for("button[name=person]").await?;
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?;
    let pending = asked[0].query["nonce"].clone();
    let values = [json!(null), json!(""), json!([pending]), json!(pending), json!(pending.to_lowercase())];
    refused(&stage, "nonce", &values, "id_token_nonce").await?;
    // What the provider sends back is its own nonce and one character.
    let browser = Repeated::new(&stage).await?;
    let longer = json!({ "endpoint": "id_token", "times": 1, "nonce_suffix": "1" });
    assert_eq!(browser.refused(longer).await?, "id_token_nonce");
    Ok(())
}

async fn id_34_the_token_of_an_earlier_sign_in(stage: Stage) -> Result {
    let browser = Repeated::new(&stage).await?;
    let page = browser.accepted().await?;
    page.userinfo("sub").await?;
    page.sign_out().await?;
    stage.provider().fault(json!({ "endpoint": "id_token", "times": 1, "replay": true })).await?;
    browser.begin().await?;
    let page = polar_signin_e2e::pages::ErrorPage::wait(browser.tab()).await?;
    // Both the nonce and the hash of the access token are of before; the nonce comes first.
    assert_eq!(page.code().await?, "id_token_nonce");
    polar_signin_e2e::flows::nothing_is_kept(browser.tab()).await
}

async fn id_40_hostile_claims_are_text(stage: Stage) -> Result {
    let name = "<script>document.title='run'</script><img src=x onerror=document.title='run'>\u{202e}";
    let claims = json!({
        "name": format!("{name}{}", "n".repeat(40_000)),
        "email": "admin@op.ex\u{430}mple",
        "email_verified": "true",
        "picture": "javascript:document.title='run'",
    });
    let browser = Repeated::new(&stage).await?;
    stage.provider().fault(json!({ "endpoint": "id_token", "times": 1, "claims": claims })).await?;
    stage.provider().fault(json!({ "endpoint": "userinfo", "times": 1, "json_merge": claims })).await?;
    let page = browser.accepted().await?;
    page.userinfo("sub").await?;
    let tab = page.tab();
    let shown = page.field("name").await?;
    assert!(shown.starts_with("<script>"), "it is not shown as text: {shown}");
    assert!(shown.chars().count() <= 256, "{} characters of a name", shown.chars().count());
    assert_eq!(page.field("email").await?, "admin@op.ex\u{430}mple");
    // Only the JSON `true` says so.
    assert!(page.field("email-verified").await?.to_lowercase().contains("not"));
    let grown = tab
        .eval(
            "return [document.title === 'run', document.querySelectorAll('main script, main img[src=x]').length,
                Array.from(document.querySelectorAll('main *')).some(element =>
                    Array.from(element.attributes).some(attribute => attribute.value.startsWith('javascript:')
                        && attribute.name !== 'data-claim' && attribute.name !== 'data-userinfo')),
                document.documentElement.scrollWidth > document.documentElement.clientWidth]",
            &[],
        )
        .await?;
    assert_eq!(grown, json!([false, 0, false, false]), "run, elements, addresses, wider than the window");
    // Who somebody is never hangs on an address: the subject is the provider's.
    assert_ne!(page.subject().await?, "admin@op.ex\u{430}mple");
    Ok(())
}

async fn id_41_claims_named_like_properties_are_claims(stage: Stage) -> Result {
    let claims = json!({
        "__proto__": { "polluted": "yes" }, "constructor": "c", "toString": "t", "hasOwnProperty": "h",
    });
    let browser = Repeated::new(&stage).await?;
    stage.provider().fault(json!({ "endpoint": "id_token", "times": 1, "claims_set": claims })).await?;
    stage.provider().fault(json!({ "endpoint": "userinfo", "times": 1, "json_merge": claims })).await?;
    let page = browser.accepted().await?;
    assert_eq!(page.claim("toString").await?, "t");
    assert_eq!(page.userinfo("constructor").await?, "c");
    assert!(page.claim("__proto__").await?.contains("polluted"));
    let untouched = "return ({}).polluted === undefined && ({}).toString() === '[object Object]'
        && typeof ({}).hasOwnProperty === 'function' && ({}).constructor === Object";
    assert_eq!(page.tab().eval(untouched, &[]).await?, json!(true));
    page.sign_out().await.map(|_| ())
}
