//! `cargo xtask check`: formats, lints, documentation, licences, and the rules of the house that
//! no compiler holds.

use std::process::ExitCode;

use anyhow::Result;

use crate::{
    house, packages,
    shell::{cargo, run as run_command},
    test::Tally,
    tools,
};

/// A check: its name, and the work.
type Step = (&'static str, fn() -> Result<()>);

/// All of them, cheap ones first. `cargo xtask test` counts each.
const STEPS: [Step; 8] = [
    ("format", format),
    ("rules of the house", house::check),
    ("direction of dependencies between packages", packages::directions),
    ("licences", packages::licences),
    ("lints, native", lints_native),
    ("lints, wasm32", lints_wasm),
    ("documentation, core", documentation_core),
    ("documentation, browser package", documentation_wasm),
];

const WASM: [&str; 2] = ["--target", "wasm32-unknown-unknown"];

pub(crate) fn run() -> Result<ExitCode> {
    let mut tally = Tally::default();
    steps(&mut tally);
    Ok(tally.finish())
}

/// Runs every check, also after one has failed.
pub(crate) fn steps(tally: &mut Tally) {
    for (name, work) in STEPS {
        tally.step(name, work);
    }
}

fn format() -> Result<()> {
    run_command(cargo().args(["fmt", "--all", "--check"]))
}

fn clippy() -> std::process::Command {
    let mut cargo = cargo();
    cargo.args(["clippy", "--quiet", "--all-targets"]);
    cargo
}

fn lints_native() -> Result<()> {
    let others = ["polar-signin-provider", "polar-signin-e2e", "polar-signin-bench", "xtask"]
        .map(|package| ["--package", package]);
    run_command(clippy().args(others.as_flattened()).args(["--", "-D", "warnings"]))?;
    for features in ["--no-default-features", "--all-features"] {
        run_command(clippy().args(["--package", "polar-signin-core", features, "--", "-D", "warnings"]))?;
    }
    Ok(())
}

fn lints_wasm() -> Result<()> {
    tools::wasm_target()?;
    let packages = ["polar-signin", "polar-signin-element", "polar-signin-example-leptos"];
    let packages = packages.map(|package| ["--package", package]);
    run_command(clippy().args(WASM).args(packages.as_flattened()).args(["--", "-D", "warnings"]))
}

fn doc() -> std::process::Command {
    let mut cargo = cargo();
    cargo.args(["doc", "--quiet", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings");
    cargo
}

fn documentation_core() -> Result<()> {
    run_command(doc().args(["--package", "polar-signin-core", "--all-features"]))
}

fn documentation_wasm() -> Result<()> {
    tools::wasm_target()?;
    run_command(doc().args(WASM).args(["--package", "polar-signin", "--lib"]))
}
