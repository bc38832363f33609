//! `cargo xtask test`: everything that CI runs, counted.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};
use lexopt::prelude::*;

pub(crate) use tally::{Tally, kept};

use crate::{
    browsers::{self, Browser, Engine},
    build, check, examples, matrix, modules, package, providers,
    shell::{self, cargo, root},
    tools,
};

mod tally;

/// What CI runs in a browser other than Chromium: files of the browser tests and of the end-to-end tests.
struct Also {
    engine: Engine,
    browser: &'static [&'static str],
    end_to_end: &'static [&'static str],
}

/// A sign-in, what becomes of it, and what browsers see differently. All of them would take as long as everything
/// else together. Only what has passed there again and again, on a busy machine too, stands here.
const ALSO: [Also; 2] = [
    Also {
        engine: Engine::Firefox,
        browser: &["browser_crypto", "browser_storage", "browser_popup"],
        end_to_end: &[
            "sign_in",
            "secrets",
            "renewal",
            "popup",
            "element",
            "element_framed",
            "example_leptos",
            "example_react",
        ],
    },
    Also {
        engine: Engine::WebKit,
        browser: &["browser_crypto", "browser_storage"],
        end_to_end: &["sign_in", "session", "secrets", "renewal", "popup"],
    },
];

/// The parts that can be run alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Unit,
    Fuzz,
    Browser,
    EndToEnd,
}

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let (mut part, mut engine) = (None, Engine::Chromium);
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(value) if part.is_none() => {
                part = Some(match value.string()?.as_str() {
                    "unit" => Part::Unit,
                    "fuzz" => Part::Fuzz,
                    "browser" => Part::Browser,
                    "e2e" => Part::EndToEnd,
                    other => bail!("no part `{other}`: unit, fuzz, browser or e2e"),
                });
            }
            Long("browser") => engine = arguments.value()?.string()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    let runs = |wanted| part.is_none_or(|part| part == wanted);
    let is_whole = part.is_none() && engine == Engine::Chromium;
    let mut tally = Tally::default();
    if part.is_none() {
        check::steps(&mut tally);
    }
    if runs(Part::Unit) {
        unit(&mut tally);
    }
    if runs(Part::Fuzz)
        && let Some(own) = tally.prepare("this program, as the one that fuzzes", shell::own)
    {
        tally.runner("fuzz", std::process::Command::new(own).arg("fuzz"));
    }
    if runs(Part::Browser) || runs(Part::EndToEnd) {
        // Without a browser neither part can run, but what did run is still counted.
        if let Some(browser) = tally.prepare(&format!("set-up: {}", engine.name()), || browsers::ready(engine)) {
            if runs(Part::Browser) {
                in_browser(&mut tally, &browser, &[]);
            }
            if runs(Part::EndToEnd)
                && let Some(parts) = parts(&mut tally)
            {
                end_to_end(&mut tally, &parts, &browser, &[]);
                if is_whole {
                    in_others_too(&mut tally, &parts);
                }
            }
        }
    }
    tally.keep(part.is_none())?;
    // The whole matrix is judged by a whole run, in the browser that runs everything.
    if is_whole {
        tally.step("the security matrix", || matrix::report(false));
    }
    if runs(Part::EndToEnd) {
        tally.step("the modules of the conformance suite", modules::report);
    }
    Ok(tally.finish())
}

/// The core, the provider, what compares clients, and these commands, on this machine.
fn unit(tally: &mut Tally) {
    let packages: [&[&str]; 4] =
        [&["polar-signin-core", "--all-features"], &["polar-signin-provider"], &["polar-signin-bench"], &["xtask"]];
    for package in packages {
        tally.runner("native", cargo().args(["test", "--no-fail-fast", "--package"]).args(package));
    }
}

