//! Section 11 of the matrix, FZ-11: the session in two and three tabs, every order of what may
//! happen up to a number of states, and many by chance. How many states that were is printed.

mod support;

use std::io::Write as _;

use support::model::{
    event::Budget,
    explore::{self, Broken, Seen},
    world::Setup,
};

/// How much more than usual: `POLAR_SIGNIN_MODEL=20` tries twenty times as many states.
fn scale() -> usize {
    std::env::var("POLAR_SIGNIN_MODEL").ok().and_then(|text| text.parse().ok()).unwrap_or(1).max(1)
}

/// Says what was seen past the test runner, which shows nothing of tests that pass.
#[track_caller]
fn report(name: &str, outcome: Result<Seen, Broken>) {
    match outcome {
        Ok(Seen { states, steps, depth, whole }) => {
            let rest = if whole { ", and nothing is left to try" } else { "" };
            let line = format!("FZ-11 {name}: {states} states, {steps} transitions, {depth} events deep{rest}\n");
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
        Err(Broken { what, events }) => panic!("{what}\n{events:?}"),
    }
}

#[test]
fn fz_11_two_tabs_a_renewal_and_a_copy() {
    let setup = Setup::new(Budget { copies: 1, wants: 1, ends: 1, faults: 1, ..Budget::calm(2) });
    report("a renewal and a copy", explore::all(&setup, 12, 6_000 * scale()));
}

#[test]
fn fz_11_two_tabs_signing_out() {
    let setup = Setup::new(Budget { copies: 1, wants: 1, sign_outs: 1, sign_ins: 1, reloads: 1, ..Budget::calm(2) });
    report("signing out", explore::all(&setup, 12, 6_000 * scale()));
}

#[test]
fn fz_11_clocks_and_storages() {
    let setup = Setup::new(Budget { copies: 1, wants: 1, jumps: 1, seen: 1, storage_failures: 1, ..Budget::calm(2) });
    report("clocks and storages", explore::all(&setup, 12, 6_000 * scale()));
}

#[test]
fn fz_11_three_tabs() {
    let setup = Setup::new(Budget { copies: 2, wants: 1, ends: 1, reloads: 1, ..Budget::calm(3) });
    report("three tabs", explore::all(&setup, 14, 6_000 * scale()));
}

/// What may happen in a long run that nobody can blame for the end of a session.
fn harmless() -> Budget {
    Budget {
        wants: 40,
        refusals: 10,
        lingers: 20,
        reloads: 4,
        ends: 1,
        copies: 2,
        jumps: 2,
        seen: 5,
        alarms: 100,
        ..Budget::calm(3)
    }
}

#[test]
fn fz_11_long_runs_by_chance() {
    for (name, setup) in [
        ("by chance, nothing bad", Setup::new(Budget { reloads: 0, ends: 0, ..harmless() })),
        ("by chance, reloads", Setup::new(harmless())),
        ("by chance, no answers", Setup::new(Budget { faults: 10, ends: 0, reloads: 0, ..harmless() })),
        (
            "by chance, signing out",
            Setup::new(Budget { sign_outs: 2, sign_ins: 2, storage_failures: 1, ..harmless() })
                .with(|setup| setup.details = true),
        ),
        (
            "by chance, ID tokens",
            // A clock that is hours behind refuses them: that is another story.
            Setup::new(Budget { reloads: 1, faults: 3, jumps: 0, ..harmless() }).with(|setup| setup.id_tokens = true),
        ),
        ("by chance, standing still", Setup::new(Budget { freezes: 3, ..harmless() })),
        ("by chance, put aside", Setup::new(Budget { hides: 2, ..harmless() })),
        ("by chance, no locks", Setup::new(harmless()).with(|setup| setup.locks = false)),
    ] {
        report(name, explore::by_chance(&setup, 100 * scale() as u64, 120, 1));
    }
}
