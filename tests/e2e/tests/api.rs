//! Requests to the API: what may be asked, what is answered, and what happens when it is not.

use std::time::Duration;

use polar_signin_e2e::{
    Context, Result, Stage,
    flows::{only_a_session_is_kept, pass_the_provider, signed_in_as},
    hygiene::session_records,
    pages::{Requests, SignedInPage},
    provider::{TOKEN, USERINFO},
    suite,
};
use serde_json::{Value, json};

suite![
    a_request_is_shown_without_its_token_and_answered_as_a_tree,
    a_scope_that_was_not_granted_is_said_before_and_after_and_asked_for,
    an_endpoint_that_refuses_organizations_is_explained,
    a_401_renews_once_and_signs_nobody_out,
    a_429_is_waited_out_and_can_be_cancelled,
    a_thousand_organizations_come_page_by_page_and_can_be_cancelled,
    a_pasted_token_is_used_and_gone_after_a_reload,
    a_pasted_token_is_kept_if_somebody_asks_for_that_and_while_somebody_is_signed_in,
    one_organization_of_several_can_be_asked_about,
    errors_of_the_api_are_said_in_its_words,
];

async fn bench(page: &SignedInPage) -> Result<Requests> {
    Requests::wait(page.tab()).await
}

async fn asked(stage: &Stage, path: &str) -> Result<usize> {
    Ok(stage.provider().requests_to("GET", path).await?.len())
}

/// What the tab's session holds under this name.
async fn kept(page: &SignedInPage, name: &str) -> Result<String> {
    let records = session_records(page.tab()).await?;
    let (_, record) = records.iter().find(|(key, _)| key.ends_with(":session")).context("no session")?;
    let record: Value = serde_json::from_str(record)?;
    record[name].as_str().map(str::to_owned).context("nothing of that name")
}

async fn a_request_is_shown_without_its_token_and_answered_as_a_tree(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "sam").await?;
    let bench = bench(&page).await?;
    let tree = bench.get("organizations/").await?;
    for words in ["Acme Tools", "birch-studio", "total_count", "items"] {
        assert!(tree.contains(words), "no {words} in {tree}");
    }
    let request = bench.request().await?;
    assert!(request.starts_with(&format!("GET {}/v1/organizations/?page=1&limit=100", stage.provider().origin())));
    assert!(request.ends_with("Authorization: Bearer …"), "{request}");
    assert!(bench.get("oauth2/userinfo").await?.contains("sam@example.com"));
    // What is copied has a placeholder where the token goes.
    page.tab().eval("navigator.clipboard.writeText = async text => { window.copied = [text]; }", &[]).await?;
    page.tab().click("#copy-curl").await?;
    let copied = page.tab().eval_text("return window.copied[0]", &[]).await?;
    let curl =
        format!("curl -H \"Authorization: Bearer $ACCESS_TOKEN\" '{}/v1/oauth2/userinfo'", stage.provider().origin());
    assert_eq!(copied, curl);
    Ok(())
}

async fn a_scope_that_was_not_granted_is_said_before_and_after_and_asked_for(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "sam").await?;
    let bench = bench(&page).await?;
    bench.choose("products/").await?;
    assert_eq!(bench.refused().await?.as_deref(), Some("products:read"));
    assert!(page.tab().has("#send:disabled").await?);
    assert_eq!(asked(&stage, "/v1/products/").await?, 0);
    // One click asks for it.
    page.tab().click("#ask-scope").await?;
    let page = pass_the_provider(page.tab(), "sam").await?;
    let bench = Requests::wait(page.tab()).await?;
    assert!(bench.get("products/").await?.contains("Acme Tools products 1"));
    // The provider changes its mind: it says which scope is missing, and the page offers to ask for it.
    let detail =
        "The request requires higher privileges than provided by the access token. Required scopes: products:read.";
    let body = json!({ "error": "insufficient_scope", "detail": detail }).to_string();
    stage.provider().fault(json!({ "endpoint": "api", "times": 1, "status": 403, "body": body })).await?;
    bench.send().await?;
    assert_eq!(bench.failed_by().await?, "insufficient_scope");
    assert_eq!(page.tab().attribute("[data-missing]", "data-missing").await?.as_deref(), Some("products:read"));
    assert!(page.tab().text("[data-request-failed]").await?.contains("products:read"));
    page.tab().click("[data-missing] #ask-scope").await?;
    pass_the_provider(page.tab(), "sam").await.map(|_| ())
}

