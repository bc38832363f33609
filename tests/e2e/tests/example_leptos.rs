//! The example of a Leptos app of one's own, as somebody uses it.

use std::ffi::OsStr;

use polar_signin_e2e::{
    Context, Failure, Result, Stage, Tab,
    flows::only_a_session_is_kept,
    pages::{Consent, ProviderPage},
    processes::Process,
    settings::Settings,
    stage::BASE,
    suite,
};

suite![
    somebody_signs_in_sees_what_the_api_says_and_signs_out,
    an_organization_is_added_and_asked_for,
    a_sign_in_that_was_denied_is_said_and_dismissed,
];

/// The example at the address that the provider knows, and a browser on it.
async fn open(stage: &Stage) -> Result<(Process, Tab)> {
    let settings = Settings::from_env()?;
    let folder = std::env::var_os("E2E_EXAMPLE_LEPTOS");
    let folder = folder.ok_or_else(|| Failure::new("no E2E_EXAMPLE_LEPTOS: run `cargo xtask test e2e`"))?;
    let config = stage.config().to_string();
    let flags = [
        ("--dir", folder.as_os_str()),
        ("--port", OsStr::new("0")),
        ("--host", OsStr::new("localhost")),
        ("--base", OsStr::new(BASE)),
        ("--config", OsStr::new(&config)),
    ];
    // What `view!` makes once and for all it makes with `innerHTML`: no policy with Trusted Types here.
    let (process, address) = Process::serve(&settings, &["--no-csp"], &flags).context("the example's host")?;
    stage.gateway().lead_to(address.strip_suffix(BASE).context(format!("the example is at {address}"))?);
    let tab = stage.tab().await?;
    tab.goto(&stage.site()).await?;
    Ok((process, tab))
}

async fn sign_in(tab: &Tab) -> Result<ProviderPage> {
    tab.click("header button.primary").await?;
    ProviderPage::wait(tab).await
}

async fn is_called(tab: &Tab, name: &str) -> Result {
    tab.until(name, "return document.querySelector('#name')?.textContent === arguments[0]", &[name]).await
}

async fn is_listed(tab: &Tab, name: &str) -> Result {
    let script = "return [...document.querySelectorAll('#organizations-by-request li')].some(
        row => row.textContent === arguments[0])";
    tab.until(name, script, &[name]).await
}

async fn somebody_signs_in_sees_what_the_api_says_and_signs_out(stage: Stage) -> Result {
    let (_process, tab) = open(&stage).await?;
    sign_in(&tab).await?.person("sam").await?.decide("allow").await?;
    is_called(&tab, "sam@example.com").await?;
    is_listed(&tab, "Acme Tools").await?;
    only_a_session_is_kept(&tab).await?;
    // A reload keeps all of it.
    tab.reload().await?;
    is_called(&tab, "sam@example.com").await?;
    is_listed(&tab, "Acme Tools").await?;
    tab.click("header button").await?;
    tab.wait_for("header button.primary").await?;
    assert!(!tab.has("#organizations-by-request").await?);
    assert!(tab.text("main").await?.contains("Sign in to see your products."));
    Ok(())
}

async fn an_organization_is_added_and_asked_for(stage: Stage) -> Result {
    let (_process, tab) = open(&stage).await?;
    sign_in(&tab).await?.person("sam").await?.decide("allow").await?;
    is_called(&tab, "sam@example.com").await?;
    tab.click("#add-organization").await?;
    let consent = Consent::wait(&tab).await?;
    let one = consent.organizations().await?.swap_remove(0);
    consent.choose(&one).await?.decide("allow").await?;
    tab.until("there are two", "return document.querySelectorAll('[data-identity]').length === 2", &[]).await?;
    is_listed(&tab, &one.name).await
}

async fn a_sign_in_that_was_denied_is_said_and_dismissed(stage: Stage) -> Result {
    let (_process, tab) = open(&stage).await?;
    sign_in(&tab).await?.person("nora").await?.decide("deny").await?;
    tab.wait_for("main [role=alert]").await?;
    assert!(!tab.text("main [role=alert]").await?.is_empty());
    tab.click("main button").await?;
    tab.wait_for("header button.primary").await.map(|_| ())
}
