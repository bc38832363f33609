//! Every attack, a file for each part of a sign-in.

mod callback;
mod id_token;
mod kept;
mod metadata;
mod renewal;
mod token;
mod userinfo;

use super::case::Group;
pub(crate) use renewal::MARK;

/// All of them, in the order of the document.
#[must_use]
pub(crate) fn all() -> Vec<Group> {
    let mut groups = vec![callback::group(), token::group(), id_token::signature(), id_token::claims()];
    groups.extend([userinfo::group(), metadata::group(), renewal::attacks(), renewal::statements()]);
    groups.extend([kept::sent(), kept::left()]);
    groups
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::attacks::case::{Answers, Reach, Sign};

    /// The security matrix, which the rows are of.
    const MATRIX: &str = include_str!("../../../../matrix.tsv");

    #[test]
    fn names_are_unique_and_rows_are_of_the_matrix() {
        let known: BTreeSet<&str> = MATRIX.lines().filter_map(|line| line.split('\t').next()).collect();
        let mut ids = BTreeSet::new();
        for case in all().iter().flat_map(|group| &group.cases) {
            assert!(ids.insert(case.id), "{} twice", case.id);
            for row in case.rows.split(", ") {
                assert!(known.contains(row), "{}: {row}", case.id);
            }
        }
        assert!(ids.len() >= 40, "only {}", ids.len());
    }

    #[test]
    fn an_attack_by_the_provider_says_how_it_is_known_to_have_arrived() {
        for case in all().iter().flat_map(|group| &group.cases) {
            assert!(case.faults.is_empty() || case.reach != Reach::Always, "{}", case.id);
            for fault in &case.faults {
                assert!(fault["endpoint"].is_string(), "{}: {fault}", case.id);
                // A client may ask again by itself, and would then be called taken in by a good document.
                assert!(fault["endpoint"] != "discovery" || fault["times"].is_null(), "{}", case.id);
            }
        }
    }

    #[test]
    fn what_is_left_is_a_statement() {
        for group in all() {
            for case in &group.cases {
                let statement = matches!(case.sign, Sign::Left(..) | Sign::CodeSentAgain | Sign::RefreshSentAgain);
                assert!(!statement || group.answers == Answers::NoOrYes, "{}", case.id);
            }
        }
    }

    #[test]
    fn no_cell_breaks_a_table() {
        for group in all() {
            for text in group.cases.iter().flat_map(|case| [Some(case.words), case.note]).flatten() {
                assert!(!text.contains(['|', '\n']), "{text}");
            }
        }
    }
}
