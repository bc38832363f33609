//! `cargo xtask build`: the static site, and what a browser downloads of it.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
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
    site(&tools::for_build()?, &dist, true)?;
    sizes(&dist)?;
    println!("\nCopy {} to any static host and edit config.json in it.", dist.display());
    Ok(())
}

/// Builds the site into a folder.
pub(crate) fn site(tools: &Tools, dist: &Path, release: bool) -> Result<()> {
    let mut trunk = std::process::Command::new("trunk");
    tools.on_path(&mut trunk).current_dir(root());
    trunk.args(["build", "--offline", "--skip-version-check", "--dist"]).arg(dist);
    // Trunk's own release mode insists on wasm-opt; the profile alone does not.
    match (release, tools.wasm_opt) {
        (true, true) => trunk.arg("--release"),
        (true, false) => trunk.args(["--cargo-profile", "release"]),
        (false, _) => &mut trunk,
    };
    // Trunk wants `true` where others say `1`.
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
        let row = [bytes.len(), gzip(&bytes)?, brotli(&bytes)?];
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
            files.push(path);
        }
    }
    Ok(())
}

fn gzip(bytes: &[u8]) -> Result<usize> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

fn brotli(bytes: &[u8]) -> Result<usize> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 11, 24);
    encoder.write_all(bytes)?;
    Ok(encoder.into_inner().len())
}
