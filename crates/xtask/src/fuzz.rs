//! `cargo xtask fuzz`: the properties of the core, each fed by libFuzzer with so many inputs.
//!
//! The fuzzer goes by what an input reaches in the core, so the core has to be compiled with counters.
//! LLVM puts them in, whichever compiler hands its options on: neither a nightly nor a tool is needed,
//! only a C++ compiler for libFuzzer itself. Cargo cannot be told of options for one package, so this
//! program stands between Cargo and the compiler while the targets are built.

use std::{
    env::{self, consts::EXE_EXTENSION},
    fs,
    num::NonZero,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    sync::Mutex,
    thread,
};

use anyhow::{Context as _, Result, bail};
use lexopt::prelude::*;

use crate::{
    browsers,
    shell::{self, cargo, find, root},
};

/// How many inputs each target gets, unless somebody says otherwise.
const RUNS: u64 = 200_000;

/// Set while this program is called in the compiler's place.
const IN_BETWEEN: &str = "POLAR_SIGNIN_FUZZ_COMPILER";

/// The only package whose coverage matters, as the compiler is told its name.
const COVERED: &str = "polar_signin_core";

/// A counter at every edge.
const COVERAGE: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Ccodegen-units=1",
];

/// How much of a target's output is shown when it fails.
const LINES_OF_A_FAILURE: usize = 60;

/// What Cargo calls in the compiler's place: the compiler, with counters for the core. `None` if this
/// program was called by anybody else.
pub(crate) fn as_compiler() -> Option<ExitCode> {
    env::var_os(IN_BETWEEN)?;
    let mut arguments = env::args_os().skip(1);
    let mut compiler = Command::new(arguments.next()?);
    let arguments: Vec<_> = arguments.collect();
    let is_covered = arguments.windows(2).any(|pair| pair[0] == "--crate-name" && pair[1] == COVERED);
    compiler.args(&arguments).args(COVERAGE.iter().filter(|_| is_covered));
    let passed = match compiler.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("cannot run {}: {error}", shell::show(&compiler));
            false
        }
    };
    Some(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let (mut wanted, mut runs) = (Vec::new(), RUNS);
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(name) => wanted.push(name.string()?),
            Long("runs") => runs = arguments.value()?.parse()?,
            other => return Err(other.unexpected().into()),
        }
    }
    let targets = chosen(targets()?, &wanted)?;
    compiler()?;
    let built = build()?;
    println!("running {} tests", targets.len());
    let failed = all(targets, &built, runs)?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn folder() -> PathBuf {
    root().join("crates/core/fuzz")
}

fn targets() -> Result<Vec<String>> {
    let files = fs::read_dir(folder().join("fuzz_targets")).context("where are the fuzz targets?")?;
    let mut targets: Vec<String> =
        files.filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".rs")?.to_owned())).collect();
    targets.sort();
    Ok(targets)
}

/// Those that were asked for, by name or by the beginning of it; all of them if nothing was.
fn chosen(targets: Vec<String>, wanted: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = wanted.iter().find(|name| !targets.iter().any(|target| target.starts_with(*name))) {
        bail!("no target `{unknown}`: {}", targets.join(", "));
    }
    let is_wanted = |target: &String| wanted.is_empty() || wanted.iter().any(|name| target.starts_with(name));
    Ok(targets.into_iter().filter(is_wanted).collect())
}

/// libFuzzer is C++.
fn compiler() -> Result<()> {
    if env::var_os("CXX").is_some() || find("c++").is_some() {
        return Ok(());
    }
    browsers::install(&["g++"], "a C++ compiler")
}

/// The folder with the built targets.
fn build() -> Result<PathBuf> {
    let target = shell::target()?.join("fuzz");
    let mut command = cargo();
    command
        .args(["build", "--release", "--locked", "--bins", "--manifest-path"])
        .arg(folder().join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTC_WRAPPER", shell::own()?)
        .env(IN_BETWEEN, "1")
        .env_remove("CARGO_BUILD_TARGET");
    shell::run(&mut command)?;
    Ok(target.join("release"))
}

/// Runs the targets, as many at a time as there are processors. Returns how many failed.
fn all(targets: Vec<String>, built: &Path, runs: u64) -> Result<usize> {
    // From the end: the last ones are whole stories, and take the longest.
    let (count, waiting, failed) = (targets.len(), Mutex::new(targets), Mutex::new(0));
    let next = || waiting.lock().ok()?.pop();
    let work = || {
        while let Some(target) = next() {
            let outcome = one(&target, built, runs);
            // One report at a time.
            let Ok(mut failed) = failed.lock() else { return };
            match outcome {
                Ok(found) => println!("test {target} ... ok, {found}"),
                Err(error) => {
                    *failed += 1;
                    println!("{error:#}\ntest {target} ... FAILED");
                }
            }
        }
    };
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| (0..processors).for_each(|_| drop(scope.spawn(work))));
    let failed = failed.into_inner().ok().context("a thread panicked")?;
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {word}. {} passed; {failed} failed", count - failed);
    Ok(failed)
}

