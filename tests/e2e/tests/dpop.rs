//! Tokens that are bound to a key of the browser (RFC 9449): each request is proven, and who has a token alone has nothing.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use polar_signin_e2e::{
    Context, Result, Stage, Tab,
    flows::{nothing_is_kept, only_a_session_is_kept, refused_as, signed_in_as},
    pages::{ErrorPage, Requests, SignedInPage, StartPage},
    provider::{Seen, USERINFO},
    sessions::{duplicate, member, record, refuse_the_token, renewed},
    suite,
    tab::eventually,
    widget::Widget,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

suite![
    rfc_9449_every_request_is_proven_with_one_key,
    rfc_9449_a_renewal_a_reload_and_a_duplicated_tab_have_the_same_key,
    rfc_9449_a_stolen_token_is_of_no_use_without_the_key,
    tk_27_nonces_are_met_where_they_are_demanded,
    tk_27_a_second_demand_is_said,
    rfc_9449_a_key_that_is_gone_is_said,
    rfc_9449_a_provider_without_it_is_refused,
    rfc_9449_a_bearer_token_is_refused,
    rfc_9449_a_refused_consent_leaves_no_key,
    rfc_9449_the_package_proves_what_it_fetches,
];

/// The provider binds tokens, and the app wants them bound.
async fn bound(stage: &Stage) -> Result {
    stage.provider().settings(json!({ "dpop": true })).await?;
    wanted(stage);
    Ok(())
}

fn wanted(stage: &Stage) {
    let mut config = stage.config();
    config["dpop"] = json!(true);
    stage.gateway().configure(&config);
}

/// Olive, whose userinfo and organizations have come.
async fn signed_in(stage: &Stage) -> Result<SignedInPage> {
    let page = signed_in_as(stage, "olive").await?;
    page.userinfo("sub").await?;
    page.reach().await?;
    Ok(page)
}

/// Header and claims of the proof of a request.
fn proof(seen: &Seen) -> Result<(Value, Value)> {
    let proof = seen.headers.get("dpop").context(format!("{} has no proof", seen.path))?;
    let part = |index| -> Result<Value> {
        let part = proof.split('.').nth(index).context("no JWT")?;
        Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?)
    };
    Ok((part(0)?, part(1)?))
}

/// Every request that carried a proof, in order.
async fn proven(stage: &Stage) -> Result<Vec<Seen>> {
    let all = stage.provider().requests().await?.into_iter();
    Ok(all.filter(|seen| seen.method != "OPTIONS" && seen.headers.contains_key("dpop")).collect())
}

/// That all proofs are of one key, that none is like another, and that no token went out without one. Says the key.
async fn one_key(stage: &Stage) -> Result<Value> {
    let all = stage.provider().requests().await?;
    let carry = |seen: &&Seen| seen.method != "OPTIONS" && seen.headers.contains_key("authorization");
    assert!(all.iter().filter(carry).all(|seen| seen.headers["authorization"].starts_with("DPoP ")));
    assert!(all.iter().filter(carry).all(|seen| seen.headers.contains_key("dpop")));
    let proofs = proven(stage).await?.iter().map(proof).collect::<Result<Vec<_>>>()?;
    let (first, _) = proofs.first().context("nothing was proven")?;
    assert!(proofs.iter().all(|(header, _)| header["jwk"] == first["jwk"]), "{proofs:?}");
    let ids: BTreeSet<_> = proofs.iter().map(|(_, claims)| claims["jti"].as_str()).collect();
    assert_eq!(ids.len(), proofs.len(), "{proofs:?}");
    Ok(first["jwk"].clone())
}

