//! `cargo xtask build`: the static site, and what a browser downloads of it.

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use lexopt::prelude::*;

use crate::{
    artefacts::{self, Seal},
    scripts,
    shell::{self, root},
    tools::{self, Tools},
};

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let mut settings = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            // There is no other kind of build to deploy.
            Long("release") => {}
            Long("settings") => settings = Some(PathBuf::from(arguments.value()?)),
            other => return Err(other.unexpected().into()),
        }
    }
    let dist = root().join("dist");
    site(&tools::for_site(true)?, &dist, true)?;
    let edit = match settings {
        Some(settings) => {
            put_settings(&dist, &settings)?;
            artefacts::check(&dist)?;
            ""
        }
        None => " and edit config.json in it",
    };
    sizes(&dist)?;
    println!("\nCopy {} to any static host{edit}: docs/hosting.md", dist.display());
    Ok(())
}

/// Builds the site into a folder.
pub(crate) fn site(tools: &Tools, dist: &Path, release: bool) -> Result<()> {
    trunk(tools, &root(), dist, release)?;
    if !release {
        return Ok(());
    }
    scripts(tools, dist)?;
    seal(dist)?;
    artefacts::check(dist)
}

/// Builds what has an index.html into a folder.
pub(crate) fn trunk(tools: &Tools, app: &Path, dist: &Path, release: bool) -> Result<()> {
    let mut trunk = Command::new("trunk");
    tools.on_path(&mut trunk).current_dir(app);
    // Offline: what it misses it would download, in a version of its own choice.
    trunk.args(["build", "--offline", "--skip-version-check", "--dist"]).arg(dist);
    match (release, tools.wasm_opt) {
        (true, true) => trunk.arg("--release"),
        // Trunk's release mode insists on wasm-opt. This is the rest of that mode.
        (true, false) => trunk.args(["--cargo-profile", "release", "--minify"]),
        (false, _) => &mut trunk,
    };
    // Trunk takes this variable for a flag of its own, and wants `true` where others say `1`.
    trunk.env_remove("NO_COLOR");
    if release {
        trunk.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", rust_flags()?);
        tools.for_size(&mut trunk);
    }
    shell::run(&mut trunk)
}

/// The flags of whoever builds, and names for the folders of this machine: the places in the sources
/// that a panic names would tell of them.
pub(crate) fn rust_flags() -> Result<String> {
    let given = env::var("CARGO_ENCODED_RUSTFLAGS").ok().map(|flags| flags.split('\x1f').map(str::to_owned).collect());
    let plain = || env::var("RUSTFLAGS").ok().map(|flags| flags.split_whitespace().map(str::to_owned).collect());
    let mut flags: Vec<String> = given.or_else(plain).unwrap_or_default();
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    let cargo = cargo.context("no home folder")?;
    let rustc = |argument| shell::output(shell::rustc().arg(argument));
    let rust = PathBuf::from(rustc("--print=sysroot")?.trim());
    let version = rustc("-vV")?;
    let commit =
        version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).context("rustc names no commit")?;
    // The last one that fits counts: from the outside to the inside.
    let mut folders = vec![(cargo.clone(), "cargo".to_owned()), (rust.clone(), "rust".to_owned())];
    // Where Rust's own sources are installed their places are in this folder, and elsewhere under a name.
    // The result is the same with them and without.
    folders.push((rust.join("lib/rustlib/src/rust"), format!("/rustc/{commit}")));
    folders.extend([(root(), "app".to_owned()), (shell::target()?, "target".to_owned())]);
    for registry in fs::read_dir(cargo.join("registry/src")).into_iter().flatten().flatten() {
        // The name of this folder is the registry's host.
        folders.push((registry.path(), "crates".to_owned()));
    }
    flags.extend(folders.iter().map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display())));
    Ok(flags.join("\x1f"))
}

