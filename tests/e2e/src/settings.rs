//! Where the parts are, from the environment that `cargo xtask test e2e` sets.

use std::{env, path::PathBuf, str::FromStr};

use crate::{Failure, Result};

/// The parts of a run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `E2E_DIST`: the folder with the built app.
    pub dist: PathBuf,
    /// `E2E_PROVIDER`: the provider's binary.
    pub provider: PathBuf,
    /// `E2E_XTASK`: the binary whose `serve` serves the app.
    pub xtask: PathBuf,
    /// The browser's driver. `E2E_CHROMEDRIVER` (`E2E_GECKODRIVER`, `E2E_WEBKITDRIVER`); what is on the path if unset.
    pub driver: PathBuf,
    /// `E2E_NGINX`: what is on the path, or where Debian has it, if unset.
    pub nginx: PathBuf,
    /// `E2E_PROVIDERS`: the folder with the providers that others wrote. Only the tests of those need it.
    pub providers: Option<PathBuf>,
    /// `E2E_BROWSER`: `chromium` if unset.
    pub engine: Engine,
}

/// A browser's engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Chromium or Chrome, by chromedriver.
    Chromium,
    /// Firefox, by geckodriver.
    Firefox,
    /// `WebKitGTK`'s `MiniBrowser`, by `WebKitWebDriver`.
    WebKit,
}

impl FromStr for Engine {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "chromium" => Ok(Self::Chromium),
            "firefox" => Ok(Self::Firefox),
            "webkit" => Ok(Self::WebKit),
            _ => Err(Failure::new(format!("E2E_BROWSER is {name:?}; known are chromium, firefox and webkit"))),
        }
    }
}

impl Engine {
    /// The engine that this run is about.
    ///
    /// # Errors
    /// If `E2E_BROWSER` names none.
    pub fn from_env() -> Result<Self> {
        env::var("E2E_BROWSER").map_or(Ok(Self::Chromium), |name| name.parse())
    }

    /// Whether the driver passes on commands of the browser's own protocol.
    #[must_use]
    pub fn has_cdp(self) -> bool {
        self == Self::Chromium
    }
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// A sentence that names what is missing and the command that provides it.
    pub fn from_env() -> Result<Self> {
        let engine = Engine::from_env()?;
        let (variable, driver) = match engine {
            Engine::Chromium => ("E2E_CHROMEDRIVER", "chromedriver"),
            Engine::Firefox => ("E2E_GECKODRIVER", "geckodriver"),
            Engine::WebKit => ("E2E_WEBKITDRIVER", "WebKitWebDriver"),
        };
        let dist = required("E2E_DIST")?;
        if !dist.join("index.html").is_file() {
            return Err(Failure::new(format!(
                "E2E_DIST is {}, which has no index.html: run `cargo xtask test e2e`, which builds the app",
                dist.display()
            )));
        }
        Ok(Self {
            dist,
            provider: required("E2E_PROVIDER")?,
            xtask: required("E2E_XTASK")?,
            driver: env::var_os(variable).map_or_else(|| PathBuf::from(driver), PathBuf::from),
            nginx: env::var_os("E2E_NGINX").map_or_else(nginx, PathBuf::from),
            providers: env::var_os("E2E_PROVIDERS").map(PathBuf::from),
            engine,
        })
    }
}

/// Debian keeps it off an ordinary person's path.
fn nginx() -> PathBuf {
    let debian = PathBuf::from("/usr/sbin/nginx");
    if debian.is_file() { debian } else { PathBuf::from("nginx") }
}

fn required(variable: &str) -> Result<PathBuf> {
    let path = env::var_os(variable).map(PathBuf::from);
    let path = path.ok_or_else(|| {
        Failure::new(format!("{variable} is not set: run `cargo xtask test e2e`, which builds every part and sets it"))
    })?;
    if path.exists() {
        return Ok(path);
    }
    Err(Failure::new(format!("{variable} is {}, where there is nothing: run `cargo xtask test e2e`", path.display())))
}
