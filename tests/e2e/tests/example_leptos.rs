//! The example of a Leptos app of one's own, as somebody uses it.

use polar_signin_e2e::{
    Result, Stage,
    examples::{Example, Kind},
    pages::Consent,
    suite,
};

suite![
    somebody_signs_in_sees_what_the_api_says_and_signs_out,
    an_organization_is_added_and_asked_for,
    a_sign_in_that_was_denied_is_said_and_dismissed,
];

async fn open(stage: &Stage) -> Result<Example> {
    // What `view!` makes once and for all it makes with `innerHTML`, which Trusted Types refuse.
    let kind = Kind { folder: "E2E_EXAMPLE_LEPTOS", under_policy: false };
    Example::open(stage, kind, &stage.config()).await
}

async fn somebody_signs_in_sees_what_the_api_says_and_signs_out(stage: Stage) -> Result {
    open(&stage).await?.is_used().await
}

async fn an_organization_is_added_and_asked_for(stage: Stage) -> Result {
    let example = open(&stage).await?;
    example.sign_in().await?.person("sam").await?.decide("allow").await?;
    example.is_sams().await?;
    example.tab.click("#add-organization").await?;
    let consent = Consent::wait(&example.tab).await?;
    let one = consent.organizations().await?.swap_remove(0);
    consent.choose(&one).await?.decide("allow").await?;
    example.tab.until("there are two", "return document.querySelectorAll('[data-identity]').length === 2", &[]).await?;
    example.lists(&one.name).await
}

async fn a_sign_in_that_was_denied_is_said_and_dismissed(stage: Stage) -> Result {
    open(&stage).await?.is_denied().await
}