async fn an_endpoint_that_refuses_organizations_is_explained(stage: Stage) -> Result {
    stage.provider().settings(json!({ "organizations": "earlier" })).await?;
    let tab = stage.tab().await?;
    let consent = polar_signin_e2e::pages::StartPage::open(&stage, &tab)
        .await?
        .sign_in_with_organization()
        .await?
        .person("sam")
        .await?;
    let one = consent.organizations().await?.swap_remove(0);
    let page = consent.choose(&one).await?.allow().await?;
    let bench = bench(&page).await?;
    bench.choose("users/me").await?;
    assert_eq!(bench.refused().await?.as_deref(), Some("organization"));
    assert!(page.tab().has("#send:disabled").await?);
    assert_eq!(asked(&stage, "/v1/users/me").await?, 0, "it was asked all the same");
    // What it may ask works with the same token.
    assert!(bench.get("organizations/").await?.contains(&one.name));
    only_a_session_is_kept(page.tab()).await
}

async fn a_401_renews_once_and_signs_nobody_out(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "sam").await?;
    let bench = bench(&page).await?;
    page.userinfo("sub").await?;
    page.reach().await?;
    let before = kept(&page, "access_token").await?;
    let refusal = json!({ "error": "Unauthorized", "detail": "Unauthorized" }).to_string();
    let once = json!({ "endpoint": "organizations", "times": 1, "status": 401, "body": refusal });
    stage.provider().fault(once).await?;
    assert!(bench.get("organizations/").await?.contains("Acme Tools"));
    assert_eq!(stage.provider().requests_to("POST", TOKEN).await?.len(), 2, "the code, and one renewal");
    assert_ne!(kept(&page, "access_token").await?, before);
    // An endpoint that goes on saying no ends the request, and nothing else.
    let listed = asked(&stage, "/v1/organizations/").await?;
    stage.provider().fault(json!({ "endpoint": "organizations", "status": 401, "body": refusal })).await?;
    bench.send().await?;
    assert_eq!(bench.failed_by().await?, "api_unauthorized");
    assert!(asked(&stage, "/v1/organizations/").await? <= listed + 2, "it went round");
    assert!(stage.provider().requests_to("POST", TOKEN).await?.len() <= 3, "it renewed again and again");
    page.tab().reload().await?;
    SignedInPage::wait(page.tab()).await.map(|_| ())
}

async fn a_429_is_waited_out_and_can_be_cancelled(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "sam").await?;
    let bench = bench(&page).await?;
    page.reach().await?;
    let before = asked(&stage, "/v1/organizations/").await?;
    let too_many = json!({ "error": "RateLimited", "detail": "Too many requests" }).to_string();
    let fault = json!({ "endpoint": "organizations", "times": 1, "status": 429, "body": too_many });
    stage.provider().fault(fault.clone()).await?;
    bench.choose("organizations/").await?;
    bench.send().await?;
    page.tab().wait_for("[data-pausing]").await?;
    page.tab().wait_for("[data-result] [data-json]").await?;
    assert_eq!(asked(&stage, "/v1/organizations/").await?, before + 2);
    // A second one is given up in the pause: nothing more is sent.
    stage.provider().fault(fault).await?;
    bench.send().await?;
    page.tab().wait_for("[data-pausing]").await?;
    page.tab().click("#cancel-request").await?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(asked(&stage, "/v1/organizations/").await?, before + 3, "it went on after it was cancelled");
    assert!(!page.tab().has("[data-result] [data-json]").await?);
    Ok(())
}

