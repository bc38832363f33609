//! `docs/errors.md` is written from the table of codes. This test fails when the two differ;
//! `UPDATE_DOCS=1 cargo test -p polar-signin-core --test errors_doc` writes it anew.

use std::{fmt::Write as _, path::Path};

use polar_signin_core::error::{Code, Phase};

#[test]
fn the_document_is_written_from_the_table() {
    let phases = Phase::ALL.map(|phase| format!("`{}`", phase.name())).join(", ");
    let mut text = format!(
        "# Errors\n\n\
         Every refusal and every failure has one of these codes, and a phase: {phases}.\n\
         The code is stable. Whose fault it is, and what helps, follow from it.\n\
         The words that a person reads are in `src/text/`.\n\n\
         This file is written from `crates/core/src/error_code.rs`.\n\n\
         | code | whose fault | what helps | for the developer |\n\
         |---|---|---|---|\n",
    );
    for code in Code::ALL {
        writeln!(text, "| `{}` | {} | {} | {} |", code.name(), code.fault().name(), code.retry().name(), code.hint())
            .expect("writing to a string");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &text).expect("docs/errors.md can be written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "docs/errors.md is stale: run UPDATE_DOCS=1 cargo test -p polar-signin-core --test errors_doc"
    );
}
