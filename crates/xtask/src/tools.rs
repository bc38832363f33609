//! What the project needs on a machine, and how it comes there: once, outside `target/`, said
//! aloud.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::shell::{cargo, find, first_line, root, run};

/// A command that `cargo install` brings.
struct Tool {
    name: &'static str,
    /// Must agree with the workspace's `Cargo.toml` where the crate has the same name.
    version: &'static str,
    binary: &'static str,
    locked: bool,
    what_for: &'static str,
}

const WASM_BINDGEN: Tool = Tool {
    name: "wasm-bindgen-cli",
    version: "0.2.130",
    binary: "wasm-bindgen",
    // Its lock file names a version of a crate that is not everywhere to be had.
    locked: false,
    what_for: "makes the JavaScript beside the wasm, about two minutes",
};
const TRUNK: Tool = Tool {
    name: "trunk",
    version: "0.21.14",
    binary: "trunk",
    locked: true,
    what_for: "builds the site, about four minutes",
};
const WASM_PACK: Tool = Tool {
    name: "wasm-pack",
    version: "0.15.1",
    binary: "wasm-pack",
    locked: true,
    what_for: "runs the browser tests, about a minute",
};

/// The npm package that ships `wasm-opt`.
const BINARYEN: &str = "132.0.0";

/// Where the tools are: to put before the `PATH` of what is run.
pub(crate) struct Tools {
    folders: Vec<PathBuf>,
    /// Whether `wasm-opt` is among them.
    pub(crate) wasm_opt: bool,
}

impl Tools {
    /// Lets a command find the tools.
    pub(crate) fn on_path<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("PATH", self.path())
    }

    fn path(&self) -> OsString {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = self.folders.iter().cloned().chain(std::env::split_paths(&path));
        std::env::join_paths(all).unwrap_or(path)
    }
}

/// What building the site needs.
pub(crate) fn for_build() -> Result<Tools> {
    wasm_target()?;
    let mut folders = vec![install(&WASM_BINDGEN)?, install(&TRUNK)?];
    let wasm_opt = wasm_opt()?;
    folders.extend(wasm_opt.iter().cloned());
    Ok(Tools { folders, wasm_opt: wasm_opt.is_some() })
}

/// What the tests need besides: wasm-pack, and a browser with its driver.
pub(crate) fn for_tests() -> Result<Tools> {
    let mut tools = for_build()?;
    tools.folders.push(install(&WASM_PACK)?);
    browser()?;
    Ok(tools)
}

/// Where tools are kept.
fn cache() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("POLAR_SIGNIN_CACHE") {
        return Ok(folder.into());
    }
    if let Some(folder) = std::env::var_os("XDG_CACHE_HOME") {
        return Ok(PathBuf::from(folder).join("polar-signin"));
    }
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    let home = home.context("no home folder: set POLAR_SIGNIN_CACHE to a folder for the tools")?;
    Ok(PathBuf::from(home).join(".cache/polar-signin"))
}

fn install(tool: &Tool) -> Result<PathBuf> {
    let cache = cache()?;
    let folder = cache.join("tools").join(format!("{}-{}", tool.name.trim_end_matches("-cli"), tool.version));
    let bin = folder.join("bin");
    // `cargo install` puts the binary in place as its last act: what is there is whole.
    let binary = bin.join(tool.binary).with_extension(std::env::consts::EXE_EXTENSION);
    if first_line(&binary, "--version").is_some_and(|line| line.contains(tool.version)) {
        return Ok(bin);
    }
    println!("installing {} {} into {} ({})", tool.name, tool.version, folder.display(), tool.what_for);
    let build = cache.join("build");
    let mut command = cargo();
    command.args(["install", "--quiet", "--force", tool.name, "--version", tool.version, "--root"]).arg(&folder);
    if tool.locked {
        command.arg("--locked");
    }
    // These programs work for seconds: building them quickly is worth more than their speed.
    command
        .env("CARGO_TARGET_DIR", &build)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_STRIP", "true")
        // Flags that are meant for the project do not belong to its tools.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    run(&mut command)?;
    let _ = std::fs::remove_dir_all(&build);
    Ok(bin)
}

fn wasm_target() -> Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = first_line(Path::new(&rustc), "--print=sysroot").context("rustc does not answer")?;
    if Path::new(&sysroot).join("lib/rustlib/wasm32-unknown-unknown").is_dir() {
        return Ok(());
    }
    if find("rustup").is_none() {
        bail!("this Rust cannot build for wasm32-unknown-unknown: install that target the way Rust was installed");
    }
    println!("installing the target wasm32-unknown-unknown with rustup");
    run(Command::new("rustup").args(["target", "add", "wasm32-unknown-unknown"]).current_dir(root()))
}

/// The folder of a `wasm-opt` that is new enough. Without one the site is larger, and that is said.
fn wasm_opt() -> Result<Option<PathBuf>> {
    let ours = cache()?.join("tools/binaryen-132");
    let bin = ours.join("node_modules/.bin");
    if first_line(&bin.join("wasm-opt"), "--version").is_some() {
        return Ok(Some(bin));
    }
    if find("npm").is_some() {
        println!("installing wasm-opt (npm's binaryen {BINARYEN}) into {} (makes the wasm smaller)", ours.display());
        std::fs::create_dir_all(&ours)?;
        let package = format!("binaryen@{BINARYEN}");
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(&ours).arg(package);
        if run(&mut npm).is_ok() {
            return Ok(Some(bin));
        }
    }
    let on_path = find("wasm-opt").filter(|file| {
        let version = first_line(file, "--version").unwrap_or_default();
        version.split_whitespace().filter_map(|word| word.parse::<u32>().ok()).any(|version| version >= 116)
    });
    if on_path.is_none() {
        println!("no wasm-opt (no npm, and none on the PATH that is new enough): the wasm will be larger");
    }
    Ok(on_path.and_then(|file| file.parent().map(Path::to_owned)))
}

/// A Chromium and its driver. On Debian as root they are installed.
fn browser() -> Result<()> {
    if chromium().is_some() && find("chromedriver").is_some() {
        return Ok(());
    }
    let is_root = first_line(Path::new("id"), "-u").is_some_and(|id| id == "0");
    if !(is_root && find("apt-get").is_some()) {
        bail!(
            "the tests need Chromium and chromedriver on the PATH. On Debian or Ubuntu:\n    \
             sudo apt-get install -y chromium chromium-driver"
        );
    }
    println!("installing Debian's chromium and chromium-driver");
    run(Command::new("apt-get").args(["update", "-q"]))?;
    run(Command::new("apt-get").args(["install", "-y", "-q", "chromium", "chromium-driver"]))
}

/// The browser's program.
pub(crate) fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(find)
}
