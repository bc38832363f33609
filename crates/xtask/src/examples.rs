//! The examples, built as their owners would build them.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result};

use crate::{
    build,
    shell::{find, root, run, target},
    tools::Tools,
};

/// The Leptos app, by Trunk. The folder with the built site.
pub(crate) fn leptos(tools: &Tools) -> Result<PathBuf> {
    let dist = target()?.join("example-leptos");
    build::trunk(tools, &root().join("examples/leptos"), &dist, true)?;
    Ok(dist)
}

/// The React app, by Vite, from the package as npm packs it. Its types are checked first. The folder with the
/// built site.
pub(crate) fn react() -> Result<PathBuf> {
    // On Windows it is a script, which only its whole name starts.
    let npm = find("npm").context("the React example is built by npm, which comes with Node: nodejs.org")?;
    let npm = || Command::new(&npm);
    let folder = target()?.join("example-react");
    let source = root().join("examples/react");
    for inside in ["", "src", "types"] {
        // What is no longer there is not to be checked.
        if !inside.is_empty() && folder.join(inside).exists() {
            fs::remove_dir_all(folder.join(inside))?;
        }
        fs::create_dir_all(folder.join(inside))?;
        for entry in fs::read_dir(source.join(inside))? {
            let path = entry?.path();
            if path.is_file() {
                fs::copy(&path, folder.join(inside).join(path.file_name().unwrap_or_default()))?;
            }
        }
    }
    run(npm().args(["pack", "--silent", "--pack-destination"]).arg(&folder).arg(root().join("pkg")))?;
    // A package of the same name and version is taken for the same.
    let installed = folder.join("node_modules/polar-signin");
    if installed.exists() {
        fs::remove_dir_all(&installed)?;
    }
    let install = ["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"];
    run(npm().current_dir(&folder).args(install))?;
    for script in ["check", "build"] {
        run(npm().current_dir(&folder).args(["run", "--silent", script]))?;
    }
    Ok(folder.join("dist"))
}