async fn a_thousand_organizations_come_page_by_page_and_can_be_cancelled(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "max").await?;
    let bench = bench(&page).await?;
    page.reach().await?;
    bench.choose("organizations/").await?;
    page.tab().click("#fetch-all").await?;
    page.tab().wait_for("[data-fetched='1000']").await?;
    assert_eq!(page.tab().count(".fetched li").await?, 1000);
    assert!(page.tab().text("[data-fetched]").await?.contains("1,000"));
    // Slowly now: the progress is seen, and it stops where it is told to.
    stage.provider().fault(json!({ "endpoint": "organizations", "delay_ms": 700 })).await?;
    let before = asked(&stage, "/v1/organizations/").await?;
    page.tab().click("#fetch-all").await?;
    page.tab().wait_for("[data-fetched='200'] progress").await?;
    page.tab().click("#cancel-request").await?;
    let at = asked(&stage, "/v1/organizations/").await?;
    assert!((before + 2..before + 5).contains(&at), "{at} after {before}");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(asked(&stage, "/v1/organizations/").await?, at, "it went on after it was cancelled");
    Ok(())
}

async fn a_pasted_token_is_used_and_gone_after_a_reload(stage: Stage) -> Result {
    let token = "polar_pat_demo_sam";
    let page = signed_in_as(&stage, "olive").await?;
    page.userinfo("sub").await?;
    let bench = bench(&page).await?;
    bench.paste(token).await?;
    page.tab().wait_for("[data-token-reaches='3']").await?;
    assert!(page.tab().text("[data-token-reaches]").await?.contains("Acme Tools"));
    // It reaches what Sam reaches, whatever Olive was granted.
    assert!(bench.get("products/").await?.contains("Birch Studio products 1"));
    let sent = stage.provider().requests_to("GET", "/v1/products/").await?;
    assert_eq!(sent[0].headers["authorization"], format!("Bearer {token}"));
    // Userinfo does not take it, and that is no reason to renew or to sign out.
    let (userinfos, renewals) =
        (asked(&stage, USERINFO).await?, stage.provider().requests_to("POST", TOKEN).await?.len());
    bench.choose("oauth2/userinfo").await?;
    bench.send().await?;
    assert_eq!(bench.failed_by().await?, "api_unauthorized");
    assert_eq!(asked(&stage, USERINFO).await?, userinfos + 1);
    assert_eq!(stage.provider().requests_to("POST", TOKEN).await?.len(), renewals);
    // It is in memory alone: in no storage, in no field, on no screen.
    let everything = page
        .tab()
        .eval_text(
            "return document.documentElement.outerHTML + JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage })
                + Array.from(document.querySelectorAll('input'), input => input.value).join() + document.cookie",
            &[],
        )
        .await?;
    assert!(!everything.contains(token), "the pasted token is somewhere");
    page.tab().reload().await?;
    SignedInPage::wait(page.tab()).await?;
    let bench = Requests::wait(page.tab()).await?;
    assert!(!page.tab().has("[data-pasted]").await?);
    bench.choose("products/").await?;
    assert_eq!(bench.refused().await?.as_deref(), Some("products:read"), "Olive's own sign-in again");
    Ok(())
}

/// Where in this tab's storages something stands.
async fn keys_with(page: &SignedInPage, text: &str) -> Result<Value> {
    let script = "return [sessionStorage, localStorage].flatMap(storage => Object.keys(storage)
        .filter(key => key.includes(arguments[0]) || storage[key].includes(arguments[0])))";
    page.tab().eval(script, &[text]).await
}

async fn a_pasted_token_is_kept_if_somebody_asks_for_that_and_while_somebody_is_signed_in(stage: Stage) -> Result {
    let token = "polar_pat_demo_sam";
    let page = signed_in_as(&stage, "olive").await?;
    bench(&page).await?.paste_and_keep(token).await?;
    let kept = keys_with(&page, token).await?;
    assert_eq!(kept.as_array().map(Vec::len), Some(1), "{kept}");
    // A reload finds it, and requests go out with it.
    page.tab().reload().await?;
    SignedInPage::wait(page.tab()).await?;
    page.tab().wait_for("[data-token-reaches='3']").await?;
    assert!(bench(&page).await?.get("products/").await?.contains("Birch Studio products 1"));
    // Forgotten is forgotten.
    page.tab().click("#forget-token").await?;
    page.tab().wait_for("#use-token").await?;
    assert_eq!(keys_with(&page, token).await?, json!([]));
    // Nor is it there for whoever comes after the last sign-out.
    bench(&page).await?.paste_and_keep(token).await?;
    page.sign_out().await?;
    assert_eq!(keys_with(&page, token).await?, json!([]));
    page.tab().click("#sign-in").await?;
    let page = pass_the_provider(page.tab(), "olive").await?;
    bench(&page).await?;
    assert!(!page.tab().has("[data-pasted]").await?);
    Ok(())
}

