//! What the project needs on a machine, and how it comes there: once, outside `target/`, said
//! aloud. Browsers are in `browsers.rs`.

use std::{
    env::consts::EXE_EXTENSION,
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::shell::{cargo, find, first_line, output, root, run, rustc};

/// A command that `cargo install` brings.
pub(crate) struct Tool {
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
    // Its lock file names a version of a crate that is not to be had everywhere.
    locked: false,
    what_for: "makes the JavaScript beside the wasm; takes about two minutes",
};
const TRUNK: Tool = Tool {
    name: "trunk",
    version: "0.21.14",
    binary: "trunk",
    locked: true,
    what_for: "builds the site; takes about four minutes",
};
const WASM_PACK: Tool = Tool {
    name: "wasm-pack",
    version: "0.15.1",
    binary: "wasm-pack",
    locked: true,
    what_for: "runs the browser tests; takes about a minute",
};
/// Firefox's driver.
pub(crate) const GECKODRIVER: Tool = Tool {
    name: "geckodriver",
    version: "0.37.1",
    binary: "geckodriver",
    locked: true,
    what_for: "drives Firefox; takes about two minutes",
};

/// A command that an npm package brings, made of nothing but what is in that package.
struct NpmCommand {
    package: &'static str,
    version: &'static str,
    binary: &'static str,
    what_for: &'static str,
}

const BINARYEN: NpmCommand = NpmCommand {
    package: "binaryen",
    version: "132.0.0",
    binary: "wasm-opt",
    what_for: "makes the wasm smaller; takes seconds",
};
/// The oldest `wasm-opt` that knows what Rust emits.
const OLDEST_WASM_OPT: u32 = 116;
const ESBUILD: NpmCommand = NpmCommand {
    package: "esbuild",
    version: "0.28.2",
    binary: "esbuild",
    what_for: "makes the scripts smaller; takes seconds",
};
/// The Rust whose options for a standard library of one's own were tried.
const STD_OF: &str = "1.95";
/// npm's scripts that the end-to-end tests run in pages: what looks for barriers, and a framework.
const AXE: &str = "4.14.1";
const VUE: &str = "3.5.45";

/// Where the tools are: to put before the `PATH` of what is run.
#[derive(Default)]
pub(crate) struct Tools {
    folders: Vec<PathBuf>,
    /// Whether `wasm-opt` is among them.
    pub(crate) wasm_opt: bool,
    /// Whether `esbuild` is.
    pub(crate) esbuild: bool,
    /// Whether the standard library can be built anew, for size.
    own_std: bool,
}

impl Tools {
    /// Lets a command find the tools.
    pub(crate) fn on_path<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("PATH", self.path())
    }

    /// Lets a release be built for size as far as this machine can: with a standard library that is built
    /// with it, out of which everything is left that a panic would say. The compiler is the stable one; what
    /// it is asked for may be another thing in another version, so it is asked in one that is known.
    pub(crate) fn for_size(&self, command: &mut Command) {
        if self.own_std {
            command.env("RUSTC_BOOTSTRAP", "1");
            command.env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort");
            command.env("CARGO_UNSTABLE_BUILD_STD_FEATURES", "optimize_for_size");
            command.env("CARGO_UNSTABLE_PANIC_IMMEDIATE_ABORT", "true");
            command.env("CARGO_PROFILE_RELEASE_PANIC", "immediate-abort");
        }
    }

    fn path(&self) -> OsString {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = self.folders.iter().cloned().chain(std::env::split_paths(&path));
        std::env::join_paths(all).unwrap_or(path)
    }
}

/// What building the site needs. A build that nobody deploys does without `wasm-opt`.
pub(crate) fn for_site(release: bool) -> Result<Tools> {
    wasm_target()?;
    let cache = Cache::open()?;
    let mut folders = vec![cache.install(&WASM_BINDGEN)?, cache.install(&TRUNK)?];
    let wasm_opt = if release { cache.wasm_opt()? } else { None };
    let esbuild = if release { cache.esbuild()? } else { None };
    folders.extend(wasm_opt.iter().chain(&esbuild).cloned());
    sources()?;
    let own_std = release && sources_of_std()?;
    Ok(Tools { folders, wasm_opt: wasm_opt.is_some(), esbuild: esbuild.is_some(), own_std })
}

/// What the browser package's tests need, besides a browser.
pub(crate) fn for_browser_tests() -> Result<Tools> {
    wasm_target()?;
    let cache = Cache::open()?;
    Ok(Tools {
        folders: vec![cache.install(&WASM_BINDGEN)?, cache.install(&WASM_PACK)?],
        wasm_opt: false,
        esbuild: false,
        own_std: false,
    })
}

/// One tool: its folder.
pub(crate) fn one(tool: &Tool) -> Result<PathBuf> {
    Cache::open()?.install(tool)
}

