//! What stands above the figures: on what, when, how, and against whom.

use std::fs;

use polar_signin_e2e::{Context, Result};
use serde_json::{Value, json};

use crate::{
    clients::{ALL, STATIC},
    sections::Plan,
    world::{Opening, World},
};

const PACKAGES: &str = include_str!("../pages/package.json");

/// The text.
///
/// # Errors
/// If no browser starts.
pub(crate) async fn text(world: &World, plan: &Plan) -> Result<String> {
    let (browser, tab) = world.browser(&STATIC, Opening::default()).await?;
    let version = tab.cdp("Browser.getVersion", json!({})).await?["product"].as_str().unwrap_or_default().to_owned();
    let date = tab.eval_text("return new Date().toISOString().slice(0, 10)", &[]).await?;
    browser.close().await;
    let packages: Value = serde_json::from_str(PACKAGES).context("package.json")?;
    let version_of = |name: &str| packages["dependencies"][name].as_str().unwrap_or("?").to_owned();
    let mut clients = String::new();
    for client in ALL {
        let versions: Vec<String> = client.packages.iter().map(|name| format!("{name} {}", version_of(name))).collect();
        let versions = if versions.is_empty() { "this revision".to_owned() } else { versions.join(", ") };
        clients += &format!("- {}: {versions}\n", client.name);
    }
    Ok(format!(
        "# Side by side\n\n\
         Made by `cargo xtask bench`; do not edit. {date}, {}, {version} without a window, {} rounds.\n\n\
         Every client has a minimal page, written as its own documentation says, bundled and minified by Vite {}, served \
         by the same host with the same headers and compression. The provider is this project's own; it asks nothing and \
         consents at once. Between the browser and both of them lies a proxy that delays every byte by half a round trip \
         each way, preflights too. Connections cost nothing to open and start at full width, for everybody: with HTTP/1.1 \
         and TLS, each first request to a host would take two round trips more. Each run has a new browser profile, and \
         the clients take turns. The source is in tests/bench.\n\n{clients}",
        machine(),
        plan.rounds,
        packages["devDependencies"]["vite"].as_str().unwrap_or("?"),
    ))
}

/// The processor and how many of it, where the system says.
fn machine() -> String {
    let file = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = file.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{cores} cores of {}", model.unwrap_or(std::env::consts::ARCH))
}