/// The browser package, all files or these. One run a file: wasm-pack cannot be told to go on after a failure.
fn in_browser(tally: &mut Tally, browser: &Browser, files: &[&str]) {
    let Some(tools) = tally.prepare("set-up: tools for the browser tests", tools::for_browser_tests) else { return };
    let Some(mut targets) = tally.prepare("browser tests", || browser_targets(files)) else { return };
    if browser.engine == Engine::WebKit {
        let all = targets.len();
        targets.retain(|target| !target.iter().any(|word| WITH_WINDOWS.contains(&word.as_str())));
        if targets.len() < all {
            println!("left out in WebKit: {}: {NO_WINDOWS}", WITH_WINDOWS.join(", "));
        }
    }
    let capabilities = tally.prepare("the browser's settings", || capabilities(browser));
    let Some(capabilities) = capabilities else { return };
    let (flag, driver_flag) = browser.engine.wasm_pack();
    for target in targets {
        let mut command = browser.command("wasm-pack");
        command
            .current_dir(root())
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &capabilities)
            // The properties take a while; the runner gives up after 20 s by itself.
            .env("WASM_BINDGEN_TEST_TIMEOUT", "180")
            .args(["test", "--headless", flag, "--mode", "no-install", driver_flag])
            .arg(&browser.driver)
            .args(&target);
        tally.runner(&place("browser", browser), tools.on_path(&mut command));
    }
}

/// What to name to Cargo: these files, or each file of `tests/`, and the library if it has tests of its own.
fn browser_targets(chosen: &[&str]) -> Result<Vec<Vec<String>>> {
    if !chosen.is_empty() {
        return Ok(chosen.iter().map(|file| vec!["--test".to_owned(), (*file).to_owned()]).collect());
    }
    let mut files: Vec<_> = fs::read_dir(root().join("tests"))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    files.sort();
    let mut targets: Vec<_> = files.into_iter().map(|file| vec!["--test".to_owned(), file]).collect();
    let sources = shell::output(std::process::Command::new("git").current_dir(root()).args([
        "ls-files",
        "-z",
        "-co",
        "--exclude-standard",
        "src",
    ]))?;
    let has_tests =
        |name: &str| fs::read_to_string(root().join(name)).is_ok_and(|text| text.contains("#[wasm_bindgen_test"));
    if sources.split_terminator('\0').any(has_tests) {
        targets.push(vec!["--lib".to_owned()]);
    }
    Ok(targets)
}

