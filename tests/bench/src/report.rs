//! What is printed, and written down.

use std::collections::BTreeMap;

use polar_signin_e2e::Failure;
use serde_json::{Value, json};

use crate::{clients::Client, log::Exchange, statistics::show_ratio};

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    title: String,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty one.
    #[must_use]
    pub(crate) fn new(title: &str, head: &[&str]) -> Self {
        let head = head.iter().map(|cell| (*cell).to_owned()).collect();
        Self { title: title.to_owned(), head, rows: Vec::new() }
    }

    /// One more row.
    pub(crate) fn row(&mut self, cells: &[String]) {
        self.rows.push(cells.to_vec());
    }

    /// As text.
    pub(crate) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = if self.title.is_empty() { String::new() } else { format!("**{}**\n\n", self.title) };
        text += &line(&self.head);
        text += &line(&self.head.iter().map(|_| "---".to_owned()).collect::<Vec<_>>());
        self.rows.iter().for_each(|row| text += &line(row));
        text + "\n"
    }
}

/// Something that was to be reached.
#[derive(Debug)]
pub(crate) struct Goal {
    what: String,
    wanted: String,
    seen: String,
    outcome: String,
}

impl Goal {
    /// A ratio that is to be no more than this.
    #[must_use]
    pub(crate) fn at_most(what: &str, limit: f64, seen: Option<f64>) -> Self {
        let outcome = seen.map_or_else(|| "not measured".to_owned(), |seen| judged(limit, seen));
        Self { what: what.to_owned(), wanted: format!("≤ {limit:.2}"), seen: show_ratio(seen), outcome }
    }

    /// A number that is to be no more than this.
    #[must_use]
    pub(crate) fn count(what: &str, limit: f64, unit: &str, seen: Option<f64>) -> Self {
        let outcome = seen.map_or_else(|| "not measured".to_owned(), |seen| judged(limit, seen));
        let shown = seen.map_or_else(|| "–".to_owned(), |seen| format!("{seen:.0}{unit}"));
        Self { what: what.to_owned(), wanted: format!("≤ {limit:.0}{unit}"), seen: shown, outcome }
    }
}

impl Goal {
    fn cells(&self) -> [&str; 4] {
        [&self.what, &self.wanted, &self.seen, &self.outcome]
    }
}

fn judged(limit: f64, seen: f64) -> String {
    let over = seen / limit - 1.0;
    if over <= 0.0 { "met".to_owned() } else { format!("missed by {:.0} %", (over * 100.0).max(1.0)) }
}

/// Everything that was found out.
#[derive(Debug, Default)]
pub(crate) struct Report {
    body: String,
    goals: Vec<Goal>,
    failures: BTreeMap<&'static str, Vec<String>>,
    verbose: bool,
}

#[expect(clippy::print_stdout, reason = "a command talks to whoever typed it")]
impl Report {
    /// An empty one; a talkative one prints each request.
    #[must_use]
    pub(crate) fn new(verbose: bool) -> Self {
        Self { verbose, ..Self::default() }
    }

    /// A new subject.
    pub(crate) fn heading(&mut self, title: &str, words: &str) {
        let text = format!("## {title}\n\n{words}\n\n");
        println!("\n{text}");
        self.body += &text;
    }

    /// What belongs to it.
    pub(crate) fn table(&mut self, table: &Table) {
        let text = table.markdown();
        println!("{text}");
        self.body += &text;
    }

    /// Something to be judged by.
    pub(crate) fn goal(&mut self, goal: Goal) {
        println!("{}: {}, wanted {}: {}", goal.what, goal.seen, goal.wanted, goal.outcome);
        self.goals.push(goal);
    }

    /// A run that has no result.
    pub(crate) fn failed(&mut self, client: &Client, failure: &Failure) {
        println!("{}: {failure}", client.name);
        self.failures.entry(client.name).or_default().push(failure.to_string());
    }

    /// For whoever waits.
    pub(crate) fn progress(&self, section: &str, done: usize, of: usize) {
        println!("{section}: {done} of {of}");
    }

    /// A result before its table, of what takes long.
    pub(crate) fn note(&self, words: &str) {
        println!("{words}");
    }

    /// Each request of a run, for whoever asked for it.
    pub(crate) fn detail(&self, title: &str, exchanges: &[Exchange]) {
        if !self.verbose {
            return;
        }
        println!("{title}:");
        let begin = exchanges.first().map_or(0.0, |first| first.begin);
        for seen in exchanges {
            let (from, to) = (seen.begin - begin, seen.end - begin);
            println!("  {from:>7.1} {to:>7.1}  {} {} {} {} B", seen.method, seen.path, seen.status, seen.bytes);
        }
    }

    /// How many runs failed.
    #[must_use]
    pub(crate) fn failures(&self) -> usize {
        self.failures.values().map(Vec::len).sum()
    }

    /// What of it is kept for the document.
    pub(crate) fn to_json(&self) -> Value {
        let goals: Vec<Value> = self.goals.iter().map(|goal| json!(goal.cells())).collect();
        json!({ "body": self.body, "goals": goals, "failures": self.failures })
    }
}
