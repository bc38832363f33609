//! `cargo xtask modules`: the relying-party modules of the OpenID conformance suite, as
//! `tests/modules.tsv` lists them, against the tests in a browser of the last `test`.
//!
//! The test of a module has the module's name, with `_` for `-`.

use anyhow::{Result, bail};

use crate::matrix::{last_run, lines};

/// What a module that has no test says in place of what it expects.
const NOT_APPLICABLE: &str = "not applicable";

/// A module of the suite.
struct Module {
    name: String,
    plan: String,
    expected: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Passed,
    Failed,
    NotRun,
    NotApplicable,
    /// It says that it is not applicable, and has a test all the same.
    Contradicted,
}

impl Seen {
    fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotRun => "not run",
            Self::NotApplicable => "-",
            Self::Contradicted => "has a test",
        }
    }
}

pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    match arguments.next()? {
        None => report(),
        Some(other) => Err(other.unexpected().into()),
    }
}

/// Prints the modules, each with what is expected and what was seen.
///
/// # Errors
/// If one that is applicable failed or has no test, or a test is of no module.
pub(crate) fn report() -> Result<()> {
    let lines = lines("tests/modules.tsv")?;
    let modules: Vec<Module> = lines.iter().map(|line| Module::parse(line)).collect::<Result<_>>()?;
    let tests = last_run()?;
    let width = modules.iter().map(|module| module.name.len()).max().unwrap_or_default();
    println!("{:<width$}  {:<13}  {:<10}  expected", "module", "plan", "seen");
    for module in &modules {
        let Module { name, plan, expected } = module;
        println!("{name:<width$}  {plan:<13}  {:<10}  {expected}", module.seen(&tests).words());
    }
    let count = |seen| modules.iter().filter(|module| module.seen(&tests) == seen).count();
    let [passed, failed, not_run, not_applicable] =
        [Seen::Passed, Seen::Failed, Seen::NotRun, Seen::NotApplicable].map(count);
    println!(
        "{} modules: {passed} passed, {failed} failed, {not_run} not run, {not_applicable} not applicable",
        modules.len()
    );
    let strangers = strangers(&modules, &tests);
    if !strangers.is_empty() {
        bail!("tests of no module: {}", strangers.join(", "));
    }
    match modules.len() - passed - not_applicable {
        0 => Ok(()),
        wrong => bail!("{wrong} modules are not as they should be"),
    }
}

/// The tests in a browser, by their bare names.
fn in_browser(tests: &[(String, String, bool)]) -> impl Iterator<Item = (&str, bool)> {
    let is_e2e = |place: &str| place == "e2e" || place.starts_with("e2e ");
    tests.iter().filter(move |(place, ..)| is_e2e(place)).map(|(_, name, passed)| (name.as_str(), *passed))
}

/// Tests that are named as a module's is, and belong to none in the list.
fn strangers<'a>(modules: &[Module], tests: &'a [(String, String, bool)]) -> Vec<&'a str> {
    let known = |name: &str| modules.iter().any(|module| module.test() == name);
    in_browser(tests).map(|(name, _)| name).filter(|name| name.starts_with("oidcc_") && !known(name)).collect()
}

impl Module {
    fn parse(line: &str) -> Result<Self> {
        let cells: Vec<&str> = line.split('\t').collect();
        let [name, plan, does, expected, _cases] = cells[..] else { bail!("not five cells: {line}") };
        if [name, plan, does, expected].contains(&"") {
            bail!("an empty cell: {line}");
        }
        Ok(Self { name: name.to_owned(), plan: plan.to_owned(), expected: expected.to_owned() })
    }

    fn test(&self) -> String {
        self.name.replace('-', "_")
    }

    fn seen(&self, tests: &[(String, String, bool)]) -> Seen {
        let test = self.test();
        let results: Vec<bool> =
            in_browser(tests).filter(|(name, _)| *name == test).map(|(_, passed)| passed).collect();
        match (self.expected.starts_with(NOT_APPLICABLE), results.as_slice()) {
            (true, []) => Seen::NotApplicable,
            (true, _) => Seen::Contradicted,
            (false, []) => Seen::NotRun,
            (false, results) if results.iter().all(|passed| *passed) => Seen::Passed,
            _ => Seen::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(tests: &[(&str, &str, bool)]) -> Vec<(String, String, bool)> {
        tests.iter().map(|(place, name, passed)| ((*place).to_owned(), (*name).to_owned(), *passed)).collect()
    }

    #[test]
    fn a_module_wants_a_test_of_just_its_name_in_a_browser() {
        let module = Module::parse("oidcc-client-test\tbasic\tnothing odd\tsigned in\tCB-01").expect("five cells");
        let seen = |tests: &[(&str, &str, bool)]| module.seen(&ran(tests));
        assert_eq!(seen(&[]), Seen::NotRun);
        assert_eq!(seen(&[("native", "oidcc_client_test", true)]), Seen::NotRun);
        assert_eq!(seen(&[("e2e", "oidcc_client_test_invalid_iss", true)]), Seen::NotRun);
        assert_eq!(seen(&[("e2e", "oidcc_client_test", true)]), Seen::Passed);
        assert_eq!(seen(&[("e2e in firefox", "oidcc_client_test", true)]), Seen::Passed);
        let both = [("e2e", "oidcc_client_test", true), ("e2e in firefox", "oidcc_client_test", false)];
        assert_eq!(seen(&both), Seen::Failed);
    }

    #[test]
    fn what_is_not_applicable_has_a_reason_and_no_test() {
        let line = "oidcc-client-test-x\tfurther\twants a secret\tnot applicable: there is none\t";
        let module = Module::parse(line).expect("five cells");
        assert_eq!(module.seen(&[]), Seen::NotApplicable);
        assert_eq!(module.seen(&ran(&[("e2e", "oidcc_client_test_x", true)])), Seen::Contradicted);
    }

    #[test]
    fn the_list_is_in_order() {
        let lines = lines("tests/modules.tsv").expect("a list");
        let modules: Vec<Module> = lines.iter().map(|line| Module::parse(line).expect("five cells")).collect();
        let mut names: Vec<&str> = modules.iter().map(|module| module.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), modules.len(), "a module stands in the list twice");
        for Module { name, plan, expected } in &modules {
            assert!(name.starts_with("oidcc-client-test"), "{name}");
            assert!(["basic", "config", "basic, config", "further"].contains(&plan.as_str()), "{name}: {plan}");
            let reason = expected.strip_prefix(NOT_APPLICABLE);
            assert!(reason.is_none_or(|reason| reason.len() > ": ".len()), "{name}: no reason");
        }
        let tests = ran(&[("e2e", "oidcc_client_test_unheard_of", true), ("e2e", "cb_01_good", true)]);
        assert_eq!(strangers(&modules, &tests), ["oidcc_client_test_unheard_of"]);
    }
}
