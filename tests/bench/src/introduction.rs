//! What stands above the figures: on what, when, how, and against whom.

use std::fs;

use polar_signin_e2e::{Result, Tab};
use serde_json::{Value, json};

use crate::{
    clients::{ALL, Client, STATIC},
    sections::Plan,
    world::{Opening, World},
};

const PACKAGES: &str = include_str!("../pages/package.json");

/// What is the same for all sections.
#[derive(Debug)]
pub(crate) struct Introduction {
    date: String,
    browser: String,
    rounds: usize,
}

impl Introduction {
    /// Asks a browser what it is and what day.
    ///
    /// # Errors
    /// If none starts.
    pub(crate) async fn new(world: &World, plan: &Plan) -> Result<Self> {
        let (browser, tab) = world.browser(&STATIC, Opening::default()).await?;
        let about = about(&tab).await;
        browser.close().await;
        let About { date, browser } = about?;
        Ok(Self { date, browser, rounds: plan.rounds })
    }

    /// When and how often.
    pub(crate) fn when(&self) -> String {
        format!("{}, {}, {}, at most {} rounds", self.date, machine(), self.browser, self.rounds)
    }

    /// How it was measured, and what.
    pub(crate) fn text(&self) -> String {
        let clients: String =
            ALL.iter().map(|client| format!("- {}: {}\n", client.name, packages_of(client))).collect();
        let vite = vite();
        format!(
            "# Side by side\n\n\
             Made by `cargo xtask bench`; not written by hand. Each section says when.\n\n\
             Every client has a minimal page, written as its own documentation says, bundled and minified by Vite {vite}, \
             served by the same host with the same headers and compression. The provider is this project's own; it asks \
             nothing and consents at once. Between the browser (without a window) and both of them lies a proxy that \
             delays every byte by half a round trip each way, preflights too, and where it says so is as narrow as it \
             says. Connections cost nothing to open and start at full width, for everybody: with TLS each first request \
             to a host would take two or three round trips more. Each run has a new browser profile, and the clients take \
             turns. keycloak-js could not be used with Polar: it reads access tokens as JWTs and sends requests with \
             credentials, both of which are allowed here for its sake. The source is in tests/bench.\n\n{clients}"
        )
    }
}

/// Which browser, and which day.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// The day, as the browser knows it.
    pub(crate) date: String,
    /// Its name and version.
    pub(crate) browser: String,
}

/// Asks a browser what it is and what day.
///
/// # Errors
/// If it does not answer.
pub(crate) async fn about(tab: &Tab) -> Result<About> {
    let version = tab.cdp("Browser.getVersion", json!({})).await?;
    let date = tab.eval_text("return new Date().toISOString().slice(0, 10)", &[]).await?;
    Ok(About { date, browser: version["product"].as_str().unwrap_or_default().to_owned() })
}

fn version(kind: &str, name: &str) -> String {
    let packages: Value = serde_json::from_str(PACKAGES).unwrap_or_default();
    packages[kind][name].as_str().unwrap_or("?").to_owned()
}

/// The packages that a client stands on, with their versions.
pub(crate) fn packages_of(client: &Client) -> String {
    let versions: Vec<String> =
        client.packages.iter().map(|name| format!("{name} {}", version("dependencies", name))).collect();
    if versions.is_empty() { "this revision".to_owned() } else { versions.join(", ") }
}

/// The version of what bundles the pages.
pub(crate) fn vite() -> String {
    version("devDependencies", "vite")
}

/// The processor and how many of it, where the system says.
fn machine() -> String {
    let file = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = file.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{cores} cores of {}", model.unwrap_or(std::env::consts::ARCH))
}