/// The script of axe, which the end-to-end tests run in the pages that they look at.
pub(crate) fn axe() -> Result<PathBuf> {
    npm_script("axe-core", AXE, "axe.min.js", "looks for barriers")
}

/// Vue, which the end-to-end tests put an element of ours into.
pub(crate) fn vue() -> Result<PathBuf> {
    npm_script("vue", VUE, "dist/vue.runtime.global.prod.js", "a framework that the element is tried in")
}

/// A script out of a package of npm's, for the tests; shipped nowhere.
fn npm_script(package: &str, version: &str, file: &str, what_for: &str) -> Result<PathBuf> {
    const STAMP: &str = ".installed";
    let cache = Cache::open()?;
    let folder = cache.folder.join(format!("tools/{package}-{version}"));
    let script = folder.join("node_modules").join(package).join(file);
    // Written when the installation has come to its end.
    let is_whole = || folder.join(STAMP).is_file() && script.is_file();
    if !is_whole() {
        let _lock = cache.lock()?;
        if !is_whole() {
            println!("installing npm's {package} {version} into {} ({what_for}; takes seconds)", folder.display());
            npm(&folder, &format!("{package}@{version}"))?;
            fs::write(folder.join(STAMP), version)?;
        }
    }
    if is_whole() { Ok(script) } else { bail!("{} was installed but is not there", script.display()) }
}

/// Installs one package of npm's into a folder of its own. Nothing of it is run.
fn npm(folder: &Path, package: &str) -> Result<()> {
    // On Windows it is a script, which only its whole name starts.
    let npm = find("npm").context("no npm: it comes with Node (nodejs.org)")?;
    fs::create_dir_all(folder)?;
    let quietly = ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"];
    run(Command::new(npm).args(quietly).arg(folder).arg(package))
}

/// The folder of tools.
struct Cache {
    folder: PathBuf,
}

impl Cache {
    fn open() -> Result<Self> {
        Ok(Self { folder: cache_folder()? })
    }

    /// One installation at a time. Released when it is dropped, or the process ends in whichever way.
    fn lock(&self) -> Result<File> {
        let tools = self.folder.join("tools");
        fs::create_dir_all(&tools).with_context(|| format!("cannot make {}", tools.display()))?;
        let lock = File::create(tools.join(".lock"))?;
        if lock.try_lock().is_err() {
            println!("something else is being installed into {}: waiting for it", tools.display());
            lock.lock()?;
        }
        Ok(lock)
    }

    /// The folder of a tool's binary, installed if it is missing or another version.
    fn install(&self, tool: &Tool) -> Result<PathBuf> {
        let Tool { name, version, .. } = tool;
        let folder = self.folder.join("tools").join(format!("{}-{version}", name.trim_end_matches("-cli")));
        let bin = folder.join("bin");
        // `cargo install` puts the binary in place as its last act: one that answers is whole.
        let binary = bin.join(tool.binary).with_extension(EXE_EXTENSION);
        let answers = || first_line(&binary, "--version").is_some_and(|line| line.contains(version));
        if answers() {
            return Ok(bin);
        }
        let _lock = self.lock()?;
        if answers() {
            return Ok(bin);
        }
        println!("installing {name} {version} into {} ({})", folder.display(), tool.what_for);
        let build = self.folder.join("build");
        let mut command = cargo();
        command.args(["install", "--quiet", "--force", name, "--version", version, "--root"]).arg(&folder);
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
            // What is meant for the project does not belong to its tools.
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env_remove("CARGO_BUILD_TARGET");
        // After an interruption the build's folder stays, so that the next attempt goes on from there.
        run(&mut command)?;
        let _ = fs::remove_dir_all(&build);
        if answers() { Ok(bin) } else { bail!("{} was installed but does not run", binary.display()) }
    }

    /// The folder of a `wasm-opt` that is new enough. Without one the site is larger, and that is said.
    fn wasm_opt(&self) -> Result<Option<PathBuf>> {
        if let Some(bin) = self.npm_command(&BINARYEN)? {
            return Ok(Some(bin));
        }
        let on_path = find("wasm-opt")
            .filter(|file| first_line(file, "--version").and_then(|line| major(&line)) >= Some(OLDEST_WASM_OPT));
        if on_path.is_none() {
            println!(
                "no wasm-opt: npm cannot bring it, and there is none of version {OLDEST_WASM_OPT} or later on the \
                 PATH. The site is built without it, and is larger."
            );
        }
        Ok(on_path.and_then(|file| file.parent().map(Path::to_owned)))
    }

    /// The folder of `esbuild`. Without it scripts are shipped as they are written, and that is said.
    fn esbuild(&self) -> Result<Option<PathBuf>> {
        let bin = self.npm_command(&ESBUILD)?;
        if bin.is_none() {
            println!("no esbuild: npm cannot bring it. Scripts are shipped as they are written, and are larger.");
        }
        Ok(bin)
    }

