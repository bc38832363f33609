//! The modules of the conformance suite's plan for a basic client, as `tests/modules.tsv` lists them.

use polar_signin_e2e::{
    Context, Result, Stage,
    conformance::{AUTHORIZE, Module},
    stage::CLIENT_ID,
    suite,
};
use serde_json::json;

suite![
    oidcc_client_test,
    oidcc_client_test_invalid_iss,
    oidcc_client_test_missing_sub,
    oidcc_client_test_invalid_aud,
    oidcc_client_test_missing_iat,
    oidcc_client_test_kid_absent_single_jwks,
    oidcc_client_test_kid_absent_multiple_jwks,
    oidcc_client_test_idtoken_sig_rs256,
    oidcc_client_test_idtoken_sig_none,
    oidcc_client_test_invalid_sig_rs256,
    oidcc_client_test_userinfo_invalid_sub,
    oidcc_client_test_nonce_invalid,
    oidcc_client_test_scope_userinfo_claims,
];

async fn oidcc_client_test(stage: Stage) -> Result {
    let page = Module::begin(&stage).await?.accepted().await?;
    assert_eq!(page.claim("iss").await?, format!("{}/", stage.provider().origin()));
    Ok(())
}

async fn oidcc_client_test_invalid_iss(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    module.id_token(json!({ "claims": { "iss": format!("{}/1", stage.provider().origin()) } })).await?;
    module.refused("id_token_issuer").await
}

async fn oidcc_client_test_missing_sub(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    module.id_token(json!({ "claims": { "sub": null } })).await?;
    module.refused("id_token_subject").await
}

async fn oidcc_client_test_invalid_aud(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    module.id_token(json!({ "claims": { "aud": format!("{CLIENT_ID}1") } })).await?;
    module.refused("id_token_audience").await
}

async fn oidcc_client_test_missing_iat(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    module.id_token(json!({ "claims": { "iat": null } })).await?;
    module.refused("id_token_issued_at").await
}

async fn oidcc_client_test_kid_absent_single_jwks(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    stage.provider().settings(json!({ "jwks_kids": false, "id_token_kid": false })).await?;
    module.accepted().await.map(|_| ())
}

async fn oidcc_client_test_kid_absent_multiple_jwks(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    module.nameless_keys().await?;
    module.accepted().await.map(|_| ())
}

async fn oidcc_client_test_idtoken_sig_rs256(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    module.id_token(json!({ "header": { "alg": "RS256" } })).await?;
    module.accepted().await.map(|_| ())
}

async fn oidcc_client_test_idtoken_sig_none(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    let unsigned = json!({ "header": { "alg": "none", "kid": null }, "signature": "empty" });
    module.id_token(unsigned).await?;
    module.refused("id_token_algorithm").await
}

async fn oidcc_client_test_invalid_sig_rs256(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    module.id_token(json!({ "signature": "xor5a" })).await?;
    module.refused("id_token_signature").await
}

async fn oidcc_client_test_userinfo_invalid_sub(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    stage.provider().fault(json!({ "endpoint": "userinfo", "json_suffix": { "sub": "invalid" } })).await?;
    module.refused_after("userinfo_subject", 1).await
}

async fn oidcc_client_test_nonce_invalid(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    module.id_token(json!({ "nonce_suffix": "1" })).await?;
    module.refused("id_token_nonce").await
}

async fn oidcc_client_test_scope_userinfo_claims(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    let page = module.accepted().await?;
    let asked = stage.provider().requests_to("GET", AUTHORIZE).await?;
    let scope = asked[0].query.get("scope").context("no scope")?;
    for wanted in ["profile", "email"] {
        assert!(scope.split(' ').any(|scope| scope == wanted), "{scope}");
    }
    // What came for them is on the page.
    assert_eq!(page.field("name").await?, "Demo T. User");
    assert_eq!(page.field("email").await?, "olive@example.com");
    assert_eq!(page.userinfo("given_name").await?, "Demo");
    Ok(())
}
