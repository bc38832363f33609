//! Browsers and their drivers. They are the system's: on Debian as root they are installed,
//! elsewhere a message says how.

use std::{
    path::{Path, PathBuf},
    process::Command,
    str::FromStr,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    shell::{find, first_line, run},
    tools::{self, major},
};

/// A browser's engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Chromium,
    Firefox,
    WebKit,
}

impl FromStr for Engine {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "chromium" => Ok(Self::Chromium),
            "firefox" => Ok(Self::Firefox),
            "webkit" => Ok(Self::WebKit),
            _ => bail!("no browser `{name}`: chromium, firefox or webkit"),
        }
    }
}

impl Engine {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::WebKit => "webkit",
        }
    }

    /// The flag of wasm-pack for this browser and the one for its driver.
    pub(crate) fn wasm_pack(self) -> (&'static str, &'static str) {
        match self {
            Self::Chromium => ("--chrome", "--chromedriver"),
            Self::Firefox => ("--firefox", "--geckodriver"),
            // It speaks of the one WebKit that it knows; the driver is told by its path.
            Self::WebKit => ("--safari", "--safaridriver"),
        }
    }

    /// Debian's packages.
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Chromium => &["chromium", "chromium-driver"],
            Self::Firefox => &["firefox-esr"],
            // WebKitGTK has no headless mode: it gets a display of its own.
            Self::WebKit => &["webkit2gtk-driver", "xvfb", "xauth"],
        }
    }
}

/// A browser that is there, with its driver.
pub(crate) struct Browser {
    pub(crate) engine: Engine,
    pub(crate) driver: PathBuf,
    /// The browser's own program, where a driver does not find it by itself.
    pub(crate) program: Option<PathBuf>,
}

impl Browser {
    /// A command that starts browsers, on a display if they need one.
    pub(crate) fn command(&self, program: &str) -> Command {
        if self.engine == Engine::WebKit {
            let mut command = Command::new("xvfb-run");
            command.args(["-a", program]);
            return command;
        }
        Command::new(program)
    }
}

/// The browser, installed if that can be done.
pub(crate) fn ready(engine: Engine) -> Result<Browser> {
    if let Some(browser) = there(engine)? {
        return Ok(browser);
    }
    install(engine.packages(), &format!("{}, and its driver,", engine.name()))?;
    there(engine)?.with_context(|| format!("installed {}, but it is not on the PATH", engine.packages().join(", ")))
}

/// nginx, for the tests of its recipe: installed if that can be done. They run it themselves.
pub(crate) fn nginx() -> Result<PathBuf> {
    // Debian keeps it off an ordinary person's path.
    let there = || find("nginx").or_else(|| Some(PathBuf::from("/usr/sbin/nginx")).filter(|file| file.is_file()));
    if let (Some(nginx), Some(_)) = (there(), find("curl")) {
        return Ok(nginx);
    }
    install(&["nginx", "curl"], "nginx and curl")?;
    there().context("installed nginx, but it is nowhere")
}

/// Installs Debian's packages, or says how that is done.
pub(crate) fn install(packages: &[&str], what: &str) -> Result<()> {
    let command = format!("apt-get install -y --no-install-recommends {}", packages.join(" "));
    let is_root = first_line(Path::new("id"), "-u").is_some_and(|id| id == "0");
    if find("apt-get").is_none() {
        bail!("the tests need {what} on the PATH (on Debian: {command})");
    }
    if !is_root {
        bail!("the tests need {what} on the PATH: sudo {command}");
    }
    println!("installing Debian's {} (the tests run them; takes about a minute)", packages.join(", "));
    run(Command::new("apt-get").args(["update", "-q"]))?;
    let mut apt = Command::new("apt-get");
    // The run level of a machine that is being looked after: no package starts a server.
    apt.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
    run(apt.args(["install", "-y", "-q", "--no-install-recommends"]).args(packages))
}

fn there(engine: Engine) -> Result<Option<Browser>> {
    let found = match engine {
        Engine::Chromium => chromium().zip(find("chromedriver")),
        Engine::Firefox => {
            let firefox = ["firefox", "firefox-esr"].into_iter().find_map(find);
            let driver = || find("geckodriver").map_or_else(|| geckodriver().map(Some), |driver| Ok(Some(driver)));
            if firefox.is_some() { firefox.zip(driver()?) } else { None }
        }
        Engine::WebKit => find("xvfb-run").and_then(|_| mini_browser().zip(find("WebKitWebDriver"))),
    };
    let Some((program, driver)) = found else { return Ok(None) };
    if engine == Engine::Chromium {
        same_version(&program, &driver)?;
    }
    Ok(Some(Browser { engine, driver, program: Some(program).filter(|_| engine == Engine::WebKit) }))
}

fn chromium() -> Option<PathBuf> {
    let on_mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
    names.into_iter().find_map(find).or_else(|| Some(PathBuf::from(on_mac)).filter(|file| file.is_file()))
}

/// A driver of another version starts, and then refuses every browser in words that help nobody.
fn same_version(browser: &Path, driver: &Path) -> Result<()> {
    let of = |program: &Path| first_line(program, "--version").and_then(|line| major(&line));
    match (of(browser), of(driver)) {
        (Some(browser_version), Some(driver_version)) if browser_version != driver_version => bail!(
            "{} is version {browser_version}, but {} is version {driver_version}: install those that belong together",
            browser.display(),
            driver.display()
        ),
        // Some builds do not answer; then the driver is left to judge.
        _ => Ok(()),
    }
}

fn geckodriver() -> Result<PathBuf> {
    Ok(tools::one(&tools::GECKODRIVER)?.join("geckodriver"))
}

/// `WebKitGTK`'s browser lies among the libraries: `/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser`.
fn mini_browser() -> Option<PathBuf> {
    let below = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    ["/usr/lib", "/usr/lib64", "/usr/libexec"]
        .into_iter()
        .flat_map(|folder| std::iter::once(PathBuf::from(folder)).chain(below(folder.into())))
        .flat_map(|folder| ["webkit2gtk-4.1", "webkit2gtk-4.0", "webkitgtk-6.0"].map(|name| folder.join(name)))
        .map(|folder| folder.join("MiniBrowser"))
        .find(|file| file.is_file())
}
