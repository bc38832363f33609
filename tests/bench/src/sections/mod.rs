//! One measurement a file. Each goes through all clients in turn, round after round, so that what else the machine does
//! falls on all of them.

mod boot;
mod bytes;
mod memory;
mod sign_in;
mod tabs;

use std::time::Duration;

use polar_signin_e2e::Result;

use crate::{report::Report, world::World};

/// What can be chosen.
pub(crate) const NAMES: [&str; 5] = ["sign-in", "boot", "bytes", "tabs", "memory"];

/// How much is measured.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// How many times.
    pub(crate) rounds: usize,
    /// Round trips of the sign-ins, in milliseconds.
    pub(crate) round_trips: Vec<u64>,
    /// How many tabs are to share one session.
    pub(crate) tabs: Vec<usize>,
    /// How long the pointer is on the button before the click.
    pub(crate) hover: Duration,
}

/// One of them.
///
/// # Errors
/// If what is common to all clients fails.
pub(crate) async fn run(name: &str, world: &World, plan: &Plan, report: &mut Report) -> Result {
    match name {
        "sign-in" => sign_in::run(world, plan, report).await,
        "boot" => boot::run(world, plan, report).await,
        "bytes" => bytes::run(world, report).await,
        "tabs" => tabs::run(world, plan, report).await,
        "memory" => memory::run(world, plan, report).await,
        _ => Ok(()),
    }
}
