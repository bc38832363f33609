//! A page for this client and one for each of the others, and the program that visits them (tests/bench).

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    browsers::{self, Engine},
    build, package,
    shell::{self, cargo, find, root, run},
    tools,
};

/// Builds what is to be built, and starts the program that has the pages visited, with these arguments.
pub(crate) fn visit(port: u16, rebuild: bool, document: &str, passed_on: &[String]) -> Result<()> {
    let browser = browsers::ready(Engine::Chromium)?;
    let (dist, pkg) = (root().join("dist"), root().join("pkg"));
    if rebuild {
        let tools = tools::for_site(true)?;
        build::site(&tools, &dist, true)?;
        package::make(&tools, &pkg)?;
    }
    let pages = pages(&dist, &pkg, port)?;
    let provider = shell::provider()?;
    run(cargo().args(["build", "--quiet", "--package", "polar-signin-bench"]))?;
    let program = shell::target()?.join("debug/polar-signin-bench").with_extension(std::env::consts::EXE_EXTENSION);
    run(Command::new(program)
        .args(["--port", &port.to_string(), "--pages"])
        .arg(&pages)
        .arg("--kept")
        .arg(shell::target()?.join("bench"))
        .arg("--document")
        .arg(root().join(document))
        .args(passed_on)
        .env("E2E_DIST", &dist)
        .env("E2E_PROVIDER", &provider)
        .env("E2E_XTASK", shell::own()?)
        .env("E2E_BROWSER", "chromium")
        .env("E2E_CHROMEDRIVER", &browser.driver))
}

/// Builds the page of each client, with exactly the versions that the lock file names.
fn pages(dist: &Path, pkg: &Path, port: u16) -> Result<PathBuf> {
    let Some(npm) = find("npm") else { bail!("the other clients come from npm: install Node with it") };
    let folder = root().join("tests/bench/pages");
    let lock = folder.join("package-lock.json");
    // npm notes what it has installed, and that is newer than what it should if nothing has changed.
    let noted = folder.join("node_modules/.package-lock.json");
    let changed = |file: &Path| fs::metadata(file).and_then(|data| data.modified()).ok();
    if changed(&noted) < changed(&lock) || changed(&noted).is_none() {
        println!("installing the other clients into {} (takes seconds)", folder.join("node_modules").display());
        run(Command::new(&npm)
            .args(["ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"])
            .current_dir(&folder))?;
    }
    println!("building the pages");
    let provider = format!("http://127.0.0.1:{}", port + 1);
    let app = app(dist, &provider)?;
    run(Command::new("node")
        .arg("build.js")
        .current_dir(&folder)
        .env("BENCH_APP", app)
        .env("BENCH_PKG", pkg)
        .env("BENCH_PROVIDER", provider))
    .context("the pages")?;
    Ok(folder.join("built"))
}

/// The app as somebody deploys it who cares for speed, and as the others have it: with the settings in its page.
fn app(dist: &Path, provider: &str) -> Result<PathBuf> {
    let folder = shell::target()?.join("bench-app");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    for file in build::files(dist)? {
        let copy = folder.join(file.strip_prefix(dist)?);
        fs::create_dir_all(copy.parent().unwrap_or(&folder))?;
        fs::copy(&file, copy)?;
    }
    let settings = shell::target()?.join("bench-settings.json");
    let text = serde_json::json!({
        "provider": "local", "issuer": format!("{provider}/"), "client_id": "polar_ci_bench",
        "scope": "openid profile email", "allow_http_on_loopback": true,
    });
    fs::write(&settings, text.to_string())?;
    build::put_settings(&folder, &settings)?;
    Ok(folder)
}
