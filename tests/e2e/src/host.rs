//! Hosts other than ours, with the recipes of `examples/hosting`: what whoever deploys would do.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{
    Context, Failure, Result, Stage, Tab, hygiene,
    pages::StartPage,
    processes::Process,
    settings::Settings,
    stage::{BASE, config_for},
};

/// A file of `examples/hosting`.
///
/// # Errors
/// If there is none of this name.
pub fn recipe(name: &str) -> Result<String> {
    let path = recipes().join(name);
    fs::read_to_string(&path).context(path.display())
}

fn recipes() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hosting")
}

/// The built app on a host of its own, with a client at the provider that knows its address.
#[derive(Debug)]
pub struct Host {
    process: Process,
    folder: Folder,
    /// The origin, as the browser sees it.
    pub origin: String,
}

impl Host {
    /// nginx with the recipe, in which only what is marked as the reader's is changed; and then by
    /// `change`, for a test of what that breaks.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn nginx(stage: &Stage, change: impl Fn(String) -> String) -> Result<Self> {
        let settings = Settings::from_env()?;
        let port = crate::browser::free_port()?;
        let origin = format!("http://localhost:{port}");
        let folder = Folder::with_site(stage, &settings.dist, &origin).await?;
        let site = change(substituted(&recipe("nginx.conf")?, stage.provider().origin(), port, &folder.0)?);
        fs::write(folder.0.join("site.conf"), site)?;
        // One process, so that nothing is left when it is ended. The recipe is for the inside of `http`.
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.0.display()))
            .concat();
        let around = format!(
            "daemon off;\nmaster_process off;\npid {0}/pid;\nevents {{}}\nhttp {{\n{temporary}include {0}/site.conf;\n}}\n",
            folder.0.display()
        );
        let file = folder.0.join("nginx.conf");
        fs::write(&file, around)?;
        let args = [OsStr::new("-e"), OsStr::new("stderr"), OsStr::new("-c"), file.as_os_str()];
        let process = Process::start_silent(settings.nginx.as_os_str(), &args, port).context("nginx")?;
        Ok(Self { process, folder, origin })
    }

    /// A host that sends no header of the reader's choice, with this tag at the page's beginning.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn without_headers(stage: &Stage, tag: &str) -> Result<Self> {
        let settings = Settings::from_env()?;
        let port = crate::browser::free_port()?;
        let origin = format!("http://localhost:{port}");
        let folder = Folder::with_site(stage, &settings.dist, &origin).await?;
        let page = folder.site().join("index.html");
        let text = fs::read_to_string(&page)?;
        const FIRST: &str = "<meta charset=utf-8>";
        let (before, after) = text.split_once(FIRST).context("the page does not begin with its charset")?;
        fs::write(&page, format!("{before}{FIRST}{tag}{after}"))?;
        let (dir, port) = (folder.site(), port.to_string());
        let args = [
            ("--dir", dir.as_os_str()),
            ("--port", OsStr::new(&port)),
            ("--host", OsStr::new("localhost")),
            ("--base", OsStr::new(BASE)),
        ];
        let mut all = vec![OsStr::new("serve"), OsStr::new("--no-csp")];
        all.extend(args.iter().flat_map(|(name, value)| [OsStr::new(*name), value]));
        let serving = |line: &str| line.starts_with("serving ").then_some(());
        let (process, ()) = Process::start(settings.xtask.as_os_str(), &all, serving).context("the host")?;
        Ok(Self { process, folder, origin })
    }

    /// The app's address.
    #[must_use]
    pub fn site(&self) -> String {
        self.origin.clone() + BASE
    }

    /// The folder that is served as the app's.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        self.folder.site()
    }

    /// What it wrote of requests and of errors.
    ///
    /// # Errors
    /// If there is no log.
    pub fn logs(&self) -> Result<String> {
        let read = |name: &str| fs::read_to_string(self.folder.0.join(name)).context(name.to_owned());
        Ok(read("access.log")? + &read("error.log")? + &self.process.said())
    }

    /// A new browser on the app there.
    ///
    /// # Errors
    /// If the app does not start.
    pub async fn open(&self, stage: &Stage) -> Result<(Tab, StartPage)> {
        let tab = stage.tab().await?;
        hygiene::watch(&tab, &self.origin).await?;
        tab.goto(&self.site()).await?;
        let page = StartPage::wait(&tab).await?;
        Ok((tab, page))
    }

    /// The deploy check of the recipes.
    ///
    /// # Errors
    /// If there is no shell.
    pub fn check(&self, flags: &[&str]) -> Result<Output> {
        let mut command = Command::new("sh");
        Ok(command.arg(recipes().join("check.sh")).args(flags).arg(self.site()).output()?)
    }
}

/// The recipe, with what is marked `yours` filled in for this machine.
fn substituted(recipe: &str, provider: &str, port: u16, folder: &Path) -> Result<String> {
    let folder = folder.display();
    let mut next_is_ours = false;
    let mut lines = Vec::new();
    for line in recipe.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let marked = line.contains("# yours") && !words.starts_with(&["#"]);
        let filled_in = match words.as_slice() {
            ["listen", "443", ..] => format!("listen 127.0.0.1:{port};"),
            ["server_name", ..] => "server_name localhost;".to_owned(),
            ["root", ..] => format!("root {folder}/root;"),
            ["access_log", _, format, ..] => format!("access_log {folder}/access.log {format}"),
            ["error_log", _, level, ..] => format!("error_log {folder}/error.log {level}"),
            // There is no certificate for this machine, and one address will do.
            ["listen" | "ssl_certificate" | "ssl_certificate_key", ..] => String::new(),
            ["add_header", "Content-Security-Policy", ..] => {
                let line = line.replace("https://api.polar.sh", provider);
                line.replace("img-src 'self' https:", &format!("img-src 'self' https: {provider}"))
            }
            _ if marked => return Err(Failure::new(format!("what is to be filled in here? {line}"))),
            _ => line.to_owned(),
        };
        if !(marked || next_is_ours || filled_in == line) {
            return Err(Failure::new(format!("this line is not marked as the reader's: {line}")));
        }
        next_is_ours = words.starts_with(&["#", "yours:"]);
        lines.push(filled_in);
    }
    Ok(lines.join("\n"))
}

/// A folder that goes when its value is dropped.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    /// With a copy of the built app, configured for a client with this origin.
    async fn with_site(stage: &Stage, dist: &Path, origin: &str) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("polar-signin-host-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = Self(std::env::temp_dir().join(name));
        copy(dist, &folder.site())?;
        let mut config = config_for(stage.provider());
        config["client_id"] = stage.provider().register(&format!("{origin}{BASE}")).await?.into();
        fs::write(folder.site().join("config.json"), config.to_string())?;
        Ok(folder)
    }

    fn site(&self) -> PathBuf {
        self.0.join("root").join(BASE.trim_matches('/'))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn copy(from: &Path, to: &Path) -> Result {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let to = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy(&path, &to)?;
        } else {
            fs::copy(&path, &to)?;
        }
    }
    Ok(())
}
