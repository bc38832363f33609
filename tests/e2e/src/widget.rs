//! A page that is not ours with the JavaScript package on it: `examples/plain`, and the package from
//! another origin.
//!
//! The page comes through the door in front of the site, so that what is looked at after every test is
//! looked at on it too. `E2E_PKG` says where the package is, `E2E_PKG_DPOP` where the one with proof of possession is.

use std::{
    env,
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fantoccini::key::Key;
use serde_json::Value;
use sha2::{Digest as _, Sha384};

use crate::{
    Context, Failure, Result, Stage, Tab,
    gateway::Rule,
    pages::{Consent, ProviderPage},
    processes::Process,
    settings::Settings,
    stage::BASE,
};

/// The page and what it loads.
#[derive(Debug)]
pub struct Widget {
    _package: Process,
    /// The page's address, which is its redirect URI too.
    pub address: String,
    /// Its client at the provider.
    pub client_id: String,
    /// The origin that the package comes from.
    pub package: String,
}

/// The folder with the package.
///
/// # Errors
/// If nobody has built it.
pub fn package() -> Result<PathBuf> {
    named("E2E_PKG")
}

/// The folder with the package that can have its tokens bound to a key (RFC 9449).
///
/// # Errors
/// If nobody has built it.
pub fn package_with_dpop() -> Result<PathBuf> {
    named("E2E_PKG_DPOP")
}

fn named(variable: &str) -> Result<PathBuf> {
    let folder = env::var_os(variable).map(PathBuf::from);
    folder.filter(|folder| folder.join("polar-signin.js").is_file()).ok_or_else(|| {
        Failure::new(format!("{variable} names no package: run `cargo xtask test e2e`, which builds it"))
    })
}

impl Widget {
    /// The page as it is in the examples, with what is the reader's filled in.
    ///
    /// # Errors
    /// If something does not start.
    pub async fn serve(stage: &Stage) -> Result<Self> {
        Self::changed(stage, |page| page).await
    }

    /// The same, with the page changed by a test.
    ///
    /// # Errors
    /// If something does not start.
    pub async fn changed(stage: &Stage, change: impl Fn(String) -> String) -> Result<Self> {
        Self::of(stage, &package()?, change).await
    }

    /// The same with a package of a test's own. What the page expects is the real one, whatever is served.
    ///
    /// # Errors
    /// If something does not start.
    pub async fn of(stage: &Stage, folder: &Path, change: impl Fn(String) -> String) -> Result<Self> {
        Self::expecting(stage, &package()?, folder, change).await
    }

    /// The same with the package that can have its tokens bound, which the page wants.
    ///
    /// # Errors
    /// If something does not start.
    pub async fn with_dpop(stage: &Stage) -> Result<Self> {
        let folder = package_with_dpop()?;
        let wanted = |page: String| page.replace(" allow-http-on-loopback", " dpop allow-http-on-loopback");
        Self::expecting(stage, &folder, &folder, wanted).await
    }

    async fn expecting(
        stage: &Stage,
        expected: &Path,
        folder: &Path,
        change: impl Fn(String) -> String,
    ) -> Result<Self> {
        let settings = Settings::from_env()?;
        let flags = [("--dir", folder.as_os_str()), ("--port", OsStr::new("0")), ("--host", OsStr::new("127.0.0.1"))];
        let served = Process::serve(&settings, &["--no-csp", "--cors"], &flags).context("the package's host")?;
        let (process, origin) = (served.0, served.1.trim_end_matches('/').to_owned());
        let address = format!("{}{BASE}plain.html", stage.gateway().origin());
        let client_id = stage.provider().register(&address).await?;
        let provider = stage.provider().origin();
        let integrity = STANDARD.encode(Sha384::digest(fs::read(expected.join("polar-signin.js"))?));
        let page = example("index.html")?
            .replace("https://widgets.example", &origin)
            .replace("https://api.polar.sh", provider)
            .replace("img-src 'self' https:", &format!("img-src 'self' https: {provider}"))
            .replace("sha384-yours", &format!("sha384-{integrity}"))
            .replace(
                "client-id=\"polar_ci_yours\"",
                &format!(
                    "client-id=\"{client_id}\" provider=\"local\" issuer=\"https://polar.example\" \
                     metadata-url=\"{provider}/.well-known/openid-configuration\" allow-http-on-loopback"
                ),
            );
        for yours in ["yours\"", "widgets.example", "api.polar.sh"] {
            if page.contains(yours) {
                return Err(Failure::new(format!("the example has another {yours} than this test knows")));
            }
        }
        let door = stage.gateway();
        let text = |content_type, body| Rule::Answer { status: 200, content_type, body };
        door.rule("/plain.html", text("text/html; charset=utf-8", change(page)));
        door.rule("/page.css", text("text/css", example("page.css")?));
        door.rule("/page.js", text("text/javascript", example("page.js")?));
        door.rule("/watch.js", text("text/javascript", WATCH.to_owned()));
        Ok(Self { _package: process, address, client_id, package: origin })
    }

    /// A new browser on the page.
    ///
    /// # Errors
    /// If the page cannot be loaded.
    pub async fn open(&self, stage: &Stage) -> Result<Element> {
        let tab = stage.tab().await?;
        tab.goto(&self.address).await?;
        let element = Element { tab, id: "above" };
        element.until("signed-out").await?;
        Ok(element)
    }

    /// A new browser in which Olive has signed in by redirect.
    ///
    /// # Errors
    /// If that does not work.
    pub async fn signed_in(&self, stage: &Stage) -> Result<Element> {
        let element = self.open(stage).await?;
        element.click().await?;
        allow(&element.tab).await?;
        element.until("signed-in").await?;
        Ok(element)
    }
}

/// Olive, if the provider does not know her yet, and everything that is asked for.
///
/// # Errors
/// If it does not ask.
pub async fn allow(tab: &Tab) -> Result {
    let page = ProviderPage::wait(tab).await?;
    let consent = match tab.has("button[name=person]").await? {
        true => page.person("olive").await?,
        false => Consent::wait(tab).await?,
    };
    consent.decide("allow").await
}

/// Before the page's own scripts: keeps what its policy is violated by, and every event of the element.
pub const WATCH_TAG: &str = "<script src=\"watch.js\"></script>";
const WATCH: &str = "
    window.violations = [];
    window.heard = [];
    addEventListener('securitypolicyviolation', event => violations.push(event.effectiveDirective + ' ' + event.blockedURI));
    for (const name of ['ready', 'sign-in', 'signed-in', 'signed-out', 'organization', 'error']) {
        addEventListener('polar-' + name, event => heard.push(['polar-' + name, event.target.id, JSON.stringify(event.detail)]));
    }";

fn example(name: &str) -> Result<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plain").join(name);
    fs::read_to_string(&path).context(path.display())
}

