//! From the click to somebody who is signed in, and to what userinfo says; and which requests that takes.

use std::{collections::BTreeMap, time::Duration};

use polar_signin_e2e::{Context, Failure, Result};

use super::Plan;
use crate::{
    clients::{ALL, APP, BASELINE, Client, PACKAGE},
    link::Network,
    log::{Exchange, serial},
    report::{Goal, Report, Table},
    statistics::{Sample, show_ratio},
    world::{Opening, World},
};

/// The round trip that the goals are about.
const GOAL: u64 = 100;

#[derive(Default)]
struct Seen {
    signed_in: Sample,
    userinfo: Sample,
    exchanges: Vec<Exchange>,
}

/// By round trip, client, and whether the click came with the pointer.
type All = BTreeMap<(u64, &'static str, bool), Seen>;

pub(super) async fn run(world: &World, plan: &Plan, report: &mut Report) -> Result {
    let mut all = All::new();
    for round in 0..plan.rounds {
        for &round_trip in &plan.round_trips {
            world.network(Network::far(round_trip));
            for (client, hover) in turns(round, round_trip == GOAL, plan.hover) {
                match once(world, &client, hover).await {
                    Ok((signed_in, userinfo, exchanges)) => {
                        let seen = all.entry((round_trip, client.folder, hover.is_zero())).or_default();
                        seen.signed_in.add(signed_in);
                        seen.userinfo.add(userinfo);
                        seen.exchanges = exchanges;
                    }
                    Err(failure) => report.failed(&client, &failure),
                }
            }
        }
        report.progress("sign-in", round + 1, plan.rounds);
    }
    world.network(Network::far(0));
    show(&all, plan, report);
    Ok(())
}

/// Who is measured in this round, in this order: whoever is first is another one each time. Where the goals are,
/// some also without a pointer that comes first.
fn turns(round: usize, is_goal: bool, hover: Duration) -> Vec<(Client, Duration)> {
    let mut turns: Vec<(Client, Duration)> = ALL.iter().map(|client| (*client, hover)).collect();
    if is_goal && !hover.is_zero() {
        turns.extend([APP, PACKAGE, BASELINE].map(|client| (client, Duration::ZERO)));
    }
    let first = round % turns.len();
    turns.rotate_left(first);
    turns
}

async fn once(world: &World, client: &Client, hover: Duration) -> Result<(f64, f64, Vec<Exchange>)> {
    let (browser, tab) = world.browser(client, Opening::default()).await?;
    let measured = async {
        world.settle(&tab, client).await?;
        let report = world.sign_in(&tab, hover).await?;
        let time = |name: &str| report[name].as_f64().filter(|time| *time > 0.0).context(format!("no {name}"));
        let (click, signed_in, userinfo) = (time("click")?, time("signedIn")?, time("userinfo")?);
        if !(click <= signed_in && signed_in <= userinfo) {
            return Err(Failure::new(format!("these times are in no order: {report}")));
        }
        Ok((signed_in - click, userinfo - click, world.doors.log.between(click - 1.0, userinfo)))
    };
    let measured = measured.await;
    browser.close().await;
    measured
}

fn show(all: &All, plan: &Plan, report: &mut Report) {
    let hover = plan.hover.as_millis();
    report.heading(
        "From the click to the person",
        &format!(
            "Milliseconds from the click on the button until the page says who is signed in (the ID token is accepted; \
             what each client checks of it differs), and until it shows what userinfo says. Median (quartiles). `×` is \
             the median by that of oidc-client-ts. The pointer is on the button for {hover} ms before the click, as a \
             hand's is for longer; this project's buttons fetch ahead then. oidc-client-ts and those on top of it load \
             no userinfo by themselves here, their default, so that they know the person as early as they can."
        ),
    );
    for &round_trip in &plan.round_trips {
        report.table(&times(all, &format!("Round trip of {round_trip} ms"), round_trip, plan.hover.is_zero()));
    }
    let at_goal = plan.round_trips.contains(&GOAL);
    if at_goal && !plan.hover.is_zero() {
        let title = format!("Round trip of {GOAL} ms, and the pointer arrives with the click");
        report.table(&times(all, &title, GOAL, true));
    }
    for client in [PACKAGE, APP].into_iter().filter(|_| at_goal) {
        let of = |sample: fn(&Seen) -> &Sample| {
            let seen = |client: Client| all.get(&(GOAL, client.folder, plan.hover.is_zero())).map(sample);
            seen(client)?.ratio(seen(BASELINE)?)
        };
        let goal = |what: &str, limit, value| {
            Goal::at_most(&format!("{}: {what}, by oidc-client-ts at {GOAL} ms", client.name), limit, value)
        };
        report.goal(goal("click to signed in", 0.60, of(|seen| &seen.signed_in)));
        report.goal(goal("click to userinfo", 0.70, of(|seen| &seen.userinfo)));
    }
    trips(all, plan, report);
}

fn times(all: &All, title: &str, round_trip: u64, at_once: bool) -> Table {
    let baseline = all.get(&(round_trip, BASELINE.folder, at_once));
    let mut table = Table::new(title, &["client", "signed in", "×", "userinfo", "×"]);
    for client in ALL {
        let Some(seen) = all.get(&(round_trip, client.folder, at_once)) else { continue };
        table.row(&[
            client.name.to_owned(),
            seen.signed_in.show(),
            show_ratio(baseline.and_then(|baseline| seen.signed_in.ratio(&baseline.signed_in))),
            seen.userinfo.show(),
            show_ratio(baseline.and_then(|baseline| seen.userinfo.ratio(&baseline.userinfo))),
        ]);
    }
    table
}

/// The longer the way, the surer it is which request waited for which.
fn trips(all: &All, plan: &Plan, report: &mut Report) {
    let Some(&round_trip) = plan.round_trips.iter().max().filter(|longest| **longest >= 50) else { return };
    let mut table = Table::new(
        &format!("Requests, at a round trip of {round_trip} ms"),
        &["client", "one after the other", "which", "beside them"],
    );
    for client in ALL {
        let Some(seen) = all.get(&(round_trip, client.folder, plan.hover.is_zero())) else { continue };
        let chain = serial(&seen.exchanges);
        let in_chain = |exchange: &&Exchange| {
            chain.iter().any(|other| other.begin.to_bits() == exchange.begin.to_bits() && other.path == exchange.path)
        };
        let names = |exchanges: &mut dyn Iterator<Item = &Exchange>| {
            exchanges.map(Exchange::name).collect::<Vec<_>>().join(", ")
        };
        table.row(&[
            client.name.to_owned(),
            chain.len().to_string(),
            names(&mut chain.iter()),
            names(&mut seen.exchanges.iter().filter(|exchange| !in_chain(exchange))),
        ]);
        report.detail(&format!("{} at {round_trip} ms", client.name), &seen.exchanges);
    }
    report.heading(
        "Requests of a sign-in",
        "From the click to userinfo, as the door in front of site and provider saw them in the last round: each of the \
         first column began after the one before it had ended.",
    );
    report.table(&table);
}
