//! Scripts as they are shipped: without comments and white space, and with short names inside.

use std::{fs, path::Path, process::Command};

use anyhow::Result;

use crate::{shell, tools::Tools};

/// A module in its shortest form, if this machine has what shortens it.
pub(crate) fn short(tools: &Tools, module: &Path) -> Result<String> {
    if !tools.esbuild {
        return Ok(fs::read_to_string(module)?);
    }
    let mut esbuild = Command::new("esbuild");
    esbuild.arg(module).args(["--minify", "--format=esm", "--target=es2022", "--charset=utf8", "--log-level=warning"]);
    shell::output(tools.on_path(&mut esbuild))
}