/// One of the page's elements.
#[derive(Clone, Debug)]
pub struct Element {
    /// The tab that it is in.
    pub tab: Tab,
    /// Its id.
    pub id: &'static str,
}

impl Element {
    /// The other one of the page.
    #[must_use]
    pub fn other(&self) -> Self {
        let id = if self.id == "above" { "below" } else { "above" };
        Self { tab: self.tab.clone(), id }
    }

    /// A script about it, as `element`, with its shadow root as `root` and its parts by `part(name)`.
    ///
    /// # Errors
    /// If the script throws.
    pub async fn eval(&self, script: &str) -> Result<Value> {
        self.tab.eval(&[ABOUT, script].concat(), &[self.id]).await
    }

    /// Waits until it is in this state, and says so to style sheets too.
    ///
    /// # Errors
    /// If it does not come to that.
    pub async fn until(&self, state: &str) -> Result {
        let test = "return element?.state === arguments[1] && element.matches(`:state(${arguments[1]})`)";
        self.tab.until(&format!("{} is {state}", self.id), &[ABOUT, test].concat(), &[self.id, state]).await
    }

    /// Waits until a script about it is true.
    ///
    /// # Errors
    /// If it does not come to that.
    pub async fn wait(&self, what: &str, script: &str) -> Result {
        self.tab.until(what, &[ABOUT, script].concat(), &[self.id]).await
    }

    /// The text of a part, if a person can see it.
    ///
    /// # Errors
    /// If the page does not answer.
    pub async fn text(&self, part: &str) -> Result<String> {
        let script = "return part(arguments[1])?.checkVisibility() ? part(arguments[1]).innerText.trimEnd() : ''";
        self.tab.eval_text(&[ABOUT, script].concat(), &[self.id, part]).await
    }

    /// Clicks into its middle with the mouse: where the button is, as long as nobody is signed in.
    ///
    /// # Errors
    /// If it cannot be clicked.
    pub async fn click(&self) -> Result {
        self.tab.click(&format!("#{}", self.id)).await
    }

    /// Clicks into its middle, and gives the window that opens by that.
    ///
    /// # Errors
    /// If none opens, or the page does not say so.
    pub async fn click_for_window(&self) -> Result<Tab> {
        let before = self.tab.browser().windows().await?;
        self.click().await?;
        self.waits_for_window().await?;
        self.tab.browser().opened_since(&before).await
    }

    /// Waits until it says that the person goes on in another window.
    ///
    /// # Errors
    /// If it does not come to that.
    pub async fn waits_for_window(&self) -> Result {
        self.wait("it waits for the window", "return element.client.view.working === 'in-popup'").await
    }

    /// Puts the focus on a part and presses Enter.
    ///
    /// # Errors
    /// If there is none to be seen.
    pub async fn press(&self, part: &str) -> Result {
        let script = "const it = [...root.querySelectorAll(`[part=${arguments[1]}]`)].find(it => it.checkVisibility());
            it?.focus(); return it !== undefined && root.activeElement === it";
        let what = format!("{part} can be pressed");
        self.tab.until(&what, &[ABOUT, script].concat(), &[self.id, part]).await?;
        self.tab.press(Key::Enter).await
    }
}

const ABOUT: &str = "const element = document.getElementById(arguments[0]), root = element?.shadowRoot;
    const part = name => [...root.querySelectorAll(`[part=${name}]`)].find(it => it.checkVisibility());\n";

/// A copy of the package that goes when its value is dropped, for a test that spoils it.
#[derive(Debug)]
pub struct Copy(pub PathBuf);

impl Copy {
    /// As it was built.
    ///
    /// # Errors
    /// If it cannot be copied.
    pub fn new() -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("polar-signin-pkg-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let copy = Self(env::temp_dir().join(name));
        fs::create_dir_all(&copy.0)?;
        for entry in fs::read_dir(package()?)? {
            let path = entry?.path();
            fs::copy(&path, copy.0.join(path.file_name().unwrap_or_default()))?;
        }
        Ok(copy)
    }

    /// The file whose name ends so.
    ///
    /// # Errors
    /// If there is none.
    pub fn file(&self, ends: &str) -> Result<PathBuf> {
        let mut files = fs::read_dir(&self.0)?.filter_map(|entry| Some(entry.ok()?.path()));
        files.find(|path| path.to_string_lossy().ends_with(ends)).context(format!("no {ends}"))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