/// How many keys this origin keeps, whether any can be read, and whether anything else is kept beside them.
async fn keys(tab: &Tab) -> Result<Value> {
    let script = "
        const answer = request => new Promise((good, bad) => { request.onsuccess = () => good(request.result); request.onerror = bad; });
        return (async () => {
            const databases = indexedDB.databases ? (await indexedDB.databases()).map(({ name }) => name) : ['polar-signin'];
            if (!databases.includes('polar-signin')) return { databases, keys: 0, readable: false };
            const database = await answer(indexedDB.open('polar-signin'));
            const stores = Array.from(database.objectStoreNames);
            const records = stores.length ? await answer(database.transaction('keys').objectStore('keys').getAll()) : [];
            database.close();
            let readable = false;
            for (const { key } of records)
                for (const format of ['jwk', 'pkcs8'])
                    try { await crypto.subtle.exportKey(format, key); readable = true; } catch {}
            return { databases, stores, keys: records.length, members: records.map(record => Object.keys(record).sort().join()), readable };
        })()";
    tab.eval(script, &[]).await
}

async fn rfc_9449_every_request_is_proven_with_one_key(stage: Stage) -> Result {
    bound(&stage).await?;
    let page = signed_in(&stage).await?;
    let bench = Requests::wait(page.tab()).await?;
    bench.get("organizations/").await?;
    assert!(bench.request().await?.ends_with("Authorization: DPoP …\nDPoP: …"), "{}", bench.request().await?);

    let jwk = one_key(&stage).await?;
    let mut members: Vec<&str> = jwk.as_object().context("no key")?.keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["crv", "kty", "x", "y"], "the public half alone");
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, jwk["x"], jwk["y"]);
    let asked = stage.provider().requests_to("GET", "/oauth2/authorize").await?.remove(0).query;
    assert_eq!(asked["dpop_jkt"], URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)));

    let seen = proven(&stage).await?;
    let paths: BTreeSet<&str> = seen.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths.into_iter().collect::<Vec<_>>(), ["/v1/oauth2/token", USERINFO, "/v1/organizations/"]);
    assert!(seen.iter().all(|seen| seen.status == Some(200)), "{seen:?}");
    // The provider has looked at the rest; that the address in it is without its query can be seen here.
    let listed = seen.iter().find(|seen| seen.path == "/v1/organizations/").context("no list")?;
    assert!(!listed.query.is_empty());
    assert_eq!(proof(listed)?.1["htu"], format!("{}/v1/organizations/", stage.provider().origin()));

    let kept = keys(page.tab()).await?;
    assert_eq!((&kept["keys"], &kept["readable"]), (&json!(1), &json!(false)), "{kept}");
    assert_eq!(kept["members"], json!(["key,made,name,point"]));
    only_a_session_is_kept(page.tab()).await?;
    let tab = page.tab().clone();
    page.sign_out().await?;
    no_key_is_left(&tab).await?;
    nothing_is_kept(&tab).await
}

/// The key is removed beside whatever else the page does.
async fn no_key_is_left(tab: &Tab) -> Result {
    eventually("waiting until no key is kept".to_owned(), async || {
        let kept = keys(tab).await?;
        (kept["keys"] == 0).then_some(()).context(kept.to_string())
    })
    .await
}

async fn rfc_9449_a_renewal_a_reload_and_a_duplicated_tab_have_the_same_key(stage: Stage) -> Result {
    bound(&stage).await?;
    let page = signed_in(&stage).await?;
    let jwk = one_key(&stage).await?;
    refuse_the_token(&stage).await?;
    page.tab().reload().await?;
    let renewal = renewed(&stage, 1).await?.remove(0);
    assert_eq!((renewal.status, &proof(&renewal)?.0["jwk"]), (Some(200), &jwk));
    SignedInPage::wait(page.tab()).await?.userinfo("sub").await?;
    let copy = duplicate(page.tab(), &stage).await?;
    let before = stage.provider().requests_to("GET", USERINFO).await?.len();
    copy.reload().await?;
    SignedInPage::wait(&copy).await?.userinfo("sub").await?;
    let after = stage.provider().requests_to("GET", USERINFO).await?;
    assert!(after.len() > before && after.last().is_some_and(|seen| seen.status == Some(200)));
    assert_eq!(one_key(&stage).await?, jwk);
    assert_eq!(keys(&copy).await?["keys"], 1);
    Ok(())
}

