//! The rules of the house that no compiler holds, over the text of the sources.

mod source;

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::shell::{output, root};
use source::Code;

/// A rule: the file's path, its text, and its text without comments and what stands in quotes.
/// Says what is wrong, if anything.
type Rule = fn(&str, &str, &Code) -> Vec<String>;

const RULES: [Rule; 9] = [arrows, adapters, core_alone, secrets, exports, length, words, lock_files, suites];

/// Which folders of `src/` each may use: its own and those below it.
const ARROWS: [(&str, &[&str]); 5] = [
    ("browser", &["browser"]),
    ("text", &["text"]),
    ("client", &["client", "browser"]),
    ("components", &["components", "client", "browser", "text"]),
    ("pages", &["pages", "components", "client", "browser", "text"]),
];

/// No source holds these: hosts that packages come from, folders of one machine.
const WORDS: [&str; 8] = [
    "index.crates.io",
    "static.crates.io",
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "pypi.org",
    "files.pythonhosted.org",
    "/root/",
    "/work/",
];

/// Where a lock file may say that packages come from.
const SOURCES: [&str; 1] = ["registry+https://github.com/rust-lang/crates.io-index"];

pub(crate) fn check() -> Result<()> {
    let root = root();
    let mut broken = Vec::new();
    for file in files()? {
        let name = file.strip_prefix(&root)?.to_string_lossy().replace('\\', "/");
        // What is no text has no rules.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        broken.extend(refusals(&name, &text));
    }
    if broken.is_empty() { Ok(()) } else { bail!("\n  {}", broken.join("\n  ")) }
}

fn refusals(name: &str, text: &str) -> Vec<String> {
    let code = if name.ends_with(".rs") { Code::of(text) } else { Code::default() };
    RULES.iter().flat_map(|rule| rule(name, text, &code)).map(|what| format!("{name}: {what}")).collect()
}

/// Everything that git keeps or would keep.
fn files() -> Result<Vec<PathBuf>> {
    let root = root();
    let list = output(Command::new("git").current_dir(&root).args(["ls-files", "-z", "-co", "--exclude-standard"]))
        .context("the rules are held by what git knows")?;
    let files: Vec<PathBuf> = list.split_terminator('\0').map(|name| root.join(name)).filter(|f| f.is_file()).collect();
    if files.is_empty() {
        bail!("git knows no file in {}", root.display())
    }
    Ok(files)
}

/// pages → components → client → browser, and no way back.
fn arrows(name: &str, _: &str, code: &Code) -> Vec<String> {
    let Some((folder, allowed)) = ARROWS.iter().find(|(folder, _)| is_in(name, &format!("src/{folder}"))) else {
        return Vec::new();
    };
    let known = |used: &&str| ARROWS.iter().any(|(folder, _)| folder == used);
    let used = ["crate", "super", "polar_signin"].into_iter().flat_map(|root| code.below(root));
    let refused = used.filter(|used| known(used) && !allowed.contains(used));
    refused.map(|used| format!("{folder} must not use {used}")).collect()
}

fn adapters(name: &str, _: &str, code: &Code) -> Vec<String> {
    if !is_in(name, "src/browser") {
        return Vec::new();
    }
    let found = ["polar_signin_core", "leptos"].into_iter().filter(|word| code.has(word));
    found.map(|word| format!("what adapts the browser knows no {word}")).collect()
}

fn core_alone(name: &str, _: &str, code: &Code) -> Vec<String> {
    if !name.starts_with("crates/core/src/") {
        return Vec::new();
    }
    let crates = ["js_sys", "web_sys", "wasm_bindgen", "getrandom", "leptos", "polar_signin"];
    let clocks = ["SystemTime", "Instant", "UNIX_EPOCH"];
    let mut found: Vec<&str> = crates.into_iter().chain(clocks).filter(|word| code.has(word)).collect();
    if code.below("std").any(|module| module == "time") {
        found.push("std::time");
    }
    found.into_iter().map(|word| format!("the core knows no {word}")).collect()
}

