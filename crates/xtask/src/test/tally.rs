//! Counting: what ran, what passed, and the one last line.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context as _, Result};

use crate::shell::{show, target};

/// What ran so far.
#[derive(Default)]
pub(crate) struct Tally {
    /// Whether a test passed, by where it ran and its name.
    results: BTreeMap<(String, String), bool>,
    passed: usize,
    failed: usize,
    /// What to look for in the output.
    failures: Vec<String>,
    /// What passed at its second try.
    again: Vec<String>,
}

/// What the output of one runner says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    tests: Vec<(String, bool)>,
    passed: usize,
    failed: usize,
    /// Suites that began, and those that came to an end.
    began: usize,
    ended: usize,
}

impl Tally {
    /// A check: something that either holds or does not, counted as one.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<()>) {
        if self.prepare(name, work).is_some() {
            self.passed += 1;
            self.results.insert(("step".to_owned(), name.to_owned()), true);
        }
    }

    /// What has to work before anything can be tested. Nothing to count, unless it fails.
    pub(crate) fn prepare<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Option<T> {
        println!("── {name}");
        work().map_err(|error| self.fail(name, &format!("{error:#}"))).ok()
    }

    fn fail(&mut self, name: &str, why: &str) {
        println!("{name} failed: {why}");
        self.failed += 1;
        self.failures.push(name.to_owned());
        self.results.insert(("step".to_owned(), name.to_owned()), false);
    }

    /// A test runner: its output goes through, its results are counted. One that ran nothing failed.
    pub(crate) fn runner(&mut self, place: &str, command: &mut Command) {
        let name = show(command);
        println!("── {name}");
        let (seen, ended_well) = match follow(command) {
            Ok(outcome) => outcome,
            Err(error) => return self.fail(&name, &format!("{error:#}")),
        };
        self.passed += seen.passed;
        self.failed += seen.failed;
        for (test, passed) in seen.tests {
            if !passed {
                self.failures.push(format!("{place}: {test}"));
            }
            self.results.insert((place.to_owned(), test), passed);
        }
        if seen.passed + seen.failed == 0 {
            self.fail(&name, "no test ran");
        } else if seen.ended < seen.began {
            self.fail(&name, "a suite began and did not come to its end");
        } else if !ended_well && seen.failed == 0 {
            self.fail(&name, "it ended badly, though none of its tests failed");
        }
    }

    /// What of a place was tried twice, by the file that its runner wrote: if it did not fail then, it is named at the
    /// end. Every test has two tries there at most.
    pub(crate) fn tried_again(&mut self, place: &str, file: &Path) {
        let names = fs::read_to_string(file).unwrap_or_default();
        let passed = |name: &&str| self.results.get(&(place.to_owned(), (*name).to_owned())) == Some(&true);
        let again: Vec<String> = names.lines().filter(passed).map(|name| format!("{place}: {name}")).collect();
        self.again.extend(again);
    }

    /// Names what failed, and says the one last line.
    pub(crate) fn finish(self) -> ExitCode {
        println!();
        for test in &self.again {
            println!("passed at the second try: {test}");
        }
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        println!("{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Keeps the results for `cargo xtask matrix`. A part replaces only its own.
    pub(crate) fn keep(&mut self, all: bool) -> Result<()> {
        let mut lines = BTreeMap::new();
        if !all {
            for (place, name, passed) in kept()? {
                if !self.results.keys().any(|(ran, _)| *ran == place) {
                    lines.insert((place, name), passed);
                }
            }
        }
        lines.extend(self.results.iter().map(|(key, passed)| (key.clone(), *passed)));
        let text: String = lines
            .iter()
            .map(|((place, name), passed)| format!("{place}\t{}\t{name}\n", if *passed { "ok" } else { "failed" }))
            .collect();
        let file = record()?;
        fs::write(&file, text).with_context(|| format!("cannot keep the results in {}", file.display()))
    }
}

fn record() -> Result<PathBuf> {
    Ok(target()?.join("tests.tsv"))
}

/// The results that the last `test` kept: where, name, whether it passed.
pub(crate) fn kept() -> Result<Vec<(String, String, bool)>> {
    let file = record()?;
    let text = if file.exists() { fs::read_to_string(file)? } else { String::new() };
    let line = |line: &str| {
        let mut cells = line.splitn(3, '\t');
        Some((cells.next()?.to_owned(), cells.next()? == "ok", cells.next()?.to_owned()))
    };
    Ok(text.lines().filter_map(line).map(|(place, passed, name)| (place, name, passed)).collect())
}

/// Runs to the end. What it prints is shown at once and read on the way.
fn follow(command: &mut Command) -> Result<(Seen, bool)> {
    let shown = show(command);
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("cannot run {shown}"))?;
    let seen = read(child.stdout.take().context("no output")?);
    let status = child.wait()?;
    Ok((seen?, status.success()))
}

fn read(output: impl Read) -> Result<Seen> {
    let mut seen = Seen::default();
    for line in BufReader::new(output).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        seen.line(&line);
    }
    Ok(seen)
}