    /// The folder of a command of npm's, installed if it is missing and npm can bring it.
    fn npm_command(&self, command: &NpmCommand) -> Result<Option<PathBuf>> {
        let NpmCommand { package, version, binary, what_for } = command;
        let folder = self.folder.join(format!("tools/{package}-{version}"));
        let bin = folder.join("node_modules/.bin");
        // Running it shows that it is whole, and that there is a Node to run it.
        let answers = || first_line(&bin.join(binary), "--version").is_some();
        if answers() {
            return Ok(Some(bin));
        }
        if find("npm").is_none() {
            return Ok(None);
        }
        let _lock = self.lock()?;
        if !answers() {
            println!("installing {binary} (npm's {package} {version}) into {} ({what_for})", folder.display());
            let _ = npm(&folder, &format!("{package}@{version}"));
        }
        Ok(answers().then_some(bin))
    }
}

/// The first number in a line: `wasm-opt version 132 (…)`, `Chromium 156.0.8078.79 built on …`.
pub(crate) fn major(line: &str) -> Option<u32> {
    let digits = line.split(|c: char| !c.is_ascii_digit()).find(|digits| !digits.is_empty())?;
    digits.parse().ok()
}

/// `$POLAR_SIGNIN_CACHE`, or where caches are kept on this machine.
fn cache_folder() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = set("POLAR_SIGNIN_CACHE") {
        // `cargo` and `npm` run elsewhere than whoever named it.
        return Ok(std::path::absolute(folder)?);
    }
    if let Some(folder) = set("XDG_CACHE_HOME") {
        return Ok(folder.join("polar-signin"));
    }
    let home = set("HOME").or_else(|| set("USERPROFILE"));
    let home = home.context("no home folder: set POLAR_SIGNIN_CACHE to a folder for the tools")?;
    Ok(home.join(".cache/polar-signin"))
}

/// Rust's target that the app is built for.
pub(crate) fn wasm_target() -> Result<()> {
    let sysroot = output(rustc().arg("--print=sysroot"))?;
    if Path::new(sysroot.trim()).join("lib/rustlib/wasm32-unknown-unknown/lib").is_dir() {
        return Ok(());
    }
    if find("rustup").is_none() {
        bail!("this Rust cannot build for wasm32-unknown-unknown: install that target the way Rust was installed");
    }
    println!("installing Rust's target wasm32-unknown-unknown with rustup (the app runs on it; takes seconds)");
    run(Command::new("rustup").args(["target", "add", "wasm32-unknown-unknown"]).current_dir(root()))
}

/// The sources that the app is built from. Trunk runs offline, lest it download tools of its own, and
/// then so does the `cargo` below it.
fn sources() -> Result<()> {
    let version = output(rustc().arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    // Macros and build scripts run on the host.
    run(cargo().args(["fetch", "--quiet", "--locked", "--target", "wasm32-unknown-unknown", "--target", host]))
}

/// Rust's own sources, and what they depend on. Without them the site is larger, and that is said.
fn sources_of_std() -> Result<bool> {
    let larger = |why: &str| {
        println!("{why}: the standard library is the one that came with Rust, and what is built is larger.");
        Ok(false)
    };
    let version = output(rustc().arg("-V"))?;
    if !version.starts_with(&format!("rustc {STD_OF}.")) {
        return larger(&format!("this is {}, and what was tried is {STD_OF}", version.trim()));
    }
    let sysroot = output(rustc().arg("--print=sysroot"))?;
    let library = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library");
    if !library.is_dir() {
        if find("rustup").is_none() {
            return larger("Rust's own sources are not installed");
        }
        println!("installing Rust's own sources with rustup (what is built with them is smaller; takes seconds)");
        let add = run(Command::new("rustup").args(["component", "add", "rust-src"]).current_dir(root()));
        if add.is_err() || !library.is_dir() {
            return larger("rustup cannot bring Rust's own sources");
        }
    }
    let mut fetch = cargo();
    fetch.env("RUSTC_BOOTSTRAP", "1").args(["fetch", "--quiet", "--locked", "--target", "wasm32-unknown-unknown"]);
    match run(fetch.arg("--manifest-path").arg(library.join("Cargo.toml"))) {
        Ok(()) => Ok(true),
        Err(_) => larger("what Rust's own sources depend on cannot be fetched"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bindgen_command_is_the_crate_of_the_workspace() {
        let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace's manifest");
        let line = format!("wasm-bindgen = \"={}\"", WASM_BINDGEN.version);
        assert!(manifest.contains(&line), "Cargo.toml has no {line}");
    }

    #[test]
    fn versions_are_read_off_what_programs_print() {
        for (line, version) in [
            ("wasm-opt version 132 (version_132)", Some(132)),
            ("Chromium 156.0.8078.79 built on Debian GNU/Linux 12 (bookworm)", Some(156)),
            ("ChromeDriver 156.0.8078.79 (abc)", Some(156)),
            ("no number", None),
        ] {
            assert_eq!(major(line), version, "{line}");
        }
    }
}