/// A secret prints nothing by accident.
fn secrets(name: &str, _: &str, code: &Code) -> Vec<String> {
    let is_secret = name.starts_with("crates/core/src/") && name.ends_with("/secret.rs");
    if is_secret && code.attributes().any(|attribute| attribute.starts_with("derive") && has(attribute, "Debug")) {
        return vec!["a secret must not derive Debug".to_owned()];
    }
    Vec::new()
}

/// An export of a library stays in every app that links it.
fn exports(name: &str, _: &str, code: &Code) -> Vec<String> {
    if name.starts_with("crates/element/") {
        return Vec::new();
    }
    let is_export = |(attribute, next): &(&str, &str)| {
        let is_import = next.starts_with("extern") || next.starts_with("unsafe extern");
        (*attribute == "wasm_bindgen" || attribute.starts_with("wasm_bindgen(")) && !is_import
    };
    let found = code.attributes_and_next().filter(is_export).count();
    (found > 0).then(|| "exports to JavaScript belong to crates/element".to_owned()).into_iter().collect()
}

fn length(name: &str, text: &str, _: &Code) -> Vec<String> {
    let lines = text.lines().count();
    let is_source = [".rs", ".js", ".css"].iter().any(|ending| name.ends_with(ending));
    let reason = |line: &str| line.split_once("long:").is_some_and(|(_, why)| why.trim().len() >= 10);
    if is_source && lines > 400 && !text.lines().take(10).any(reason) {
        return vec![format!("{lines} lines: cut it by subject, or say why not, in a line `// long: …` at its head")];
    }
    Vec::new()
}

/// A file of end-to-end tests brings its own runner: under another one it would run nothing, and pass.
fn suites(name: &str, text: &str, _: &Code) -> Vec<String> {
    if name != "tests/e2e/Cargo.toml" {
        return Vec::new();
    }
    let files = fs::read_dir(root().join("tests/e2e/tests")).into_iter().flatten().flatten();
    let names = files.filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".rs")?.to_owned()));
    let undeclared = names.filter(|name| !text.contains(&format!("name = \"{name}\"\nharness = false\n")));
    undeclared.map(|name| format!("{name} has no `[[test]]` with `harness = false`: it would run no test")).collect()
}

fn words(name: &str, text: &str, _: &Code) -> Vec<String> {
    // This file has the list.
    if name == "crates/xtask/src/house.rs" {
        return Vec::new();
    }
    WORDS.iter().filter(|word| text.contains(**word)).map(|word| format!("holds {word}")).collect()
}

/// A lock file that names a mirror works on one machine.
fn lock_files(name: &str, text: &str, _: &Code) -> Vec<String> {
    if !name.ends_with("Cargo.lock") {
        return Vec::new();
    }
    let source = |line: &str| Some(line.strip_prefix("source = \"")?.strip_suffix('"')?.to_owned());
    let mut other: Vec<String> = text.lines().filter_map(source).filter(|s| !SOURCES.contains(&s.as_str())).collect();
    other.dedup();
    other.into_iter().map(|source| format!("packages from {source}")).collect()
}