/// The file with what the browser is started with: ours, or one that names where the browser is.
fn capabilities(browser: &Browser) -> Result<PathBuf> {
    let Some(program) = &browser.program else { return Ok(root().join("webdriver.json")) };
    let file = shell::target()?.join(format!("webdriver-{}.json", browser.engine.name()));
    let capabilities = serde_json::json!({
        "browserName": "MiniBrowser",
        "webkitgtk:browserOptions": { "binary": program, "args": ["--automation"] },
    });
    fs::write(&file, capabilities.to_string()).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// What the end-to-end tests are run with.
struct Parts {
    dist: PathBuf,
    leptos: PathBuf,
    react: PathBuf,
    pkg: PathBuf,
    /// The package with proof of possession.
    pkg_dpop: PathBuf,
    provider: PathBuf,
    own: &'static Path,
    nginx: PathBuf,
    axe: PathBuf,
    vue: PathBuf,
    providers: providers::Providers,
    /// Where the names of tests go that are tried twice.
    again: PathBuf,
}

fn parts(tally: &mut Tally) -> Option<Parts> {
    let dist = root().join("dist");
    let built = tally.prepare("build the site", || {
        build::site(&tools::for_site(true)?, &dist, true)?;
        build::sizes(&dist)
    });
    let pkg = root().join("pkg");
    let packed = tally.prepare("build the JavaScript package", || {
        package::make(&tools::for_site(true)?, &pkg)?;
        build::sizes(&pkg)
    });
    let pkg_dpop = tally.prepare("build the JavaScript package with proof of possession", || {
        let folder = shell::target()?.join("pkg-dpop");
        package::make_with(&tools::for_site(true)?, &folder, true)?;
        build::sizes(&folder)?;
        Ok(folder)
    });
    let leptos = tally.prepare("build the Leptos example", || examples::leptos(&tools::for_site(true)?));
    packed?;
    let react = tally.prepare("build the React example", examples::react);
    let provider = tally.prepare("build the provider", shell::provider);
    let own = tally.prepare("this program, as the site's host", shell::own);
    let nginx = tally.prepare("set-up: nginx", browsers::nginx);
    let axe = tally.prepare("set-up: axe", tools::axe);
    let vue = tally.prepare("set-up: Vue", tools::vue);
    let providers = tally.prepare("set-up: the providers of others", providers::ready)?;
    let again = tally.prepare("the folder of the build", shell::target)?;
    built?;
    let (leptos, react, provider, own, nginx) = (leptos?, react?, provider?, own?, nginx?);
    let (pkg_dpop, axe, vue) = (pkg_dpop?, axe?, vue?);
    Some(Parts { dist, leptos, react, pkg, pkg_dpop, provider, own, nginx, axe, vue, providers, again })
}

/// Files of browser tests that open windows without a click.
const WITH_WINDOWS: [&str; 2] = ["browser_popup", "browser_popup_client"];
const NO_WINDOWS: &str =
    "wasm-bindgen's runner cannot tell it to let scripts open windows; the end-to-end tests open them there (popup)";

fn in_others_too(tally: &mut Tally, parts: &Parts) {
    for Also { engine, browser, end_to_end: files } in ALSO {
        if let Some(there) = tally.prepare(&format!("set-up: {}", engine.name()), || browsers::ready(engine)) {
            // No file named would be all of them.
            if !browser.is_empty() {
                in_browser(tally, &there, browser);
            }
            if !files.is_empty() {
                end_to_end(tally, parts, &there, files);
            }
        }
    }
}

/// The release build in a real browser, against the provider: all files, or these.
fn end_to_end(tally: &mut Tally, parts: &Parts, browser: &Browser, files: &[&str]) {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = browser.command(&cargo);
    command
        .current_dir(root())
        .args(["test", "--no-fail-fast", "--package", "polar-signin-e2e"])
        .args(files.iter().flat_map(|file| ["--test", file]))
        .env("E2E_DIST", &parts.dist)
        .env("E2E_EXAMPLE_LEPTOS", &parts.leptos)
        .env("E2E_EXAMPLE_REACT", &parts.react)
        .env("E2E_PKG", &parts.pkg)
        .env("E2E_PKG_DPOP", &parts.pkg_dpop)
        .env("E2E_PROVIDER", &parts.provider)
        .env("E2E_XTASK", parts.own)
        .env("E2E_NGINX", &parts.nginx)
        .env("E2E_AXE", &parts.axe)
        .env("E2E_VUE", &parts.vue)
        .env("E2E_PROVIDERS", &parts.providers.folder)
        .env("E2E_BROWSER", browser.engine.name());
    let driver = match browser.engine {
        Engine::Chromium => "E2E_CHROMEDRIVER",
        Engine::Firefox => "E2E_GECKODRIVER",
        Engine::WebKit => "E2E_WEBKITDRIVER",
    };
    command.env(driver, &browser.driver);
    if let Some(program) = &browser.program {
        command.env("E2E_MINIBROWSER", program);
    }
    command.arg("--").args(parts.providers.left_out.iter().flat_map(|tests| ["--skip", tests]));
    let place = place("e2e", browser);
    let again = parts.again.join(format!("again-{}", browser.engine.name()));
    let _ = fs::remove_file(&again);
    tally.runner(&place, command.env("E2E_AGAIN", &again));
    tally.tried_again(&place, &again);
}

/// Where a test ran: a run in another browser does not stand for the one in Chromium.
fn place(part: &str, browser: &Browser) -> String {
    match browser.engine {
        Engine::Chromium => part.to_owned(),
        other => format!("{part} in {}", other.name()),
    }
}