fn one(target: &str, built: &Path, runs: u64) -> Result<String> {
    let corpus = folder().join("corpus").join(target);
    let artifacts = folder().join("artifacts").join(target);
    fs::create_dir_all(&corpus)?;
    fs::create_dir_all(&artifacts)?;
    let mut command = Command::new(built.join(target).with_extension(EXE_EXTENSION));
    command
        .args([&corpus, &folder().join("seeds").join(target)])
        .args([format!("-runs={runs}"), format!("-artifact_prefix={}/", artifacts.display())])
        .args(["-max_len=512", "-timeout=60", "-rss_limit_mb=1024"])
        // Short runs are checks, and a check says the same of the same code each time. Long ones explore.
        .args((runs <= RUNS).then_some("-seed=1"))
        .stdin(Stdio::null());
    let output = command.output().with_context(|| format!("cannot run {}", shell::show(&command)))?;
    outcome(&String::from_utf8_lossy(&output.stderr), output.status.success(), runs)
}

/// What a target's output says: how much it tried, or why that was not enough.
fn outcome(text: &str, ended_well: bool, runs: u64) -> Result<String> {
    // `Done 200000 runs in 31 second(s)`
    let done = text.lines().rev().find_map(|line| line.strip_prefix("Done ")?.strip_suffix(" second(s)"));
    let counts = done.and_then(|line| line.split_once(" runs in "));
    match counts.and_then(|(done, seconds)| Some((done.parse::<u64>().ok()?, seconds))) {
        Some((done, seconds)) if ended_well && done >= runs => {
            // `#200000 DONE cov: 577 ft: 1269 corp: 175/6664b …`
            let words: Vec<&str> =
                text.lines().rev().find(|line| line.contains("DONE")).unwrap_or("").split_whitespace().collect();
            let after = |name: &str| words.windows(2).find(|pair| pair[0] == name).map_or("no", |pair| pair[1]);
            let kept = after("corp:").split('/').next().unwrap_or_default();
            Ok(format!("{done} inputs in {seconds} s, {} edges, {kept} inputs kept", after("cov:")))
        }
        _ => {
            let lines: Vec<&str> = text.lines().collect();
            // What the property said comes before the fuzzer's own report.
            let from = lines
                .iter()
                .position(|line| line.contains(" panicked at "))
                .unwrap_or_else(|| lines.len().saturating_sub(LINES_OF_A_FAILURE));
            let shown = lines[from..].iter().take(LINES_OF_A_FAILURE).copied().collect::<Vec<_>>().join("\n");
            bail!("{shown}\nfewer than {runs} inputs held")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DONE: &str =
        "INFO: Seed: 1\n#1000\tDONE   cov: 577 ft: 1269 corp: 175/6664b lim: 101\nDone 1000 runs in 3 second(s)\n";

    #[test]
    fn a_target_that_tried_all_its_inputs_passes() {
        let outcome = outcome(DONE, true, 1000).expect("passed");
        assert_eq!(outcome, "1000 inputs in 3 s, 577 edges, 175 inputs kept");
    }

    #[test]
    fn a_target_that_crashed_or_stopped_early_fails() {
        let crash = "#2 INITED\nthread '<unnamed>' panicked at x.rs:1:2:\nleft is not right\n==1== ERROR: libFuzzer: deadly signal\n";
        for (text, ended_well, runs) in
            [(DONE, false, 1000), (DONE, true, 1001), (crash, false, 1), (crash, true, 1), ("", true, 1)]
        {
            assert!(outcome(text, ended_well, runs).is_err(), "{text}, {ended_well}, {runs}");
        }
        let said = outcome(crash, false, 1).expect_err("failed").to_string();
        assert!(said.starts_with("thread") && said.contains("left is not right"), "{said}");
    }

    #[test]
    fn every_target_has_its_place_and_its_seeds() {
        let targets = targets().expect("targets");
        let manifest = fs::read_to_string(folder().join("Cargo.toml")).expect("a manifest");
        for target in &targets {
            assert!(manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")), "{target} is not built");
            let seeds = fs::read_dir(folder().join("seeds").join(target)).map(Iterator::count);
            assert!(seeds.is_ok_and(|count| count > 0), "{target} has no seeds");
        }
        assert_eq!(targets.len(), manifest.matches("[[bin]]").count());
        assert_eq!(chosen(targets.clone(), &[]).expect("all"), targets);
        assert_eq!(chosen(targets.clone(), &["fz_01".to_owned()]).expect("one"), ["fz_01_callback"]);
        assert!(chosen(targets, &["fz_99".to_owned()]).is_err());
    }
}