impl Seen {
    /// Counts by each suite's summary: a test's own line may be torn by what the test prints.
    fn line(&mut self, line: &str) {
        let line = line.trim();
        if let Some((name, passed)) = result_of(line) {
            self.tests.push((name.to_owned(), passed));
        } else if let Some((passed, failed)) = summary_of(line) {
            self.passed += passed;
            self.failed += failed;
            self.ended += 1;
        } else if line.strip_prefix("running ").and_then(|rest| rest.split_once(" test")).is_some_and(is_count) {
            self.began += 1;
        }
    }
}

fn is_count((number, rest): (&str, &str)) -> bool {
    number.parse::<usize>().is_ok() && (rest.is_empty() || rest == "s")
}

/// `test some::name ... ok`, as every runner of ours prints it.
fn result_of(line: &str) -> Option<(&str, bool)> {
    let (name, result) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let name = name.trim_end().trim_end_matches(" - should panic");
    match result.split([' ', ',']).next()? {
        "ok" => Some((name, true)),
        "FAILED" | "FAIL" => Some((name, false)),
        _ => None,
    }
}

/// `test result: ok. 3 passed; 0 failed; …`: passed and failed.
fn summary_of(line: &str) -> Option<(usize, usize)> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let count = |word: &str| counts.split("; ").find_map(|part| part.strip_suffix(word)?.trim().parse().ok());
    Some((count("passed")?, count("failed")?))
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::*;

    fn ran(script: &str) -> Tally {
        let mut tally = Tally::default();
        tally.runner("native", Command::new("sh").args(["-c", script]));
        tally
    }

    #[test]
    fn results_are_read_off_the_lines_of_a_runner() {
        assert_eq!(result_of("test cb_01_good ... ok"), Some(("cb_01_good", true)));
        assert_eq!(result_of("test cb_01_padded      ... ok"), Some(("cb_01_padded", true)));
        assert_eq!(result_of("test a::b - should panic ... ok"), Some(("a::b", true)));
        assert_eq!(result_of("test a::b ... FAILED"), Some(("a::b", false)));
        assert_eq!(result_of("test a::b ... FAIL"), Some(("a::b", false)));
        for other in ["test result: ok. 3 passed; 0 failed", "running 3 tests", "test a ... ignored", "testing"] {
            assert_eq!(result_of(other), None, "{other}");
        }
        assert_eq!(summary_of("test result: ok. 3 passed; 0 failed; 1 ignored; finished in 0.1s"), Some((3, 0)));
        assert_eq!(summary_of("test result: FAILED. 3 passed; 2 failed"), Some((3, 2)));
        assert_eq!(summary_of("test result: who knows"), None);
    }

    #[test]
    fn suites_add_up_and_keep_their_names() {
        let output = "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\ntest result: FAILED. 1 passed; 1 failed\n\
                      running 1 test\ntest c ... a line of its own\nok\ntest result: ok. 1 passed; 0 failed\n";
        let tally = ran(&format!("printf '{}'; exit 101", output.replace('\n', "\\n")));
        assert_eq!((tally.passed, tally.failed), (2, 1));
        assert_eq!(tally.failures, ["native: b"]);
        assert_eq!(tally.results.get(&("native".to_owned(), "a".to_owned())), Some(&true));
    }

    #[test]
    fn a_runner_that_only_seems_to_pass_fails() {
        let suite = "echo 'running 1 test'; echo 'test a ... ok'; echo 'test result: ok. 1 passed; 0 failed'";
        for (script, passed) in [
            // Nothing ran.
            ("true".to_owned(), 0),
            ("echo 'running 0 tests'; echo 'test result: ok. 0 passed; 0 failed'".to_owned(), 0),
            // The second suite was cut off.
            (format!("{suite}; echo 'running 5 tests'"), 1),
            // Something else than a test failed.
            (format!("{suite}; exit 1"), 1),
            ("exit 1".to_owned(), 0),
        ] {
            let tally = ran(&script);
            assert_eq!((tally.passed, tally.failed), (passed, 1), "{script}");
        }
        let tally = ran(suite);
        assert_eq!((tally.passed, tally.failed), (1, 0));
        let mut tally = Tally::default();
        tally.runner("native", &mut Command::new("no-such-program-anywhere"));
        assert_eq!((tally.passed, tally.failed), (0, 1));
    }

    #[test]
    fn what_passed_at_its_second_try_is_named_and_what_failed_twice_failed() {
        let file = std::env::temp_dir().join(format!("polar-signin-again-{}", std::process::id()));
        fs::write(&file, "late\nwrong\n").expect("a file");
        let output =
            "running 2 tests\\ntest late ... ok\\ntest wrong ... FAILED\\ntest result: FAILED. 1 passed; 1 failed\\n";
        let mut tally = ran(&format!("printf '{output}'; exit 101"));
        tally.tried_again("native", &file);
        assert_eq!((tally.again, tally.failures), (vec!["native: late".to_owned()], vec!["native: wrong".to_owned()]));
        fs::remove_file(file).expect("the file is ours");
    }

    #[test]
    fn a_step_that_fails_does_not_stop_the_next() {
        let mut tally = Tally::default();
        tally.step("first", || bail!("no"));
        tally.step("second", || Ok(()));
        assert_eq!((tally.passed, tally.failed), (1, 1));
        assert_eq!(tally.prepare("third", || Ok(7)), Some(7));
        assert_eq!((tally.passed, tally.failed), (1, 1));
        assert_eq!(tally.failures, ["first"]);
    }
}