/// Whether a file is a module or below it: `src/text.rs`, `src/text/en.rs`.
fn is_in(name: &str, module: &str) -> bool {
    name.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

/// Whether a text has a name, and not merely as a part of another.
fn has(text: &str, name: &str) -> bool {
    source::positions(text, name).next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many rules a file breaks.
    fn broken(name: &str, text: &str) -> usize {
        refusals(name, text).len()
    }

    #[test]
    fn arrows_against_the_direction_are_found() {
        for (name, text) in [
            ("src/browser/http.rs", "use crate::client::Client;"),
            ("src/client/mod.rs", "use crate::{\n    browser::http,\n    pages::home,\n};"),
            ("src/client/drive.rs", "use crate::{browser::{http, crypto}, components::account};"),
            ("src/client/drive.rs", "fn f() { crate::components::show() }"),
            ("src/client/drive.rs", "use super::super::components::show;"),
            ("src/components/mod.rs", "use super::pages;"),
            ("src/text/en.rs", "use crate::browser::navigation;"),
            ("src/components/account.rs", "use polar_signin::pages::home;"),
        ] {
            assert_eq!(broken(name, text), 1, "{name}: {text}");
        }
        for (name, text) in [
            ("src/components/account.rs", "use crate::{browser::dom, client::SignIn, text::en};"),
            ("src/components/account.rs", "use polar_signin_core::snapshot::Account;"),
            ("src/client/mod.rs", "use crate::browser::{pages, components};"),
            ("src/browser/http.rs", "// as crate::client does\nlet s = \"crate::client\";"),
            ("src/main.rs", "use crate::pages;"),
        ] {
            assert_eq!(refusals(name, text), Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn adapters_that_know_too_much_are_found() {
        assert_eq!(broken("src/browser/http.rs", "use polar_signin_core::http;"), 1);
        assert_eq!(broken("src/browser/dom.rs", "use leptos::prelude::*;"), 1);
        assert_eq!(broken("src/browser/dom.rs", "//! Leptos-free, as leptos wants it.\nlet leptos_free = 1;"), 0);
        assert_eq!(broken("src/client/mod.rs", "use polar_signin_core::Session;"), 0);
    }

    #[test]
    fn a_core_that_is_not_alone_is_found() {
        for text in [
            "let now = std::time::Duration::ZERO;",
            "use std::{fmt, time::Duration};",
            "let now = Instant::now();",
            "use js_sys::Date;",
            "use web_sys::Window;",
            "use wasm_bindgen::JsValue;",
            "getrandom::fill(&mut bytes);",
        ] {
            assert_eq!(broken("crates/core/src/jwks.rs", text), 1, "{text}");
            assert_eq!(broken("crates/core/tests/support/mod.rs", text), 0, "{text}");
        }
        assert_eq!(broken("crates/core/src/jwks.rs", "use crate::time::Seconds; // not std::time"), 0);
    }

    #[test]
    fn a_secret_that_can_be_printed_is_found() {
        for text in ["#[derive(Clone, Debug)]\nstruct Code;", "#[derive(\n    Clone,\n    Debug,\n)]\nstruct Code;"] {
            assert_eq!(broken("crates/core/src/secret.rs", text), 1, "{text}");
            assert_eq!(broken("crates/core/src/token.rs", text), 0, "{text}");
        }
        assert_eq!(broken("crates/core/src/secret.rs", "#[derive(Clone)]\nimpl fmt::Debug for Code {}"), 0);
    }

    #[test]
    fn exports_elsewhere_are_found() {
        for text in ["#[wasm_bindgen]\npub fn start() {}", "#[wasm_bindgen(js_name = x)]\npub fn x() {}"] {
            assert_eq!(broken("src/lib.rs", text), 1, "{text}");
            assert_eq!(broken("crates/element/src/lib.rs", text), 0, "{text}");
        }
        for text in ["#[wasm_bindgen]\nextern \"C\" {}", "#[wasm_bindgen_test]\nfn works() {}"] {
            assert_eq!(broken("src/lib.rs", text), 0, "{text}");
        }
    }

    #[test]
    fn long_files_without_a_reason_are_found() {
        let lines = "\n".repeat(401);
        assert_eq!(broken("src/lib.rs", &lines), 1);
        assert_eq!(broken("assets/style.css", &lines), 1);
        assert_eq!(broken("src/lib.rs", &format!("// long:\n{lines}")), 1);
        assert_eq!(broken("src/lib.rs", &format!("// long: one table, read as a whole\n{lines}")), 0);
        assert_eq!(broken("docs/errors.md", &lines), 0);
    }

    #[test]
    fn a_suite_that_would_run_nothing_is_found() {
        let manifest = fs::read_to_string(root().join("tests/e2e/Cargo.toml")).unwrap_or_default();
        assert_eq!(broken("tests/e2e/Cargo.toml", &manifest), 0);
        let without = manifest.replace("name = \"sign_in\"\nharness = false\n", "");
        assert_eq!(broken("tests/e2e/Cargo.toml", &without), 1);
    }

    #[test]
    fn words_of_one_machine_are_found() {
        for word in WORDS {
            assert_eq!(broken("docs/hosting.md", &format!("from {word}x")), 1, "{word}");
        }
        let lock = |source: &str| broken("Cargo.lock", &format!("source = \"{source}\""));
        assert_eq!(lock("sparse+https://mirror.example/crates/"), 1);
        assert_eq!(lock(SOURCES[0]), 0);
    }
}