/// Makes the scripts fit for a release: as short as they can be, without a way from text to markup, and each named by
/// what is in it, so that caches may keep it for a year.
///
/// What wasm-bindgen wrote has one such way: the framework has it for an attribute that the app does not use. What would
/// have been markup would be a text.
fn scripts(tools: &Tools, dist: &Path) -> Result<()> {
    let index = dist.join("index.html");
    let mut page = fs::read_to_string(&index).context("no index.html")?;
    for file in files(dist)? {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let Some(stem) = name.strip_suffix(".js") else { continue };
        let tamed = scripts::short(tools, &file)?.replace(".innerHTML", ".textContent");
        // Trunk has named the app by what it was before.
        let stem = stem.rsplit_once('-').map_or(stem, |(stem, _)| stem);
        let renamed = format!("{stem}-{}.js", artefacts::hash(tamed.as_bytes()));
        fs::remove_file(&file)?;
        fs::write(dist.join(&renamed), tamed)?;
        page = page.replace(&format!("./{name}"), &format!("./{renamed}"));
    }
    fs::write(index, page).context("cannot write index.html")
}

/// Puts the settings of a file into the page, where they need not be waited for. `config.json` is then read no more.
pub(crate) fn put_settings(dist: &Path, settings: &Path) -> Result<()> {
    const BEFORE: &str = "<title>";
    let text = fs::read_to_string(settings).with_context(|| format!("no settings in {}", settings.display()))?;
    let value: serde_json::Value = serde_json::from_str(&text).context("settings are JSON")?;
    let text = value.to_string().replace('&', "&amp;").replace('\'', "&#39;");
    let index = dist.join("index.html");
    let page = fs::read_to_string(&index).context("no index.html")?;
    let (head, rest) = page.split_once(BEFORE).context("the page has another head than it had")?;
    let page = format!("{head}<meta name=polar-signin-settings content='{text}'>{BEFORE}{rest}");
    fs::write(index, page).context("cannot write index.html")?;
    fs::remove_file(dist.join("config.json")).context("no config.json")
}

/// Holds every file that the page loads to its content, as far as browsers allow that.
fn seal(dist: &Path) -> Result<()> {
    let file = dist.join("index.html");
    let mut page = fs::read_to_string(&file).context("no index.html")?;
    for Seal { tag, file, by } in artefacts::seals(&page.clone()) {
        // Trunk has done some.
        if !tag.contains(&format!(" {by}=")) {
            let bytes = fs::read(dist.join(file)).with_context(|| format!("{file} is not there"))?;
            // Each address stands once in a tag, whatever else was added to it by now.
            let address = [" src=./", " data-wasm=./", " href=./"].map(|name| format!("{name}{file}"));
            let loads = address
                .iter()
                .find(|address| tag.contains(*address))
                .context(format!("in which way is {file} loaded?"))?;
            page = page.replace(loads, &format!(" {by}=\"{}\"{loads}", artefacts::integrity(&bytes)));
        }
    }
    fs::write(&file, page).context("cannot write index.html")
}

/// Prints what a browser downloads: plain, gzip and brotli, file by file and in all.
pub(crate) fn sizes(dist: &Path) -> Result<()> {
    let files = files(dist)?;
    println!("\n{:<44} {:>9} {:>9} {:>9}", "downloaded", "plain", "gzip", "brotli");
    let mut total = [0; 3];
    for file in files {
        let bytes = fs::read(&file)?;
        let row = [bytes.len(), gzip(&bytes)?.len(), brotli(&bytes)?.len()];
        let name = file.strip_prefix(dist)?.display().to_string();
        println!("{name:<44} {:>9} {:>9} {:>9}", row[0], row[1], row[2]);
        for (sum, size) in total.iter_mut().zip(row) {
            *sum += size;
        }
    }
    println!("{:<44} {:>9} {:>9} {:>9}", "in all", total[0], total[1], total[2]);
    Ok(())
}

