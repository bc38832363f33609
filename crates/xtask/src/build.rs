//! `cargo xtask build`: the static site, and what a browser downloads of it.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use lexopt::prelude::*;

use crate::{
    shell::{self, root},
    tools::{self, Tools},
};

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    while let Some(argument) = arguments.next()? {
        match argument {
            // There is no other kind of build to deploy.
            Long("release") => {}
            other => return Err(other.unexpected().into()),
        }
    }
    let dist = root().join("dist");
    site(&tools::for_site(true)?, &dist, true)?;
    sizes(&dist)?;
    println!("\nCopy {} to any static host and edit config.json in it.", dist.display());
    Ok(())
}

/// Builds the site into a folder.
pub(crate) fn site(tools: &Tools, dist: &Path, release: bool) -> Result<()> {
    let mut trunk = Command::new("trunk");
    tools.on_path(&mut trunk).current_dir(root());
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
    shell::run(&mut trunk)
}

/// Prints what a browser downloads: plain, gzip and brotli, file by file and in all.
pub(crate) fn sizes(dist: &Path) -> Result<()> {
    let mut files: Vec<PathBuf> = Vec::new();
    collect(dist, &mut files)?;
    files.sort();
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
    fn every_file_is_counted_but_the_hidden_ones() {
        let dist = std::env::temp_dir().join(format!("polar-signin-build-{}", std::process::id()));
        fs::create_dir_all(dist.join("assets")).expect("a temporary folder");
        for name in ["index.html", "assets/a.css", ".stage"] {
            fs::write(dist.join(name), "x").expect("a file");
        }
        let mut files = Vec::new();
        collect(&dist, &mut files).expect("a folder");
        files.sort();
        assert_eq!(files, [dist.join("assets/a.css"), dist.join("index.html")]);
        fs::remove_dir_all(dist).expect("the folder is ours");
    }
}
