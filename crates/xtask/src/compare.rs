//! `cargo xtask compare`: the same attacks on this client and others. Nothing of it runs with the tests: it says what
//! others do, which is not ours to keep.

use anyhow::Result;
use lexopt::prelude::*;

use crate::pages;

/// Not the port of `bench`: both may run at once.
const PORT: u16 = 8480;

pub(crate) fn command(mut arguments: lexopt::Parser) -> Result<()> {
    let (mut port, mut rebuild, mut passed_on) = (PORT, true, vec!["--attacks".to_owned()]);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => port = arguments.value()?.parse()?,
            Long("only") => passed_on.extend(["--only".to_owned(), arguments.value()?.string()?]),
            Long("built") => rebuild = false,
            other => return Err(other.unexpected().into()),
        }
    }
    pages::visit(port, rebuild, "docs/comparison.md", &passed_on)
}
