//! What packages may use: licences that go with ours, and arrows between our own that go one way.

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::shell::{cargo, output};

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

/// Which of our packages each may use. A package that is not here has not been thought about.
const ARROWS: [(&str, &[&str]); 6] = [
    ("polar-signin", &["polar-signin-core"]),
    ("polar-signin-core", &[]),
    ("polar-signin-element", &["polar-signin", "polar-signin-core"]),
    // These would not see a mistake that they share with what they hold to account.
    ("polar-signin-provider", &[]),
    ("polar-signin-e2e", &[]),
    ("xtask", &[]),
];

/// What the core must do without outside its tests: browsers, clocks, randomness, Leptos.
const FOREIGN_TO_CORE: [&str; 12] = [
    "getrandom",
    "gloo",
    "js-sys",
    "leptos",
    "rand",
    "reactive",
    "time",
    "tokio",
    "uuid",
    "wasm-bindgen",
    "web-sys",
    "web-time",
];

pub(crate) fn licences() -> Result<()> {
    let packages = packages()?;
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(is_allowed))
        .map(|package| format!("{} ({})", package["name"], package["license"]))
        .collect();
    if refused.is_empty() { Ok(()) } else { bail!("licences that are not on the list: {}", refused.join(", ")) }
}

pub(crate) fn directions() -> Result<()> {
    let mut refused = Vec::new();
    // Ours are those without a registry.
    for package in packages()?.iter().filter(|package| package["source"].is_null()) {
        let name = package["name"].as_str().context("a package without a name")?;
        let used = package["dependencies"].as_array().context("a package without dependencies")?;
        for dependency in used {
            let used = dependency["name"].as_str().context("a dependency without a name")?;
            let ours = !dependency["path"].is_null();
            refused.extend(refusal(name, used, ours, dependency["kind"].is_null()));
        }
    }
    if refused.is_empty() { Ok(()) } else { bail!("{}", refused.join("\n")) }
}

/// Why a package may not use another, if so. `normal` tells from what only its tests use.
fn refusal(package: &str, used: &str, ours: bool, normal: bool) -> Option<String> {
    if ours {
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == package) else {
            return Some(format!("say in the table of arrows what {package} may use"));
        };
        return (!allowed.contains(&used)).then(|| format!("{package} must not use {used}"));
    }
    // A crate and its family: `leptos`, `leptos_dom`.
    let is_of =
        |family: &&str| used.strip_prefix(*family).is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']));
    let to_core = package == "polar-signin-core" && normal && FOREIGN_TO_CORE.iter().any(is_of);
    to_core.then(|| format!("the core must not use {used}"))
}

fn packages() -> Result<Vec<Value>> {
    let metadata = output(cargo().args(["metadata", "--format-version", "1", "--locked"]))?;
    let mut metadata: Value = serde_json::from_str(&metadata).context("cargo metadata")?;
    match metadata["packages"].take() {
        Value::Array(packages) if !packages.is_empty() => Ok(packages),
        _ => bail!("cargo metadata names no packages"),
    }
}

/// Whether an SPDX expression can be met: each `AND` part by one of its `OR` parts. Without its
/// parentheses an expression may be refused that could be met, never the other way round.
fn is_allowed(expression: &str) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    flat.split(" AND ").all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_expressions_are_read() {
        for good in ["MIT", "MIT OR Apache-2.0", "MIT/Apache-2.0", "(MIT OR GPL-3.0) AND Unicode-3.0"] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "MIT OR Apache-2.0 AND GPL-3.0", ""] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }

    #[test]
    fn arrows_against_the_direction_are_refused() {
        for (package, used, ours, normal) in [
            ("polar-signin-core", "polar-signin", true, true),
            ("polar-signin-provider", "polar-signin-core", true, false),
            ("polar-signin-e2e", "polar-signin-core", true, false),
            ("polar-signin", "polar-signin-provider", true, false),
            ("polar-signin-new", "polar-signin-core", true, true),
            ("polar-signin-core", "web-sys", false, true),
            ("polar-signin-core", "gloo-net", false, true),
            ("polar-signin-core", "reactive_graph", false, true),
        ] {
            assert!(refusal(package, used, ours, normal).is_some(), "{package} uses {used}");
        }
        for (package, used, ours, normal) in [
            ("polar-signin", "polar-signin-core", true, true),
            ("polar-signin-core", "sha2", false, true),
            ("polar-signin-core", "rand", false, false),
            ("polar-signin", "web-sys", false, true),
        ] {
            assert_eq!(refusal(package, used, ours, normal), None, "{package} uses {used}");
        }
    }
}
