//! This client and others, side by side: one provider, one machine, one link, in turn. `cargo xtask bench` builds the
//! pages and starts it.
//!
//! Nothing here passes or fails by a time: it measures, and says which goals are met.

mod attacks;
mod clients;
mod door;
mod introduction;
mod kept;
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

use introduction::Introduction;
use report::Report;
use sections::{NAMES, Plan};
use world::World;

/// What was asked for.
struct Asked {
    plan: Plan,
    sections: Vec<String>,
    /// Attacks are compared, not times: `sections` are their names.
    attacks: bool,
    verbose: bool,
    pages: PathBuf,
    port: u16,
    /// Where what the sections found is kept, if they are measured as a whole.
    kept: Option<PathBuf>,
    document: PathBuf,
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
        attacks: false,
        verbose: false,
        pages: PathBuf::new(),
        port: 0,
        kept: None,
        document: PathBuf::new(),
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
                let name = arguments.value()?.string()?;
                if !asked.attacks && !NAMES.contains(&name.as_str()) {
                    return Err(Failure::new(format!("no section {name}: {}", NAMES.join(", "))));
                }
                asked.sections.push(name);
            }
            Long("attacks") => asked.attacks = true,
            Long("verbose") => asked.verbose = true,
            Long("pages") => asked.pages = arguments.value()?.into(),
            Long("port") => asked.port = arguments.value()?.parse()?,
            Long("kept") => asked.kept = Some(arguments.value()?.into()),
            Long("document") => asked.document = arguments.value()?.into(),
            other => return Err(other.unexpected().into()),
        }
    }
    if asked.sections.is_empty() && !asked.attacks {
        asked.sections = NAMES.map(str::to_owned).to_vec();
    }
    // A few rounds say whether this works, not how fast anybody is.
    asked.kept = asked.kept.filter(|_| !partial && asked.plan.rounds >= 5);
    Ok(asked)
}

/// Numbers with commas between them.
fn list<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<Vec<T>> {
    text.split(',').map(|number| number.trim().parse().context(number)).collect()
}

/// Says how many runs have no result.
async fn measure(asked: &Asked) -> Result<usize> {
    let world = World::start(&asked.pages, asked.port).await?;
    let outcome = match asked.attacks {
        true => attacks::run(&world, &asked.sections, &asked.document).await,
        false => in_world(&world, asked).await,
    };
    world.shut_down().await;
    outcome
}

async fn in_world(world: &World, asked: &Asked) -> Result<usize> {
    let introduction = Introduction::new(world, &asked.plan).await?;
    let mut failures = 0;
    for section in &asked.sections {
        let mut report = Report::new(asked.verbose);
        sections::run(section, world, &asked.plan, &mut report).await?;
        failures += report.failures();
        if let Some(kept) = &asked.kept {
            kept::keep(kept, section, &report, &introduction)?;
            let text = kept::document(kept, &introduction)?;
            std::fs::write(&asked.document, text).context(asked.document.display())?;
        }
    }
    Ok(failures)
}
