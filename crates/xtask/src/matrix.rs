//! `cargo xtask matrix`: the cases of `tests/matrix.tsv` against the tests of the last `test`.
//!
//! A test covers a case if its name holds the case's ID (`cb_07_…`). A case that can be decided
//! natively needs a native test, one that needs a browser or a provider that misbehaves needs a
//! test in a browser. What no test can decide stands in a fifth cell, and is printed.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result, bail};
use lexopt::prelude::*;

use crate::{shell::root, test::kept};

/// The sections in which no case may be without its tests. The popup and the widget are not built yet.
const COMPLETE: [&str; 10] = ["CB", "DS", "TK", "ID", "UI", "RT", "LO", "ST", "NW", "FZ"];

/// A case of the matrix.
struct Case {
    id: String,
    native: bool,
    browser: bool,
    words: String,
    /// What of it no test can decide, and why.
    untested: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Covered,
    Failing,
    Missing,
}

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let mut list_missing = false;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("missing") => list_missing = true,
            other => return Err(other.unexpected().into()),
        }
    }
    report(list_missing)
}

/// Prints the cases by section.
///
/// # Errors
/// If a case fails, or one of a complete section has no test.
pub(crate) fn report(list_missing: bool) -> Result<()> {
    let cases: Vec<Case> = lines("tests/matrix.tsv")?.iter().map(|line| Case::parse(line)).collect::<Result<_>>()?;
    let tests = last_run()?;
    let mut sections: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut gaps = 0;
    for case in &cases {
        let state = case.state(&tests);
        sections.entry(case.section()).or_default()[state as usize] += 1;
        let is_gap = state == State::Missing && COMPLETE.contains(&case.section());
        gaps += usize::from(is_gap);
        if state == State::Failing || state == State::Missing && (list_missing || is_gap) {
            let what = if state == State::Failing { "failing" } else { case.missing(&tests) };
            println!("{} {what}: {}", case.id, case.words);
        }
    }
    println!("{:<8}{:>8}{:>8}{:>8}", "section", "covered", "failing", "missing");
    let mut total = [0; 3];
    for (section, counts) in &sections {
        println!("{section:<8}{:>8}{:>8}{:>8}", counts[0], counts[1], counts[2]);
        for (sum, count) in total.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    println!("{:<8}{:>8}{:>8}{:>8}", "all", total[0], total[1], total[2]);
    for case in &cases {
        case.untested.iter().for_each(|untested| println!("{} untested: {untested}", case.id));
    }
    match (total[State::Failing as usize], gaps) {
        (0, 0) => Ok(()),
        (failing, gaps) => bail!("{failing} cases fail, {gaps} have no test"),
    }
}

/// The lines of a table that is kept in the repository.
pub(crate) fn lines(file: &str) -> Result<Vec<String>> {
    let text = fs::read_to_string(root().join(file)).with_context(|| format!("no {file}"))?;
    Ok(text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect())
}

/// The tests of the last run: where, name, whether it passed.
pub(crate) fn last_run() -> Result<Vec<(String, String, bool)>> {
    let tests = kept()?;
    if tests.is_empty() { bail!("no test has run yet: cargo xtask test") } else { Ok(tests) }
}

impl Case {
    fn parse(line: &str) -> Result<Self> {
        let cells: Vec<&str> = line.split('\t').collect();
        let (&[id, _severity, place, words], rest) =
            cells.split_first_chunk().with_context(|| format!("fewer than four cells: {line}"))?;
        Ok(Self {
            id: id.to_owned(),
            native: place.contains('U'),
            browser: place.contains(['B', 'O']),
            words: words.to_owned(),
            untested: rest.first().map(|text| (*text).to_owned()),
        })
    }

    fn section(&self) -> &str {
        self.id.split('-').next().unwrap_or_default()
    }

    /// The results of this case's tests in such places.
    fn results<'a>(
        &self,
        tests: &'a [(String, String, bool)],
        counts: fn(&str) -> bool,
    ) -> impl Iterator<Item = bool> + 'a {
        let id = self.id.to_ascii_lowercase().replace('-', "_") + "_";
        let has_id = move |name: &str| {
            let last = name.rsplit("::").next().unwrap_or(name);
            last.starts_with(&id) || last.contains(&format!("_{id}")) || last.contains(&format!(" {id}"))
        };
        tests.iter().filter(move |(place, name, _)| counts(place) && has_id(name)).map(|(.., passed)| *passed)
    }

    fn state(&self, tests: &[(String, String, bool)]) -> State {
        if self.results(tests, |_| true).any(|passed| !passed) {
            State::Failing
        } else if self.is_missing(tests, true) || self.is_missing(tests, false) {
            State::Missing
        } else {
            State::Covered
        }
    }

    fn is_missing(&self, tests: &[(String, String, bool)], native: bool) -> bool {
        match native {
            true => self.native && self.results(tests, is_native).next().is_none(),
            false => self.browser && self.results(tests, is_full_browser).next().is_none(),
        }
    }

    fn missing(&self, tests: &[(String, String, bool)]) -> &'static str {
        match (self.is_missing(tests, true), self.is_missing(tests, false)) {
            (true, true) => "missing, natively and in a browser",
            (true, false) => "missing natively",
            _ => "missing in a browser",
        }
    }
}

/// Fuzzing needs no browser either.
fn is_native(place: &str) -> bool {
    matches!(place, "native" | "fuzz")
}

/// The browser that runs everything. What another one does stands for nothing here, unless it fails.
fn is_full_browser(place: &str) -> bool {
    matches!(place, "browser" | "e2e")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_wants_each_kind_of_test_that_it_names() {
        let case = Case::parse("CB-07\tC\tU+B\tstate unknown").expect("four cells");
        let ran = |tests: &[(&str, &str, bool)]| {
            let tests: Vec<_> = tests.iter().map(|(p, n, ok)| ((*p).to_owned(), (*n).to_owned(), *ok)).collect();
            case.state(&tests)
        };
        let native = ("native", "matrix::cb_07_unknown", true);
        let browser = ("e2e", "cb_07_unknown", true);
        assert!(ran(&[]) == State::Missing);
        assert!(ran(&[native]) == State::Missing);
        assert!(ran(&[native, browser]) == State::Covered);
        assert!(ran(&[native, browser, ("e2e", "cb_07_again", false)]) == State::Failing);
        assert!(ran(&[("native", "cb_071_other", true), browser]) == State::Missing);
        let elsewhere = |passed| ("e2e in webkit", "cb_07_unknown", passed);
        assert!(ran(&[native, elsewhere(true)]) == State::Missing);
        assert!(ran(&[native, browser, elsewhere(false)]) == State::Failing);
    }
}