async fn rfc_9449_a_stolen_token_is_of_no_use_without_the_key(stage: Stage) -> Result {
    bound(&stage).await?;
    let page = signed_in(&stage).await?;
    let token = member(&record(page.tab()).await?, "access_token");
    let shown = proven(&stage).await?.into_iter().rfind(|seen| seen.path == USERINFO).context("no userinfo")?;
    let script = "
        const [url, authorization, proof] = arguments;
        const headers = proof ? { authorization, dpop: proof } : { authorization };
        return fetch(url, { headers }).then(answer => answer.status)";
    let url = format!("{}{USERINFO}", stage.provider().origin());
    // As a bearer token, with no proof, and with one that somebody overheard.
    for (scheme, proof) in [("Bearer", ""), ("DPoP", ""), ("DPoP", &shown.headers["dpop"])] {
        let status = page.tab().eval(script, &[&url, &format!("{scheme} {token}"), proof]).await?;
        assert_eq!(status, 401, "{scheme} {proof}");
    }
    Ok(())
}

async fn tk_27_nonces_are_met_where_they_are_demanded(stage: Stage) -> Result {
    bound(&stage).await?;
    stage.provider().settings(json!({ "dpop_nonce_token": true, "dpop_nonce_resource": true })).await?;
    let page = signed_in(&stage).await?;
    let posts = stage.provider().code_posts().await?;
    assert_eq!(posts.iter().map(|seen| seen.status).collect::<Vec<_>>(), [Some(400), Some(200)]);
    assert_eq!(posts[0].body, posts[1].body, "the same code, which nobody had looked at");
    let (first, second) = (proof(&posts[0])?.1, proof(&posts[1])?.1);
    assert!(first.get("nonce").is_none() && second["nonce"].is_string() && first["jti"] != second["jti"]);
    // Resources: what was told with an answer is used for the next, and nothing is asked more than twice.
    Requests::wait(page.tab()).await?.get("oauth2/userinfo").await?;
    let seen = stage.provider().requests_to("GET", USERINFO).await?;
    assert!(seen.len() <= 4 && seen.last().is_some_and(|seen| seen.status == Some(200)), "{seen:?}");
    assert!(proof(seen.last().context("none")?)?.1["nonce"].is_string());
    // A new page knows none, and a resource demands one from it.
    page.tab().reload().await?;
    SignedInPage::wait(page.tab()).await?.userinfo("sub").await?;
    let demanded = proven(&stage).await?.into_iter().filter(|seen| seen.status == Some(401)).count();
    assert!(demanded > 0, "no resource demanded one");
    one_key(&stage).await.map(|_| ())
}

async fn tk_27_a_second_demand_is_said(stage: Stage) -> Result {
    bound(&stage).await?;
    let demand = json!({
        "endpoint": "token", "status": 400, "body": json!({ "error": "use_dpop_nonce" }).to_string(),
        "headers": { "content-type": "application/json", "dpop-nonce": "nonce-of-a-broken-server" },
    });
    stage.provider().fault(demand).await?;
    let error = refused_as(&stage, "olive").await?;
    assert_eq!(error.code().await?, "dpop_nonce");
    assert!(error.text().await?.contains("does not accept this browser’s proof"), "{}", error.text().await?);
    assert_eq!(stage.provider().code_posts().await?.len(), 2, "once more, and no oftener");
    nothing_is_kept(error.tab()).await?;
    no_key_is_left(error.tab()).await
}

async fn rfc_9449_a_key_that_is_gone_is_said(stage: Stage) -> Result {
    bound(&stage).await?;
    let page = signed_in(&stage).await?;
    let cleared = page.tab().eval(
        "return new Promise((good, bad) => {
            const request = indexedDB.deleteDatabase('polar-signin');
            request.onsuccess = () => good(true);
            request.onerror = request.onblocked = bad;
        })",
        &[],
    );
    assert_eq!(cleared.await?, true);
    let before = stage.provider().requests_to("GET", USERINFO).await?.len();
    page.tab().reload().await?;
    let error = ErrorPage::wait(page.tab()).await?;
    assert_eq!(error.code().await?, "key_lost");
    assert!(error.text().await?.contains("The key of this sign-in is gone"), "{}", error.text().await?);
    assert_eq!(stage.provider().requests_to("GET", USERINFO).await?.len(), before, "nothing went out without it");
    nothing_is_kept(page.tab()).await?;
    // And the way on is a new sign-in, with a new key.
    error.try_again().await?;
    let page = polar_signin_e2e::flows::pass_the_provider(page.tab(), "olive").await?;
    page.userinfo("sub").await?;
    assert_eq!(keys(page.tab()).await?["keys"], 1);
    Ok(())
}

