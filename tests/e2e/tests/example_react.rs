//! The example of a React app with Vite, made of the packed JavaScript package, as somebody uses it.

use polar_signin_e2e::{
    Result, Stage,
    examples::{Example, Kind},
    stage::CLIENT_ID,
    suite,
};
use serde_json::json;

suite![somebody_signs_in_sees_what_the_api_says_and_signs_out, a_sign_in_that_was_denied_is_said_and_dismissed,];

async fn open(stage: &Stage) -> Result<Example> {
    let kind = Kind { folder: "E2E_EXAMPLE_REACT", under_policy: true };
    let options = json!({
        "clientId": CLIENT_ID, "provider": "local", "issuer": "https://polar.example", "allowHttpOnLoopback": true,
        "metadataUrl": format!("{}/.well-known/openid-configuration", stage.provider().origin()),
    });
    Example::open(stage, kind, &options).await
}

async fn somebody_signs_in_sees_what_the_api_says_and_signs_out(stage: Stage) -> Result {
    open(&stage).await?.is_used().await
}

async fn a_sign_in_that_was_denied_is_said_and_dismissed(stage: Stage) -> Result {
    open(&stage).await?.is_denied().await
}
