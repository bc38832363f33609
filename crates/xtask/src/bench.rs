//! `cargo xtask bench`: this client and others, side by side, in figures.

use anyhow::Result;
use lexopt::prelude::*;

use crate::pages;

/// The site's port, and the provider's beside it. They stand in the built pages.
const PORT: u16 = 8470;

pub(crate) fn command(mut arguments: lexopt::Parser) -> Result<()> {
    let (mut port, mut passed_on, mut rebuild) = (PORT, Vec::new(), true);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => port = arguments.value()?.parse()?,
            Long(name @ ("rounds" | "only" | "rtt" | "hover" | "tabs")) => {
                let name = format!("--{name}");
                passed_on.extend([name, arguments.value()?.string()?]);
            }
            Long("verbose") => passed_on.push("--verbose".to_owned()),
            Long("built") => rebuild = false,
            other => return Err(other.unexpected().into()),
        }
    }
    pages::visit(port, rebuild, "docs/benchmark.md", &passed_on)
}