/// The files of a site, but for the hidden ones.
pub(crate) fn files(dist: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    collect(dist, &mut files)?;
    files.sort();
    Ok(files)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("no folder {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            // What starts with a dot is Trunk's own.
            files.push(path);
        }
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 11, 24);
    encoder.write_all(bytes)?;
    Ok(encoder.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn the_sizes_are_those_of_what_a_browser_can_unpack() {
        let text = "a page that says the same a few times over. ".repeat(50).into_bytes();
        let mut unpacked = Vec::new();
        let packed = gzip(&text).expect("memory");
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut unpacked).expect("gzip");
        assert_eq!(unpacked, text);
        unpacked.clear();
        let packed = brotli(&text).expect("memory");
        brotli::Decompressor::new(&packed[..], 4096).read_to_end(&mut unpacked).expect("brotli");
        assert_eq!(unpacked, text);
        assert!(packed.len() < text.len() / 10);
    }

    #[test]
    fn st_09_a_built_site_has_no_way_from_text_to_markup_and_is_sealed() {
        let dist = env::temp_dir().join(format!("polar-signin-tame-{}", std::process::id()));
        fs::create_dir_all(&dist).expect("a temporary folder");
        let page = "<script src=./boot.js data-js=./app-0123456789abcdef.js type=module></script>\
                    <script type=module src=./app-0123456789abcdef.js></script>";
        for (name, text) in [
            ("index.html", page),
            ("boot.js", "boot()"),
            ("app-0123456789abcdef.js", "const f = { __wbg_set_innerHTML_0: (a, b) => { a.innerHTML = b } }"),
        ] {
            fs::write(dist.join(name), text).expect("a file");
        }
        assert!(artefacts::check(&dist).is_err());
        scripts(&Tools::default(), &dist).expect("scripts");
        seal(&dist).expect("it can be sealed");
        artefacts::check(&dist).expect("fit for a release");
        assert!(!dist.join("app-0123456789abcdef.js").exists(), "another content needs another name");
        let page = fs::read_to_string(dist.join("index.html")).expect("the page");
        for (start, times) in [("app-", 2), ("boot-", 1)] {
            let module = files(&dist).expect("files").into_iter().find(|file| file.to_string_lossy().contains(start));
            let module = module.expect("the module").file_name().expect("a name").to_string_lossy().into_owned();
            assert_eq!(page.matches(&module).count(), times, "{module}: {page}");
        }
        fs::remove_dir_all(dist).expect("the folder is ours");
    }

    #[test]
    fn settings_in_the_page_are_those_of_the_file_and_no_markup() {
        let dist = env::temp_dir().join(format!("polar-signin-settings-{}", std::process::id()));
        fs::create_dir_all(&dist).expect("a temporary folder");
        let settings = r#"{ "client_id": "it's <b>&amp;\"" }"#;
        for (name, text) in
            [("index.html", "<meta charset=utf-8><title>Sign in</title>"), ("config.json", "{}"), ("own", settings)]
        {
            fs::write(dist.join(name), text).expect("a file");
        }
        put_settings(&dist, &dist.join("own")).expect("they can be put there");
        let page = fs::read_to_string(dist.join("index.html")).expect("the page");
        let content = page.split("content='").nth(1).and_then(|rest| rest.split('\'').next()).expect("the tag");
        assert_eq!(content, r#"{"client_id":"it&#39;s <b>&amp;amp;\""}"#);
        assert!(!dist.join("config.json").exists(), "two places for one thing");
        fs::write(dist.join("own"), "{").expect("a file");
        assert!(put_settings(&dist, &dist.join("own")).is_err(), "no JSON");
        fs::remove_dir_all(dist).expect("the folder is ours");
    }

    #[test]
    fn every_file_is_counted_but_the_hidden_ones() {
        let dist = env::temp_dir().join(format!("polar-signin-build-{}", std::process::id()));
        fs::create_dir_all(dist.join("assets")).expect("a temporary folder");
        for name in ["index.html", "assets/a.css", ".stage"] {
            fs::write(dist.join(name), "x").expect("a file");
        }
        let files = files(&dist).expect("a folder");
        assert_eq!(files, [dist.join("assets/a.css"), dist.join("index.html")]);
        fs::remove_dir_all(dist).expect("the folder is ours");
    }
}
