//! The main job: somebody signs in.

use polar_signin_e2e::{Result, Stage, pages::StartPage, suite};

suite![a_person_signs_in];

async fn a_person_signs_in(stage: Stage) -> Result {
    let tab = stage.tab().await?;
    let page = StartPage::open(&stage, &tab).await?.sign_in().await?.allow_as("olive").await?;
    assert!(page.field("email").await?.contains('@'));
    Ok(())
}