async fn one_organization_of_several_can_be_asked_about(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "sam").await?;
    let bench = bench(&page).await?;
    page.reach().await?;
    bench.choose("organizations/").await?;
    assert!(!page.tab().has("#organization").await?, "the list of them is about all");
    bench.choose("products/").await?;
    page.tab().click("#ask-scope").await?;
    let page = pass_the_provider(page.tab(), "sam").await?;
    let bench = Requests::wait(page.tab()).await?;
    let all = bench.get("products/").await?;
    assert!(all.contains("Acme Tools products 1") && all.contains("Birch Studio products 1"), "{all}");
    bench.about("Birch Studio").await?;
    let request = bench.request().await?;
    assert!(request.contains("/v1/products/?organization_id="), "{request}");
    bench.send().await?;
    let one = bench.answer().await?;
    assert!(one.contains("Birch Studio products 1") && !one.contains("Acme Tools"), "{one}");
    // So does the whole list, page by page.
    page.tab().click("#fetch-all").await?;
    page.tab().wait_for("[data-fetched='3']").await?;
    // And back to all of them.
    bench.about("All that is reached").await?;
    page.tab().click("#fetch-all").await?;
    page.tab().wait_for("[data-fetched='9']").await?;
    // Another token begins with all of its own, here the same ones; and so does the way back.
    let chosen = "return document.querySelector('#organization').selectedOptions[0].text
        + document.querySelector('[data-request]').textContent.includes('organization_id')";
    for change in ["paste", "forget"] {
        bench.about("Birch Studio").await?;
        assert_eq!(page.tab().eval(chosen, &[]).await?, json!("Birch Studiotrue"));
        if change == "paste" {
            bench.paste("polar_pat_demo_sam").await?;
            page.tab().wait_for("[data-token-reaches='3']").await?;
        } else {
            page.tab().click("#forget-token").await?;
        }
        page.tab().wait_for("#organization").await?;
        assert_eq!(page.tab().eval(chosen, &[]).await?, json!("All that is reachedfalse"), "{change}");
    }
    Ok(())
}

async fn errors_of_the_api_are_said_in_its_words(stage: Stage) -> Result {
    let page = signed_in_as(&stage, "sam").await?;
    let bench = bench(&page).await?;
    page.reach().await?;
    bench.choose("organizations/").await?;
    let html = json!({ "content-type": "text/html" });
    let validation = json!({
        "error": "RequestValidationError", "detail": [{ "loc": ["query", "limit"], "msg": "too much <b>", "type": "x" }],
    });
    for (fault, code, said) in [
        (json!({ "status": 422, "body": validation.to_string() }), "api_invalid", "query.limit: too much <b>"),
        (
            json!({ "status": 404, "body": r#"{"error":"ResourceNotFound","detail":"Not found"}"# }),
            "api_not_found",
            "ResourceNotFound",
        ),
        (json!({ "status": 500, "body": "<h1>no</h1>", "headers": html }), "server_error", ""),
        (json!({ "cors": false }), "network", ""),
        (json!({ "body": "{\"items\":1,\"items\":2}" }), "api_malformed", ""),
        (json!({ "gzip_zeros": 100 << 20 }), "too_large", ""),
    ] {
        let mut fault = fault;
        fault["endpoint"] = json!("organizations");
        fault["times"] = json!(1);
        stage.provider().fault(fault.clone()).await?;
        bench.send().await?;
        assert_eq!(bench.failed_by().await?, code, "{fault}");
        assert!(page.tab().text("[data-request-failed]").await?.contains(said), "{fault}");
        assert!(!page.tab().has("[data-result] h1, [data-result] b").await?, "{fault}: markup");
        // The error is gone as soon as there is something newer.
        bench.choose("oauth2/userinfo").await?;
        assert!(!page.tab().has("[data-request-failed]").await?);
        bench.choose("organizations/").await?;
    }
    bench.get("organizations/").await.map(|_| ())
}
