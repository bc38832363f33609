//! `cargo xtask check`: formats, lints, documentation, licences, and the rules of the house that
//! no compiler holds.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::shell::{cargo, root, run as run_command};

const WASM: [&str; 2] = ["--target", "wasm32-unknown-unknown"];
const NATIVE: [&str; 8] = [
    "--package",
    "polar-signin-core",
    "--package",
    "polar-signin-provider",
    "--package",
    "polar-signin-e2e",
    "--package",
    "xtask",
];

pub(crate) fn run() -> Result<()> {
    run_command(cargo().args(["fmt", "--all", "--check"]))?;
    run_command(cargo().args(["clippy", "--quiet", "--all-targets"]).args(NATIVE).args(["--", "-D", "warnings"]))?;
    let core = ["clippy", "--quiet", "--all-targets", "--all-features", "--package", "polar-signin-core"];
    run_command(cargo().args(core).args(["--", "-D", "warnings"]))?;
    run_command(cargo().args(["clippy", "--quiet", "--all-targets"]).args(WASM).args(["--", "-D", "warnings"]))?;
    let doc = ["doc", "--quiet", "--no-deps"];
    run_command(cargo().args(doc).args(["--package", "polar-signin-core"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    run_command(cargo().args(doc).args(WASM).args(["--lib"]).env("RUSTDOCFLAGS", "-D warnings"))?;
    licences()?;
    house()
}

/// Licences that go with ours.
const LICENCES: [&str; 12] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

fn licences() -> Result<()> {
    let output = cargo().args(["metadata", "--format-version", "1", "--locked"]).output()?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    let packages = metadata["packages"].as_array().context("no packages")?;
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(is_allowed))
        .map(|package| format!("{} ({})", package["name"], package["license"]))
        .collect();
    if refused.is_empty() { Ok(()) } else { bail!("licences that are not on the list: {}", refused.join(", ")) }
}

/// Whether an SPDX expression can be met: each `AND` part by one of its `OR` parts.
fn is_allowed(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    flat.split(" AND ").all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

/// Which folder of `src/` may use which: the arrows go one way.
const ARROWS: [(&str, &[&str]); 5] = [
    ("browser", &["browser"]),
    ("text", &["text"]),
    ("client", &["client", "browser"]),
    ("components", &["components", "client", "browser", "text"]),
    ("pages", &["pages", "components", "client", "browser", "text"]),
];

/// A rule that was broken, and where.
type Broken = Vec<String>;

fn house() -> Result<()> {
    let root = root();
    let mut broken = Broken::new();
    for file in source_files(&root)? {
        let text = fs::read_to_string(&file)?;
        let name = file.strip_prefix(&root)?.to_string_lossy().replace('\\', "/");
        rules(&name, &text, &mut broken);
    }
    if broken.is_empty() { Ok(()) } else { bail!("rules of the house:\n  {}", broken.join("\n  ")) }
}

fn rules(name: &str, text: &str, broken: &mut Broken) {
    let code = || text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut refuse = |what: String| broken.push(format!("{name}: {what}"));
    if let Some((folder, allowed)) = ARROWS.iter().find(|(folder, _)| name.starts_with(&format!("src/{folder}"))) {
        for used in code().filter_map(used_folder) {
            if ARROWS.iter().any(|(known, _)| *known == used) && !allowed.contains(&used) {
                refuse(format!("{folder} must not use {used}"));
            }
        }
    }
    if name.starts_with("src/browser")
        && code().any(|line| line.contains("polar_signin_core") || line.contains("leptos"))
    {
        refuse("the browser's adapters know neither the protocol nor Leptos".to_owned());
    }
    if name.starts_with("crates/core/src") {
        for foreign in ["js_sys", "web_sys", "wasm_bindgen", "std::time", "SystemTime", "Instant::now", "getrandom"] {
            if code().any(|line| line.contains(foreign)) {
                refuse(format!("the core knows no {foreign}"));
            }
        }
    }
    if name.ends_with("secret.rs") && code().any(|line| line.contains("derive") && line.contains("Debug")) {
        refuse("a secret must not derive Debug".to_owned());
    }
    if !name.starts_with("crates/element")
        && !name.starts_with("crates/xtask")
        && code().any(|line| line.contains("#[wasm_bindgen]"))
    {
        refuse("exports to JavaScript belong to crates/element".to_owned());
    }
    let lines = text.lines().count();
    if lines > 400 && !text.lines().take(5).any(|line| line.contains("long:")) {
        refuse(format!("{lines} lines: cut it by subject, or say why in a `long:` line at its head"));
    }
}

/// `use crate::folder::…` or `crate::folder::…`.
fn used_folder(line: &str) -> Option<&str> {
    let (_, path) = line.split_once("crate::")?;
    path.split([':', ';', ',', ' ', '}']).next()
}

fn source_files(root: &Path) -> Result<Vec<PathBuf>> {
    let output =
        std::process::Command::new("git").current_dir(root).args(["ls-files", "-co", "--exclude-standard"]).output()?;
    let list = String::from_utf8(output.stdout)?;
    let is_source = |name: &&str| [".rs", ".js", ".css", ".html"].iter().any(|ending| name.ends_with(ending));
    Ok(list.lines().filter(is_source).map(|name| root.join(name)).filter(|file| file.is_file()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(name: &str, text: &str) -> usize {
        let mut broken = Broken::new();
        rules(name, text, &mut broken);
        broken.len()
    }

    #[test]
    fn each_rule_finds_what_breaks_it() {
        for (name, text) in [
            ("src/browser/http.rs", "use crate::client::Client;"),
            ("src/client/mod.rs", "use crate::pages::home;"),
            ("src/browser/http.rs", "use polar_signin_core::http;"),
            ("src/browser/http.rs", "use leptos::prelude::*;"),
            ("crates/core/src/time.rs", "let now = std::time::Instant;"),
            ("crates/core/src/secret.rs", "#[derive(Clone, Debug)]"),
            ("src/lib.rs", "#[wasm_bindgen]"),
        ] {
            assert_eq!(broken(name, text), 1, "{name}: {text}");
        }
        assert_eq!(broken("src/lib.rs", &"\n".repeat(401)), 1);
    }

    #[test]
    fn what_keeps_the_rules_passes() {
        for (name, text) in [
            ("src/components/account.rs", "use crate::client::Client;"),
            ("src/browser/http.rs", "// as leptos does"),
            ("crates/core/src/time.rs", "use crate::json::Number;"),
            ("src/lib.rs", &format!("// long: a table\n{}", "\n".repeat(401))),
        ] {
            assert_eq!(broken(name, text), 0, "{name}");
        }
    }

    #[test]
    fn licence_expressions_are_read() {
        for good in ["MIT", "MIT OR Apache-2.0", "MIT/Apache-2.0", "(MIT OR GPL-3.0) AND Unicode-3.0"] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", ""] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }
}
