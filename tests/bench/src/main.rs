//! This client and others, side by side: one provider, one machine, one link, in turn. `cargo xtask bench` builds the
//! pages and starts it.
//!
//! Nothing here passes or fails by a time: it measures, and says which goals are met.

mod clients;
mod door;
mod introduction;
mod link;
mod log;
mod report;
mod sections;
mod site;
mod statistics;
mod world;

use std::{num::ParseIntError, path::PathBuf, process::ExitCode, str::FromStr, time::Duration};

use lexopt::prelude::*;
use polar_signin_e2e::{Context as _, Failure, Result};

use report::Report;
use sections::{NAMES, Plan};
use world::World;

/// What was asked for.
struct Asked {
    plan: Plan,
    sections: Vec<String>,
    verbose: bool,
    pages: PathBuf,
    port: u16,
    /// Where the document goes, if nothing is left out.
    document: Option<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = asked().and_then(|asked| tokio::runtime::Runtime::new()?.block_on(measure(&asked)));
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failures) => {
            eprintln!("{failures} runs have no result");
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn asked() -> Result<Asked> {
    let mut asked = Asked {
        plan: Plan {
            rounds: 10,
            round_trips: vec![0, 50, 100, 200],
            tabs: vec![10, 50],
            hover: Duration::from_millis(200),
        },
        sections: Vec::new(),
        verbose: false,
        pages: PathBuf::new(),
        port: 0,
        document: None,
    };
    let mut partial = false;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("rounds") => asked.plan.rounds = arguments.value()?.parse()?,
            Long("rtt") => {
                partial = true;
                asked.plan.round_trips = list(&arguments.value()?.string()?)?;
            }
            Long("tabs") => {
                partial = true;
                asked.plan.tabs = list(&arguments.value()?.string()?)?;
            }
            Long("hover") => {
                partial = true;
                asked.plan.hover = Duration::from_millis(arguments.value()?.parse()?);
            }
            Long("only") => {
                partial = true;
                let name = arguments.value()?.string()?;
                if !NAMES.contains(&name.as_str()) {
                    return Err(Failure::new(format!("no section {name}: {}", NAMES.join(", "))));
                }
                asked.sections.push(name);
            }
            Long("verbose") => asked.verbose = true,
            Long("pages") => asked.pages = arguments.value()?.into(),
            Long("port") => asked.port = arguments.value()?.parse()?,
            Long("document") => asked.document = Some(arguments.value()?.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    if asked.sections.is_empty() {
        asked.sections = NAMES.map(str::to_owned).to_vec();
    }
    asked.document = asked.document.filter(|_| !partial);
    Ok(asked)
}

/// Numbers with commas between them.
fn list<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<Vec<T>> {
    text.split(',').map(|number| number.trim().parse().context(number)).collect()
}

/// Says how many runs have no result.
async fn measure(asked: &Asked) -> Result<usize> {
    let world = World::start(&asked.pages, asked.port).await?;
    let mut report = Report::new(asked.verbose);
    let outcome = async {
        let introduction = introduction::text(&world, &asked.plan).await?;
        for section in &asked.sections {
            sections::run(section, &world, &asked.plan, &mut report).await?;
        }
        if let Some(document) = &asked.document {
            std::fs::write(document, report.document(&introduction)).context(document.display())?;
        }
        Ok(())
    };
    let outcome: Result = outcome.await;
    world.shut_down().await;
    outcome.map(|()| report.failures())
}
