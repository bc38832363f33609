//! The commands of the project, one file each: `cargo xtask --help`.
#![expect(clippy::print_stdout, reason = "a command talks to whoever typed it")]

mod build;
mod check;
mod demo;
mod matrix;
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
  test [unit|browser|e2e]                everything that CI runs, or one part of it
  build [--release]                      dist/: the static site, with a table of sizes
  check                                  formats, lints, documentation, licences, the direction of dependencies
  matrix [--missing]                     the security matrix against the tests of the last `test`
  serve --dir DIR [--host NAME] [--port N] [--base /PATH/] [--config JSON] [--connect ORIGIN]… [--no-csp]
                                         a static host without rewrite rules, with the headers we recommend
  set-up [--tests]                       installs what is missing; the others call it

Tools are kept in $POLAR_SIGNIN_CACHE, or ~/.cache/polar-signin.
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut arguments = lexopt::Parser::from_env();
    let command = match arguments.next()? {
        Some(Value(command)) => command.string()?,
        Some(Long("help") | Short('h')) | None => {
            print!("{HELP}");
            return Ok(());
        }
        Some(other) => return Err(other.unexpected().into()),
    };
    match command.as_str() {
        "demo" => demo::run(arguments),
        "test" => test::run(arguments),
        "build" => build::run(arguments),
        "check" => check::run(),
        "matrix" => matrix::run(arguments),
        "serve" => serve::run(arguments),
        "set-up" => match arguments.next()? {
            None => tools::for_build().map(drop),
            Some(Long("tests")) => tools::for_tests().map(drop),
            Some(other) => Err(other.unexpected().into()),
        },
        other => bail!("no command `{other}`; see cargo xtask --help"),
    }
}
