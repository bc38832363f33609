//! The examples that are apps of their own: each served where the provider knows it, and used by a person.
//!
//! They show the same page, in whichever framework.

use std::ffi::OsStr;

use serde_json::Value;

use crate::{
    Context, Failure, Result, Stage, Tab, flows::only_a_session_is_kept, pages::ProviderPage, processes::Process,
    settings::Settings, stage::BASE,
};

/// An example that is running, in a browser.
#[derive(Debug)]
pub struct Example {
    _process: Process,
    /// The tab that it is in.
    pub tab: Tab,
}

/// What else than the folder is different.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The variable that names the folder with the built example.
    pub folder: &'static str,
    /// Whether it works under the strictest policy.
    pub under_policy: bool,
}

impl Example {
    /// The example in a new browser, with these settings as its `config.json`.
    ///
    /// # Errors
    /// If nobody has built it, or it cannot be served.
    pub async fn open(stage: &Stage, kind: Kind, config: &Value) -> Result<Self> {
        let settings = Settings::from_env()?;
        let folder = std::env::var_os(kind.folder);
        let folder = folder.ok_or_else(|| Failure::new(format!("no {}: run `cargo xtask test e2e`", kind.folder)))?;
        let config = config.to_string();
        let flags = [
            ("--dir", folder.as_os_str()),
            ("--port", OsStr::new("0")),
            ("--host", OsStr::new("localhost")),
            ("--base", OsStr::new(BASE)),
            ("--config", OsStr::new(&config)),
            ("--connect", OsStr::new(stage.provider().origin())),
        ];
        let without: &[&str] = if kind.under_policy { &[] } else { &["--no-csp"] };
        let (process, address) = Process::serve(&settings, without, &flags).context("the example's host")?;
        stage.gateway().lead_to(address.strip_suffix(BASE).context(format!("the example is at {address}"))?);
        let tab = stage.tab().await?;
        tab.goto(&stage.site()).await?;
        Ok(Self { _process: process, tab })
    }

    /// Sam signs in, sees who he is and what the API says, finds it again after a reload, and signs out.
    ///
    /// # Errors
    /// Whatever is not so.
    pub async fn is_used(&self) -> Result {
        let tab = &self.tab;
        self.sign_in().await?.person("sam").await?.decide("allow").await?;
        self.is_sams().await?;
        only_a_session_is_kept(tab).await?;
        tab.reload().await?;
        self.is_sams().await?;
        tab.click("header button").await?;
        tab.wait_for("header button.primary").await?;
        assert!(!tab.has("#organizations-by-request").await?);
        assert!(tab.text("main").await?.contains("Sign in to see your products."));
        Ok(())
    }

    /// Nora denies it, reads that, and is back where she was.
    ///
    /// # Errors
    /// Whatever is not so.
    pub async fn is_denied(&self) -> Result {
        self.sign_in().await?.person("nora").await?.decide("deny").await?;
        self.tab.wait_for("main [role=alert]").await?;
        assert!(!self.tab.text("main [role=alert]").await?.is_empty());
        self.tab.click("main button").await?;
        self.tab.wait_for("header button.primary").await
    }

    /// Presses the button.
    ///
    /// # Errors
    /// If the provider does not ask.
    pub async fn sign_in(&self) -> Result<ProviderPage> {
        self.tab.click("header button.primary").await?;
        ProviderPage::wait(&self.tab).await
    }

    /// Waits until Sam is there, and his organizations.
    ///
    /// # Errors
    /// If they are not.
    pub async fn is_sams(&self) -> Result {
        let script = "return document.querySelector('#name')?.textContent === 'sam@example.com'";
        self.tab.until("it is Sam", script, &[]).await?;
        self.lists("Acme Tools").await
    }

    /// Waits until an organization of this name is listed.
    ///
    /// # Errors
    /// If it is not.
    pub async fn lists(&self, name: &str) -> Result {
        let script = "return [...document.querySelectorAll('#organizations-by-request li')].some(
            row => row.textContent === arguments[0])";
        self.tab.until(name, script, &[name]).await
    }
}
