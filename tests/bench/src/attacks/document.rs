//! The page that is written: a table for each group, and the notes below.

use super::{
    case::{Answers, Group},
    evidence::Outcome,
};
use crate::{
    clients::Client,
    introduction::{About, packages_of, vite},
    report::Table,
};

/// What is written, piece by piece.
#[derive(Debug)]
pub(crate) struct Document {
    clients: Vec<Client>,
    about: About,
    tables: String,
    notes: Vec<&'static str>,
    cases: usize,
    undecided: usize,
}

impl Document {
    /// Nothing so far.
    #[must_use]
    pub(crate) fn new(about: About, clients: &[Client]) -> Self {
        let clients = clients.to_vec();
        Self { clients, about, tables: String::new(), notes: Vec::new(), cases: 0, undecided: 0 }
    }

    /// One more table: the outcomes of each case, in the order of the clients.
    pub(crate) fn add(&mut self, group: &Group, outcomes: &[Vec<Outcome>]) {
        let head: Vec<&str> =
            ["what", "row"].into_iter().chain(self.clients.iter().map(|client| client.name)).collect();
        let mut table = Table::new("", &head);
        for (case, outcomes) in group.cases.iter().zip(outcomes) {
            let note = case.note.map(|note| format!(" [{}]", self.number_of(note))).unwrap_or_default();
            let mut cells = vec![format!("{}{note}", case.words), case.rows.to_owned()];
            cells.extend(outcomes.iter().map(|outcome| cell(outcome, group.answers).to_owned()));
            table.row(&cells);
            self.cases += 1;
            self.undecided += outcomes.iter().filter(|outcome| matches!(outcome, Outcome::NotDecided(_))).count();
        }
        self.tables += &format!("## {}\n\n{}\n\n{}", group.title, group.words, table.markdown());
    }

    fn number_of(&mut self, note: &'static str) -> usize {
        let known = self.notes.iter().position(|other| *other == note);
        1 + known.unwrap_or_else(|| {
            self.notes.push(note);
            self.notes.len() - 1
        })
    }

    /// How many cells say nothing.
    #[must_use]
    pub(crate) fn undecided(&self) -> usize {
        self.undecided
    }

    /// The whole of it.
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let clients: String =
            self.clients.iter().map(|client| format!("- {}: {}\n", client.name, packages_of(client))).collect();
        let notes: String = self.notes.iter().enumerate().map(|(at, note)| format!("{}. {note}\n", at + 1)).collect();
        let about = &self.about;
        format!(
            "# The same attacks on them\n\n\
             Made by `cargo xtask compare`; not written by hand. {date}, {browser}, {cases} cases.\n\n\
             Each client has a minimal page, written as its own documentation says, with its defaults; where an option is \
             set, the table says so. The pages are those of tests/bench, bundled by Vite {vite}, as for \
             `cargo xtask bench`. The provider is this project's own, on this machine, and misbehaves as each \
             line says. Every attack is a visit of its own, in a new tab of a browser that was made to forget everything it kept of the site and the provider; the clients take turns. What is read is what \
             a person sees on the page, what the provider was asked, and what is left in the browser.\n\n\
             - **accepted**: the attack came through, as each table says\n\
             - **refused**: it did not: the page reports an error, or nobody is signed in when nothing has happened for \
             three seconds (then a second visit had to end in the same way)\n\
             - **not decided**: the same walk without the attack did not sign in, or the attack did not reach the client\n\
             - **–**: the client does nothing of the kind\n\n\
             An accepted attack is not by itself a vulnerability: many need a provider that is hostile or broken, and some \
             of what is refused here may be accepted by the specifications; the notes say where. \"Row\" is the case in \
             [the security matrix](../tests/matrix.tsv), from which these are the ones that a browser and a provider can \
             decide without looking into a client.\n\n\
             {clients}\n{tables}## Notes\n\n{notes}",
            date = about.date,
            browser = about.browser,
            cases = self.cases,
            vite = vite(),
            tables = self.tables,
        )
    }
}

/// What a cell says.
fn cell(outcome: &Outcome, answers: Answers) -> &'static str {
    match (outcome, answers) {
        (Outcome::Accepted, Answers::RefusedOrAccepted) => "accepted",
        (Outcome::Refused(_), Answers::RefusedOrAccepted) => "refused",
        (Outcome::Accepted, Answers::NoOrYes) => "yes",
        (Outcome::Refused(_), Answers::NoOrYes) => "no",
        (Outcome::DoesNotApply, _) => "–",
        (Outcome::NotDecided(_), _) => "not decided",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        attacks::case::{Reach, Sign, Walk, case},
        clients::{APP, BASELINE},
    };

    fn group(answers: Answers) -> Group {
        let one = |id| case(id, "CB-01", "What", Walk::SignIn, Sign::SignedIn).reaching(Reach::Always);
        Group {
            title: "Title",
            words: "Words.",
            answers,
            cases: vec![one("a").note("Why."), one("b").note("Why."), one("c")],
        }
    }

    #[test]
    fn each_case_is_a_row_with_a_cell_for_each_client() {
        let about = About { date: "2026-01-01".to_owned(), browser: "Chrome/1".to_owned() };
        let mut document = Document::new(about, &[APP, BASELINE]);
        let outcomes = [
            vec![Outcome::Refused("because".to_owned()), Outcome::Accepted],
            vec![Outcome::DoesNotApply, Outcome::NotDecided("late".to_owned())],
            vec![Outcome::Accepted, Outcome::Accepted],
        ];
        document.add(&group(Answers::RefusedOrAccepted), &outcomes);
        document.add(&group(Answers::NoOrYes), &outcomes);
        let text = document.text();
        for line in [
            "| What [1] | CB-01 | refused | accepted |",
            "| What [1] | CB-01 | – | not decided |",
            "| What | CB-01 | accepted | accepted |",
            "| What [1] | CB-01 | no | yes |",
            "1. Why.",
            "- polar-signin, the app: this revision",
        ] {
            assert_eq!(
                text.lines().filter(|found| *found == line).count(),
                if line.contains("[1] | CB-01 | –") { 2 } else { 1 },
                "{line}"
            );
        }
        assert!(text.contains("2026-01-01, Chrome/1, 6 cases"));
        assert!(text.lines().any(|line| line.starts_with("- oidc-client-ts: oidc-client-ts 3.")));
        assert_eq!(document.undecided(), 2);
        // No page's words are in it: they may hold what a person must not read there.
        assert!(!text.contains("because") && !text.contains("late"));
    }
}
