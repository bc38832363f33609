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

/// Licences that do as well for what only builds and tests use.
const UNSHIPPED_LICENCES: [&str; 1] = ["MPL-2.0"];

/// Our packages that others link or download.
const SHIPPED: [&str; 3] = ["polar-signin", "polar-signin-core", "polar-signin-element"];

/// Which of our packages each may use. A package that is not here has not been thought about.
const ARROWS: [(&str, &[&str]); 8] = [
    ("polar-signin", &["polar-signin-core"]),
    ("polar-signin-core", &[]),
    ("polar-signin-element", &["polar-signin", "polar-signin-core"]),
    // These would not see a mistake that they share with what they hold to account.
    ("polar-signin-example-leptos", &["polar-signin", "polar-signin-core"]),
    ("polar-signin-provider", &[]),
    ("polar-signin-bench", &["polar-signin-e2e"]),
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
    let metadata = metadata()?;
    let shipped = shipped(&metadata)?;
    let mut refused = Vec::new();
    for package in array(&metadata, "packages")? {
        let licence = package["license"].as_str().unwrap_or("none");
        let also: &[&str] = if shipped.contains(&package["id"].as_str()) { &[] } else { &UNSHIPPED_LICENCES };
        if !is_allowed(licence, also) {
            refused.push(format!("{} ({licence})", package["name"]));
        }
    }
    if refused.is_empty() { Ok(()) } else { bail!("licences that are not on the list: {}", refused.join(", ")) }
}

/// The packages that end up with whoever uses ours, by their ids.
fn shipped(metadata: &Value) -> Result<Vec<Option<&str>>> {
    let nodes = array(&metadata["resolve"], "nodes")?;
    let is_ours = |package: &&Value| {
        package["source"].is_null() && package["name"].as_str().is_some_and(|name| SHIPPED.contains(&name))
    };
    let ours = array(metadata, "packages")?.iter().filter(is_ours);
    let mut shipped: Vec<Option<&str>> = ours.map(|package| package["id"].as_str()).collect();
    let mut at = 0;
    while let Some(id) = shipped.get(at).copied() {
        at += 1;
        let node = nodes.iter().find(|node| node["id"].as_str() == id).context("a package that is not resolved")?;
        for dependency in array(node, "deps")? {
            let is_normal = array(dependency, "dep_kinds")?.iter().any(|kind| kind["kind"].is_null());
            let id = dependency["pkg"].as_str();
            if is_normal && !shipped.contains(&id) {
                shipped.push(id);
            }
        }
    }
    Ok(shipped)
}

pub(crate) fn directions() -> Result<()> {
    let mut refused = Vec::new();
    // Ours are those without a registry.
    for package in array(&metadata()?, "packages")?.iter().filter(|package| package["source"].is_null()) {
        let name = package["name"].as_str().context("a package without a name")?;
        for dependency in array(package, "dependencies")? {
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

fn metadata() -> Result<Value> {
    let metadata = output(cargo().args(["metadata", "--format-version", "1", "--locked"]))?;
    serde_json::from_str(&metadata).context("cargo metadata")
}

/// A list that must be there: an empty answer would pass every rule.
fn array<'a>(value: &'a Value, name: &str) -> Result<&'a [Value]> {
    value[name].as_array().map(Vec::as_slice).with_context(|| format!("cargo metadata has no {name}"))
}

/// Whether an SPDX expression can be met: each `AND` part by one of its `OR` parts. Without its
/// parentheses an expression may be refused that could be met, never the other way round.
fn is_allowed(expression: &str, also: &[&str]) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    let is_listed = |licence: &str| LICENCES.contains(&licence) || also.contains(&licence);
    flat.split(" AND ").all(|part| part.split(" OR ").any(|licence| is_listed(licence.trim())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn licence_expressions_are_read() {
        for good in ["MIT", "MIT OR Apache-2.0", "MIT/Apache-2.0", "(MIT OR GPL-3.0) AND Unicode-3.0"] {
            assert!(is_allowed(good, &[]), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "MIT OR Apache-2.0 AND GPL-3.0", ""] {
            assert!(!is_allowed(bad, &[]), "{bad}");
        }
        assert!(is_allowed("MPL-2.0", &UNSHIPPED_LICENCES) && !is_allowed("MPL-2.0", &[]));
    }

    #[test]
    fn what_ships_is_what_ours_link_and_not_what_tests_use() {
        let node = |id: &str, deps: &[(&str, Option<&str>)]| {
            let deps: Vec<Value> =
                deps.iter().map(|(id, kind)| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] })).collect();
            json!({ "id": id, "deps": deps })
        };
        let metadata = json!({
            "packages": [
                { "id": "ours", "name": "polar-signin", "source": null },
                { "id": "tests", "name": "polar-signin-e2e", "source": null },
                { "id": "namesake", "name": "polar-signin", "source": "registry" },
            ],
            "resolve": { "nodes": [
                node("ours", &[("linked", None), ("dev", Some("dev")), ("built", Some("build"))]),
                node("linked", &[("deeper", None), ("ours", None)]),
                node("deeper", &[]),
                node("tests", &[("other", None)]),
            ] },
        });
        let shipped = shipped(&metadata).expect("whole metadata");
        assert_eq!(shipped, [Some("ours"), Some("linked"), Some("deeper")]);
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