async fn rfc_9449_a_provider_without_it_is_refused(stage: Stage) -> Result {
    wanted(&stage);
    let tab = stage.tab().await?;
    StartPage::open(&stage, &tab).await?;
    tab.click("#sign-in").await?;
    let error = ErrorPage::wait(&tab).await?;
    assert_eq!(error.code().await?, "metadata_unsupported");
    assert!(error.all_text().await?.contains("dpop_signing_alg_values_supported"), "{}", error.all_text().await?);
    assert!(stage.provider().requests_to("GET", "/oauth2/authorize").await?.is_empty());
    assert_eq!(keys(&tab).await?["keys"], 0);
    nothing_is_kept(&tab).await
}

async fn rfc_9449_a_bearer_token_is_refused(stage: Stage) -> Result {
    bound(&stage).await?;
    stage.provider().fault(json!({ "endpoint": "token", "json_merge": { "token_type": "Bearer" } })).await?;
    let error = refused_as(&stage, "olive").await?;
    assert_eq!(error.code().await?, "token_type");
    assert!(stage.provider().requests_to("GET", USERINFO).await?.is_empty(), "it was used");
    nothing_is_kept(error.tab()).await?;
    no_key_is_left(error.tab()).await
}

async fn rfc_9449_a_refused_consent_leaves_no_key(stage: Stage) -> Result {
    bound(&stage).await?;
    let tab = stage.tab().await?;
    let consent = StartPage::open(&stage, &tab).await?.sign_in().await?.person("olive").await?;
    let error = consent.deny().await?;
    assert_eq!(error.code().await?, "access_denied");
    no_key_is_left(error.tab()).await
}

async fn rfc_9449_the_package_proves_what_it_fetches(stage: Stage) -> Result {
    stage.provider().settings(json!({ "dpop": true, "dpop_nonce_resource": true })).await?;
    let widget = Widget::with_dpop(&stage).await?;
    let element = widget.signed_in(&stage).await?;
    let list = format!("{}/v1/organizations/?limit=1", stage.provider().origin());
    let ask = format!("return element.fetch('{list}').then(answer => answer.status, error => error.name)");
    assert_eq!(element.eval(&ask).await?, json!(200));
    // A token that is refused is renewed, and the request proven again.
    stage.provider().fault(json!({ "endpoint": "organizations", "times": 1, "status": 401, "body": "{}" })).await?;
    assert_eq!(element.eval(&ask).await?, json!(200));
    let asked = stage.provider().requests_to("GET", "/v1/organizations/").await?;
    let last = asked.last().context("nothing was asked for")?;
    let (_, claims) = proof(last)?;
    assert_eq!(claims["htu"], json!(format!("{}/v1/organizations/", stage.provider().origin())));
    assert!(claims["nonce"].is_string() && claims["ath"].is_string(), "{claims}");
    assert_eq!(stage.provider().requests_to("POST", "/v1/oauth2/token").await?.len(), 2);
    one_key(&stage).await?;
    assert_eq!(keys(&element.tab).await?["readable"], json!(false));
    element.press("sign-out").await?;
    element.until("signed-out").await?;
    nothing_is_kept(&element.tab).await?;
    eventually("the key is gone".to_owned(), async || {
        let left = keys(&element.tab).await?;
        if left["keys"] == json!(0) { Ok(()) } else { Err(polar_signin_e2e::Failure::new(left.to_string())) }
    })
    .await
}
