//! Modules of the conformance suite that belong to no plan that a public client could be certified by.

use polar_signin_e2e::{
    Result, Stage, conformance::Module, flows::only_a_session_is_kept, pages::SignedInPage, provider::USERINFO, suite,
};
use serde_json::{Value, json};

suite![
    oidcc_client_test_missing_aud,
    oidcc_client_test_invalid_sig_es256,
    oidcc_client_test_userinfo_bearer_header,
    oidcc_client_test_userinfo_signed,
    oidcc_client_test_aggregated_claims,
    oidcc_client_test_distributed_claims,
    oidcc_client_test_mtls_endpoint_aliases,
    oidcc_client_test_ignores_unparseable_key_in_jwks,
];

async fn oidcc_client_test_missing_aud(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    module.id_token(json!({ "claims": { "aud": null } })).await?;
    module.refused("id_token_audience").await
}

async fn oidcc_client_test_invalid_sig_es256(stage: Stage) -> Result {
    let module = Module::begin_with(&stage, |settings| settings["id_token_alg"] = json!("ES256")).await?;
    // Without the fault the same provider is believed.
    module.accepted().await?.sign_out().await?;
    module.id_token(json!({ "signature": "xor5a" })).await?;
    module.sign_in().await?;
    module.ended("id_token_signature", 1).await
}

async fn oidcc_client_test_userinfo_bearer_header(stage: Stage) -> Result {
    Module::begin(&stage).await?.accepted().await?;
    let asked = stage.provider().requests_to("GET", USERINFO).await?.remove(0);
    assert!(asked.headers["authorization"].starts_with("Bearer "));
    let token = &asked.headers["authorization"]["Bearer ".len()..];
    let others = asked.headers.iter().filter(|(name, _)| *name != "authorization");
    assert!(others.into_iter().all(|(_, value)| !value.contains(token)), "the token is in another header too");
    assert!(asked.query.is_empty() && asked.body.is_empty());
    assert!(!asked.headers.contains_key("cookie"));
    Ok(())
}

async fn oidcc_client_test_userinfo_signed(stage: Stage) -> Result {
    let module = Module::begin_with(&stage, |settings| settings["signed_userinfo"] = json!(true)).await?;
    module.sign_in().await?;
    // The ID token is good: somebody is signed in, by what it says and by nothing else.
    let page = SignedInPage::wait(module.tab()).await?;
    assert_eq!(page.userinfo_failed_by().await?, "userinfo_malformed");
    assert_eq!(page.claim("sub").await?, page.subject().await?);
    assert!(!module.tab().has("[data-userinfo]").await?);
    let shown = module.tab().eval_text("return document.documentElement.outerHTML", &[]).await?;
    assert!(!shown.contains("Demo T. User"), "a claim that was not read strictly is on the page");
    only_a_session_is_kept(module.tab()).await
}

/// Userinfo that points to somebody who knows more.
async fn more_by(stage: &Stage, source: Value) -> Result<Module> {
    let module = Module::begin_with(stage, |settings| {
        let userinfo = &mut settings["shape"]["userinfo"];
        userinfo["_claim_names"] = json!({ "credit_score": "src1" });
        userinfo["_claim_sources"] = json!({ "src1": source });
    })
    .await?;
    // No other request was made: not even one without the token.
    let page = module.accepted().await?;
    assert_eq!(page.field("name").await?, "Demo T. User");
    assert!(!module.tab().has("[data-userinfo=credit_score]").await?, "it is shown as the provider's word");
    assert!(!module.tab().has("[data-claim=credit_score]").await?, "it is shown as the provider's word");
    Ok(module)
}

async fn oidcc_client_test_aggregated_claims(stage: Stage) -> Result {
    // {"alg":"none"}.{"credit_score":650}.
    let jwt = "eyJhbGciOiJub25lIn0.eyJjcmVkaXRfc2NvcmUiOjY1MH0.";
    more_by(&stage, json!({ "JWT": jwt })).await.map(|_| ())
}

async fn oidcc_client_test_distributed_claims(stage: Stage) -> Result {
    // On the provider's own host: nothing but the app itself keeps it from going there.
    let endpoint = format!("{}/claims_endpoint", stage.provider().origin());
    let module = more_by(&stage, json!({ "endpoint": endpoint, "access_token": "for-the-claims-alone" })).await?;
    assert!(module.log().await?.iter().all(|seen| seen.path != "/claims_endpoint"));
    Ok(())
}

async fn oidcc_client_test_mtls_endpoint_aliases(stage: Stage) -> Result {
    let at = |path: &str| format!("{}/mtls{path}", stage.provider().origin());
    let aliases = json!({ "token_endpoint": at("/token"), "userinfo_endpoint": at("/userinfo") });
    let module = Module::begin_with(&stage, |settings| {
        settings["shape"]["discovery"]["mtls_endpoint_aliases"] = aliases;
    })
    .await?;
    module.accepted().await?;
    assert!(module.log().await?.iter().all(|seen| !seen.path.starts_with("/mtls")));
    Ok(())
}

async fn oidcc_client_test_ignores_unparseable_key_in_jwks(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    let unusable = [
        json!({ "kty": "AKP", "alg": "ML-DSA-999", "use": "sig", "kid": "akp", "pub": "AAAA" }),
        json!({ "kty": "made-up", "alg": "made-up", "use": "sig", "kid": "made-up", "x": 1 }),
    ];
    module.further_keys(unusable.to_vec()).await?;
    module.accepted().await.map(|_| ())
}
