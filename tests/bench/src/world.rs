//! What a run needs: the doors, a provider that asks nobody anything, and browsers.

use std::{ffi::OsStr, path::Path, sync::Arc, time::Duration};

use polar_signin_e2e::{
    Context, Failure, Result, Tab,
    browser::{Browser, Driver},
    provider::Provider,
    settings::Settings,
};
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, mpsc::UnboundedReceiver},
    time::{sleep, timeout},
};

use crate::{
    clients::{ALL, Client},
    door::{Doors, REPORT},
    link::Network,
    site::Site,
};

/// The client that all pages are.
pub(crate) const CLIENT_ID: &str = "polar_ci_bench";
/// How long a page may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What a person needs until they click, for everything that a page fetches ahead.
const SETTLE: Duration = Duration::from_millis(1500);

/// Everything that is started once.
#[derive(Debug)]
pub(crate) struct World {
    /// The doors to site and provider.
    pub(crate) doors: Arc<Doors>,
    /// The provider.
    pub(crate) provider: Provider,
    reports: Mutex<UnboundedReceiver<Value>>,
    driver: Driver,
    port: u16,
}

/// How a page is opened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Opening {
    /// The button is clicked by a script as soon as it is there.
    pub(crate) early: bool,
    /// How many times slower the processor is; 0 is as it is.
    pub(crate) slower: u32,
}

impl World {
    /// Starts everything.
    ///
    /// # Errors
    /// What did not start, and why.
    pub(crate) async fn start(pages: &Path, port: u16) -> Result<Self> {
        let settings = Settings::from_env()?;
        let (doors, reports) = Doors::open(Site::read(pages)?, port).await?;
        let door = format!("http://127.0.0.1:{}", port + 1);
        let redirect_uris: Vec<String> =
            ALL.iter().map(|client| format!("http://localhost:{port}/{}/", client.folder)).collect();
        let issuer = format!("{door}/");
        let more = ["--issuer", &issuer].map(OsStr::new);
        let provider = Provider::start_with(&settings, CLIENT_ID, &redirect_uris.join(","), &more)?;
        doors.lead_to(provider.origin());
        let world = Self { doors, provider, reports: Mutex::new(reports), driver: Driver::start(&settings)?, port };
        world.configure(json!({})).await?;
        Ok(world)
    }

    /// The provider as it is in every run, but for these settings.
    ///
    /// # Errors
    /// If it does not answer.
    pub(crate) async fn configure(&self, further: Value) -> Result {
        self.provider.reset().await?;
        let door = format!("http://127.0.0.1:{}", self.port + 1);
        let mut settings = json!({
            "auto_sign_in": "sam", "auto_consent": true, "id_token_kid": true,
            // Some clients cannot do without: they read the tokens, or want an ID token each time. The others do not care.
            "jwt_tokens": true, "refresh_id_token": true,
            "shape": {
                "discovery": {
                    "authorization_endpoint": format!("{door}/oauth2/authorize"),
                    "token_endpoint": format!("{door}/v1/oauth2/token"),
                    "userinfo_endpoint": format!("{door}/v1/oauth2/userinfo"),
                    "jwks_uri": format!("{door}/.well-known/jwks.json"),
                    "revocation_endpoint": null, "introspection_endpoint": null, "registration_endpoint": null,
                },
                // It is in userinfo alone: who shows it has asked.
                "userinfo": { "name": "Sam Weber" },
            },
        });
        for (name, value) in further.as_object().cloned().unwrap_or_default() {
            settings[name] = value;
        }
        self.provider.settings(settings).await
    }

    /// A client's page.
    #[must_use]
    pub(crate) fn page(&self, client: &Client) -> String {
        format!("{}/{}/", self.site(), client.folder)
    }

    /// The site's origin.
    #[must_use]
    pub(crate) fn site(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// A new browser with a new profile, which measures what this client's page does.
    ///
    /// # Errors
    /// If it does not start.
    pub(crate) async fn browser(&self, client: &Client, opening: Opening) -> Result<(Browser, Tab)> {
        // No log of the driver's: it would be written while the page works.
        let browser = self.driver.browser_with(json!({ "goog:loggingPrefs": {} })).await?;
        let tab = browser.first_tab().await;
        self.prepare(&tab, client, opening).await?;
        while self.reports.lock().await.try_recv().is_ok() {}
        Ok((browser, tab))
    }

    /// A new browser with these capabilities, which measures nothing.
    ///
    /// # Errors
    /// If it does not start.
    pub(crate) async fn bare_browser(&self, capabilities: Value) -> Result<Browser> {
        self.driver.browser_with(capabilities).await
    }

    /// The site's port; the provider's is the next.
    #[must_use]
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Makes a tab measure.
    ///
    /// # Errors
    /// If the browser refuses.
    pub(crate) async fn prepare(&self, tab: &Tab, client: &Client, opening: Opening) -> Result {
        let settings = json!({
            "site": self.site(), "report": REPORT, "early": opening.early,
            "ready": client.ready(), "signedIn": client.signed_in(), "userinfo": client.userinfo(),
        });
        tab.before_every_page(&format!("{}({settings})", include_str!("probe.js").trim_end().trim_end_matches(';')))
            .await?;
        if opening.slower > 0 {
            tab.cdp("Emulation.setCPUThrottlingRate", json!({ "rate": opening.slower })).await?;
        }
        Ok(())
    }

    /// Opens a client's page, waits until its button works, and for what it fetches ahead.
    ///
    /// # Errors
    /// If it does not.
    pub(crate) async fn settle(&self, tab: &Tab, client: &Client) -> Result {
        tab.goto(&self.page(client)).await?;
        tab.wait_for(client.ready()).await?;
        sleep(SETTLE).await;
        Ok(())
    }

    /// Signs in with a click, with the pointer on the button for so long before.
    ///
    /// # Errors
    /// If it fails, or nothing is heard of it.
    pub(crate) async fn sign_in(&self, tab: &Tab, hover: Duration) -> Result<Value> {
        self.doors.log.clear();
        if !hover.is_zero() {
            let script =
                "const { left, top, width, height } = document.querySelector('#sign-in').getBoundingClientRect();
                return { type: 'mouseMoved', x: left + width / 2, y: top + height / 2 };";
            let there = tab.eval(script, &[]).await?;
            tab.cdp("Input.dispatchMouseEvent", there).await?;
            sleep(hover).await;
        }
        tab.click("#sign-in").await?;
        self.report("userinfo").await.context(tab.describe().await)
    }

    /// The first report of a page in which this has been measured.
    ///
    /// # Errors
    /// If none comes, or the page says that it failed.
    pub(crate) async fn report(&self, member: &str) -> Result<Value> {
        let mut reports = self.reports.lock().await;
        let found = async {
            while let Some(report) = reports.recv().await {
                if let Some(failure) = report["failure"].as_str() {
                    return Err(Failure::new(format!("the page says: {failure}")));
                }
                if report[member].is_number() {
                    return Ok(report);
                }
            }
            Err(Failure::new("the doors are shut"))
        };
        timeout(PATIENCE, found).await.context(format!("no report of {member}"))?
    }

    /// The network of what comes next.
    pub(crate) fn network(&self, network: Network) {
        self.doors.link.set(network);
    }

    /// Ends every browser.
    pub(crate) async fn shut_down(&self) {
        self.driver.shut_down().await;
    }
}
