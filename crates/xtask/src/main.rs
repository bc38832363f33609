//! The commands of the project, one file each: `cargo xtask --help`.
//!
//! Not for deployment: `serve` is a host for demos and tests. Uses none of the product's own code.
#![expect(clippy::print_stdout, reason = "a command talks to whoever typed it")]

mod artefacts;
mod bench;
mod browsers;
mod build;
mod check;
mod compare;
mod demo;
mod examples;
mod fuzz;
mod house;
mod matrix;
mod modules;
mod package;
mod packages;
mod pages;
mod providers;
mod scripts;
mod serve;
mod shell;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::prelude::*;

const HELP: &str = "\
cargo xtask COMMAND

  demo [--release] [--port N] [--open]   a local provider and the app, until Ctrl-C
  test [unit|fuzz|browser|e2e] [--browser chromium|firefox|webkit]
                                         everything that CI runs, or one part of it
  fuzz [TARGET…] [--runs N]              properties of the core, for 200,000 inputs each or so many
  build [--settings FILE]                dist/: the static site, with a table of sizes; with the settings in its page
  package [--dpop]                       pkg/: the JavaScript package with <polar-signin>, for npm and for a script tag;
                                         with tokens that are bound to a key (RFC 9449)
  artefacts [--dir DIR]                  what a built site must not hold (a build ends with it)
  bench [--rounds N] [--only SECTION]… [--rtt 0,100] [--built] [--verbose]
                                         this client and others, side by side: docs/benchmark.md
  compare [--only CASE]… [--built]       the same attacks on this client and others: docs/comparison.md
  check                                  formats, lints, documentation, licences, the direction of dependencies
  matrix [--missing]                     the security matrix against the tests of the last `test`
  modules                                the OpenID conformance suite's modules against the tests of the last `test`
  serve --dir DIR [--host NAME] [--port N] [--base /PATH/] [--config FILE|JSON] [--connect ORIGIN]… [--no-csp] [--cors]
                                         a static host without rewrite rules, with the headers we recommend
  set-up [--tests] [--browser NAME]      installs what is missing; the others call it

Tools are kept in $POLAR_SIGNIN_CACHE, $XDG_CACHE_HOME/polar-signin or ~/.cache/polar-signin.
";

fn main() -> ExitCode {
    if let Some(outcome) = fuzz::as_compiler() {
        return outcome;
    }
    run().unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    // A build may replace this program while it runs.
    shell::own()?;
    let mut arguments = lexopt::Parser::from_env();
    let command = match arguments.next()? {
        Some(Value(command)) => command.string()?,
        Some(Long("help") | Short('h')) | None => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        Some(other) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "test" => return test::run(arguments),
        "fuzz" => return fuzz::run(arguments),
        "check" => {
            return match arguments.next()? {
                None => check::run(),
                Some(other) => Err(other.unexpected().into()),
            };
        }
        "bench" => bench::command(arguments),
        "compare" => compare::command(arguments),
        "demo" => demo::run(arguments),
        "build" => build::run(arguments),
        "package" => package::command(arguments),
        "artefacts" => artefacts::run(arguments),
        "matrix" => matrix::run(arguments),
        "modules" => modules::run(arguments),
        "serve" => serve::run(arguments),
        "set-up" => set_up(arguments),
        other => bail!("no command `{other}`; see cargo xtask --help"),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// What building needs; with `--tests` or a browser's name also what the tests need.
fn set_up(mut arguments: lexopt::Parser) -> Result<()> {
    let mut engine = None;
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("tests") => engine = engine.or(Some(browsers::Engine::Chromium)),
            Long("browser") => engine = Some(arguments.value()?.string()?.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    tools::for_site(true)?;
    if let Some(engine) = engine {
        tools::for_browser_tests()?;
        browsers::ready(engine)?;
        browsers::nginx()?;
        providers::ready()?;
    }
    Ok(())
}
