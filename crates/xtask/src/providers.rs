//! The providers that others wrote, for the end-to-end tests: npm's `oidc-provider` and PyPI's `authlib`, in the
//! versions that `tests/e2e/providers` names, in folders of their own below `target`. Nothing of them is shipped.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    browsers,
    shell::{find, first_line, root, run, target},
};

/// Where they are, and what could not be had.
pub(crate) struct Providers {
    pub(crate) folder: PathBuf,
    /// What the names of the tests begin with that cannot run.
    pub(crate) left_out: Vec<&'static str>,
}

/// Installs what is missing. Without Python the tests that need it are left out, but for CI, where that is an error.
/// (There is no doing without Node: other parts of the tests need it as well.)
pub(crate) fn ready() -> Result<Providers> {
    let folder = target()?.join("providers");
    oidc_provider(&folder.join("oidc-provider"))?;
    let mut left_out = Vec::new();
    match find("python3").or_else(|| find("python")) {
        Some(python) => authlib(&python, &folder.join("authlib"))?,
        None if in_ci(env::var("CI").ok().as_deref()) => bail!("no Python, which runs one of the providers"),
        None => {
            println!("no Python: the tests of the provider that is made with authlib are LEFT OUT");
            left_out.push("authlib_");
        }
    }
    Ok(Providers { folder, left_out })
}

fn in_ci(variable: Option<&str>) -> bool {
    variable.is_some_and(|value| !matches!(value, "" | "0" | "false"))
}

fn oidc_provider(folder: &Path) -> Result<()> {
    const PINS: &str = "package-lock.json";
    copy("oidc-provider", folder)?;
    if is_installed(folder, PINS) {
        return Ok(());
    }
    let npm = find("npm").context("no npm: it comes with Node (nodejs.org)")?;
    println!("installing npm's oidc-provider into {} (a provider for the tests; takes seconds)", folder.display());
    run(Command::new(npm).current_dir(folder).args(["ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]))?;
    installed(folder, PINS)
}

fn authlib(python: &Path, folder: &Path) -> Result<()> {
    const PINS: &str = "requirements.txt";
    copy("authlib", folder)?;
    let own = folder.join("venv/bin/python");
    // One that an update of Python has left behind does not run.
    if is_installed(folder, PINS) && first_line(&own, "--version").is_some() {
        return Ok(());
    }
    // Debian has this part in a package of its own.
    if run(Command::new(python).args(["-c", "import ensurepip"])).is_err() {
        browsers::install(&["python3-venv"], "Python with its venv")?;
    }
    println!("installing PyPI's authlib into {} (a provider for the tests; takes seconds)", folder.display());
    run(Command::new(python).args(["-m", "venv", "--clear"]).arg(folder.join("venv")))?;
    // The list is whole: what it does not name is not installed.
    let quietly = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"];
    run(Command::new(own).args(quietly).arg(folder.join(PINS)))?;
    installed(folder, PINS)
}

/// Brings our own files there: the server, and what it is installed from.
fn copy(name: &str, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let source = root().join("tests/e2e/providers").join(name);
    for entry in fs::read_dir(&source).with_context(|| source.display().to_string())? {
        let path = entry?.path();
        if path.is_file() {
            fs::copy(&path, folder.join(path.file_name().unwrap_or_default()))?;
        }
    }
    Ok(())
}

const STAMP: &str = ".installed";

/// Whether what these pins name was installed to the end.
fn is_installed(folder: &Path, pins: &str) -> bool {
    let stamp = fs::read(folder.join(STAMP));
    stamp.is_ok_and(|stamp| fs::read(folder.join(pins)).is_ok_and(|pins| pins == stamp))
}

fn installed(folder: &Path, pins: &str) -> Result<()> {
    fs::copy(folder.join(pins), folder.join(STAMP))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_has_its_version_and_no_lock_names_a_host() {
        let read = |name: &str| fs::read_to_string(root().join("tests/e2e/providers").join(name)).expect("it is there");
        let python = read("authlib/requirements.txt");
        let packages: Vec<&str> = python.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(packages.len() > 3 && packages.iter().all(|line| line.contains("==")), "{python}");
        let lock = read("oidc-provider/package-lock.json");
        assert!(!lock.contains("\"resolved\""), "the lock file names a host");
        let lock: serde_json::Value = serde_json::from_str(&lock).expect("JSON");
        let packages = lock["packages"].as_object().expect("packages");
        let held = |name: &String| name.is_empty() || packages[name]["integrity"].is_string();
        assert!(packages.len() > 10 && packages.keys().all(held), "a package without its hash");
    }

    #[test]
    fn ci_is_where_somebody_says_so() {
        for (variable, ci) in [(None, false), (Some(""), false), (Some("false"), false), (Some("0"), false)]
            .into_iter()
            .chain([(Some("true"), true), (Some("1"), true), (Some("yes"), true)])
        {
            assert_eq!(in_ci(variable), ci, "{variable:?}");
        }
    }

    #[test]
    fn other_pins_are_installed_anew() {
        let folder = env::temp_dir().join(format!("polar-signin-providers-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        fs::write(folder.join("pins"), "one==1").expect("a file");
        assert!(!is_installed(&folder, "pins"));
        installed(&folder, "pins").expect("a stamp");
        assert!(is_installed(&folder, "pins"));
        fs::write(folder.join("pins"), "one==2").expect("a file");
        assert!(!is_installed(&folder, "pins"));
        fs::remove_dir_all(folder).expect("the folder is ours");
    }
}
