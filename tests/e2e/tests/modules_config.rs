//! The modules of the conformance suite's plan for a client that reads metadata and keys. The one
//! about unsigned ID tokens is in `modules.rs`: both plans have it.

use std::time::Duration;

use polar_signin_e2e::{
    Result, Stage,
    conformance::{AUTHORIZE, KEYS, Module},
    flows::nothing_is_kept,
    pages::{ErrorPage, StartPage},
    provider::{JWKS, METADATA},
    suite,
};
use serde_json::json;

suite![
    oidcc_client_test_discovery_openid_config,
    oidcc_client_test_discovery_jwks_uri_keys,
    oidcc_client_test_discovery_issuer_mismatch,
    oidcc_client_test_signing_key_rotation_just_before_signing,
    oidcc_client_test_signing_key_rotation,
];

async fn oidcc_client_test_discovery_openid_config(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    module.accepted().await?;
    // The app knows the issuer, and where metadata is kept below it.
    assert_eq!(module.log().await?[0].path, METADATA);
    Ok(())
}

async fn oidcc_client_test_discovery_jwks_uri_keys(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    // Which holds that they were read before userinfo was asked for.
    module.accepted().await?;
    let paths: Vec<_> = module.log().await?.into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths.iter().filter(|path| *path == KEYS).count(), 1);
    assert!(paths.iter().all(|path| path != JWKS), "a path was guessed");
    Ok(())
}

async fn oidcc_client_test_discovery_issuer_mismatch(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    stage.provider().fault(json!({ "endpoint": "discovery", "json_suffix": { "issuer": "INVALID" } })).await?;
    // It may have been read before, when the pointer came near.
    module.tab().reload().await?;
    StartPage::wait(module.tab()).await?;
    module.sign_in().await?;
    let page = ErrorPage::wait(module.tab()).await?;
    assert_eq!(page.code().await?, "metadata_issuer");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(module.log().await?.iter().all(|seen| seen.path == METADATA), "something else was asked for");
    assert!(stage.provider().requests_to("GET", AUTHORIZE).await?.is_empty());
    assert_eq!(module.tab().url().await?, stage.site());
    nothing_is_kept(module.tab()).await
}

async fn oidcc_client_test_signing_key_rotation_just_before_signing(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    // The keys are asked for beside the token: they are answered while the token waits.
    stage.provider().fault(json!({ "endpoint": "token", "times": 1, "delay_ms": 800, "new_key": true })).await?;
    module.accepted().await?;
    assert_eq!(stage.provider().requests_to("GET", KEYS).await?.len(), 2, "the new key was fetched at once, and once");
    Ok(())
}

async fn oidcc_client_test_signing_key_rotation(stage: Stage) -> Result {
    let module = Module::begin(&stage).await?;
    let page = module.accepted().await?;
    page.sign_out().await?;
    stage.provider().fault(json!({ "endpoint": "authorize", "times": 1, "new_key": true })).await?;
    module.accepted_as(2).await?;
    assert_eq!(
        stage.provider().requests_to("GET", KEYS).await?.len(),
        2,
        "each sign-in looked at the keys of its time"
    );
    Ok(())
}
