//! `cargo xtask test`: everything that CI runs, counted.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use lexopt::prelude::*;

use crate::{
    build, check,
    shell::{self, cargo, root, show},
    tools::{self, Tools},
};

/// What ran: the name of each test, by where it ran, and whether it passed.
#[derive(Default)]
pub(crate) struct Tally {
    results: BTreeMap<(String, String), bool>,
    passed: usize,
    failed: usize,
}

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let mut part = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(value) if part.is_none() => part = Some(value.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut tally = Tally::default();
    match part.as_deref() {
        None => {
            let tools = tools::for_tests()?;
            tally.step("check", || check::run());
            unit(&mut tally);
            browser(&mut tally, &tools);
            end_to_end(&mut tally, &tools);
        }
        Some("unit") => unit(&mut tally),
        Some("browser") => browser(&mut tally, &tools::for_tests()?),
        Some("e2e") => end_to_end(&mut tally, &tools::for_tests()?),
        Some(other) => bail!("no part `{other}`: unit, browser or e2e"),
    }
    tally.keep(part.is_none())?;
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if tally.failed == 0 { Ok(()) } else { bail!("{} failed", tally.failed) }
}

/// The core, the provider and these commands, on this machine.
fn unit(tally: &mut Tally) {
    let core = ["test", "--package", "polar-signin-core", "--all-features"];
    tally.runner("native", cargo().args(core));
    let others = ["test", "--package", "polar-signin-provider", "--package", "xtask"];
    tally.runner("native", cargo().args(others));
}

/// The browser package, in a headless Chromium.
fn browser(tally: &mut Tally, tools: &Tools) {
    let mut command = Command::new("wasm-pack");
    command.current_dir(root()).args(["test", "--headless", "--chrome", "--mode", "no-install"]);
    if let Some(driver) = shell::find("chromedriver") {
        command.arg("--chromedriver").arg(driver);
    }
    tally.runner("browser", tools.on_path(&mut command));
}

/// The release build in a real browser, against the provider.
fn end_to_end(tally: &mut Tally, tools: &Tools) {
    let dist = root().join("dist");
    let built = tally.step("build the site", || {
        build::site(tools, &dist, true)?;
        build::sizes(&dist)
    });
    let provider = ["build", "--package", "polar-signin-provider"];
    let provided = tally.step("build the provider", || shell::run(cargo().args(provider)));
    if !(built && provided) {
        return;
    }
    let mut command = cargo();
    command
        .args(["test", "--package", "polar-signin-e2e"])
        .env("E2E_DIST", &dist)
        .env("E2E_PROVIDER", root().join("target/debug/polar-signin-provider"))
        .env("E2E_BROWSER", "chromium");
    if let Ok(own) = std::env::current_exe() {
        command.env("E2E_XTASK", own);
    }
    if let Some(driver) = shell::find("chromedriver") {
        command.env("E2E_CHROMEDRIVER", driver);
    }
    tally.runner("e2e", &mut command);
}

impl Tally {
    /// Something that either works or does not, counted as one.
    fn step(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        println!("── {name}");
        let result = work();
        if let Err(error) = &result {
            println!("{name} failed: {error:#}");
        }
        self.count(name, "step", result.is_ok());
        result.is_ok()
    }

    /// A test runner: its output goes through, its results are counted. One that ran nothing failed.
    fn runner(&mut self, place: &str, command: &mut Command) {
        let shown = show(command);
        println!("── {shown}");
        let before = self.results.len();
        let failures = self.failed;
        let status = match self.follow(place, command) {
            Ok(status) => status,
            Err(error) => {
                println!("{error:#}");
                return self.count(&shown, "step", false);
            }
        };
        if self.results.len() == before {
            println!("no test ran: {shown}");
            self.count(&shown, "step", false);
        } else if !status && self.failed == failures {
            println!("ended badly, though no test of it failed: {shown}");
            self.count(&shown, "step", false);
        }
    }

    fn follow(&mut self, place: &str, command: &mut Command) -> Result<bool> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot run {}", show(command)))?;
        let output = child.stdout.take().context("no output")?;
        for line in BufReader::new(output).split(b'\n') {
            let line = line?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            if let Some((name, passed)) = result_of(&line) {
                self.count(name, place, passed);
            }
        }
        std::io::stdout().flush()?;
        Ok(child.wait()?.success())
    }

    fn count(&mut self, name: &str, place: &str, passed: bool) {
        *if passed { &mut self.passed } else { &mut self.failed } += 1;
        self.results.insert((place.to_owned(), name.to_owned()), passed);
    }

    /// Keeps the results for `cargo xtask matrix`. A part replaces only its own.
    fn keep(&mut self, all: bool) -> Result<()> {
        let ran: Vec<String> = self.results.keys().map(|(place, _)| place.clone()).collect();
        let mut lines = BTreeMap::new();
        if !all {
            for (place, name, passed) in kept()? {
                if !ran.contains(&place) {
                    lines.insert((place, name), passed);
                }
            }
        }
        lines.extend(self.results.iter().map(|(key, passed)| (key.clone(), *passed)));
        let text: String = lines
            .iter()
            .map(|((place, name), passed)| format!("{place}\t{}\t{name}\n", if *passed { "ok" } else { "failed" }))
            .collect();
        fs::write(root().join("target/tests.tsv"), text).context("cannot keep the results")
    }
}

/// The results that the last `test` kept: where, name, whether it passed.
pub(crate) fn kept() -> Result<Vec<(String, String, bool)>> {
    let file = root().join("target/tests.tsv");
    let text = if file.exists() { fs::read_to_string(file)? } else { String::new() };
    let line = |line: &str| {
        let mut cells = line.splitn(3, '\t');
        Some((cells.next()?.to_owned(), cells.next()? == "ok", cells.next()?.to_owned()))
    };
    Ok(text.lines().filter_map(line).map(|(place, passed, name)| (place, name, passed)).collect())
}

/// `test some::name ... ok`, as every runner of ours prints it.
fn result_of(line: &str) -> Option<(&str, bool)> {
    let (name, result) = line.trim().strip_prefix("test ")?.rsplit_once(" ... ")?;
    let name = name.trim_end_matches(" - should panic");
    match result.split([' ', ',']).next()? {
        "ok" => Some((name, true)),
        "FAILED" | "FAIL" => Some((name, false)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_read_off_the_lines_of_a_runner() {
        assert_eq!(result_of("test cb_01_good ... ok"), Some(("cb_01_good", true)));
        assert_eq!(result_of("test a::b ... FAILED"), Some(("a::b", false)));
        assert_eq!(result_of("test a::b ... FAIL"), Some(("a::b", false)));
        for other in ["test result: ok. 3 passed; 0 failed", "running 3 tests", "test a ... ignored", "testing"] {
            assert_eq!(result_of(other), None, "{other}");
        }
    }
}
