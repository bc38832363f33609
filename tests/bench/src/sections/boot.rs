//! From an address to a button that works: the first time and the second time, on several networks and processors.

use std::{collections::BTreeMap, time::Duration};

use polar_signin_e2e::{Context, Result, Tab};
use tokio::time::{Instant, sleep};

use super::Plan;
use crate::{
    clients::{APP, Client, ELEMENT, PACKAGE, REACT, STATIC},
    link::Network,
    report::{Goal, Report, Table},
    statistics::{Sample, show_ratio},
    world::{Opening, World},
};

const CLIENTS: [Client; 5] = [APP, ELEMENT, PACKAGE, REACT, STATIC];
const AUTHORIZE: &str = "/oauth2/authorize";

struct Place {
    name: &'static str,
    network: Network,
}

const PLACES: [Place; 3] = [
    Place { name: "this machine", network: Network { round_trip: 0, width: None } },
    Place { name: "50 ms, 10 Mbit/s", network: Network { round_trip: 50, width: Some(1_250_000) } },
    Place { name: "100 ms, 1.6 Mbit/s", network: Network { round_trip: 100, width: Some(200_000) } },
];
/// How many times slower the processor is.
const PROCESSORS: [u32; 2] = [1, 4];

#[derive(Default)]
struct Seen {
    cold: Sample,
    cold_paint: Sample,
    warm: Sample,
    warm_paint: Sample,
    at_provider: Sample,
}

/// By place, processor and client.
type All = BTreeMap<(usize, u32, &'static str), Seen>;

pub(super) async fn run(world: &World, plan: &Plan, report: &mut Report) -> Result {
    let mut all = All::new();
    for round in 0..plan.rounds {
        for (place, Place { network, .. }) in PLACES.iter().enumerate() {
            world.network(*network);
            for slower in PROCESSORS {
                for at in 0..CLIENTS.len() {
                    let client = CLIENTS[(at + round) % CLIENTS.len()];
                    let seen = all.entry((place, slower, client.folder)).or_default();
                    if let Err(failure) = once(world, &client, slower, seen).await {
                        report.failed(&client, &failure);
                    }
                    if client != STATIC
                        && let Err(failure) = early(world, &client, slower, seen).await
                    {
                        report.failed(&client, &failure);
                    }
                }
            }
        }
        report.progress("boot", round + 1, plan.rounds);
    }
    world.network(Network::far(0));
    show(&all, report);
    Ok(())
}

/// A first visit, and a second one.
async fn once(world: &World, client: &Client, slower: u32, seen: &mut Seen) -> Result {
    let (browser, tab) = world.browser(client, Opening { early: false, slower }).await?;
    let measured = async {
        let (ready, paint) = visit(world, client, &tab).await?;
        seen.cold.add(ready);
        seen.cold_paint.add(paint);
        // What it fetches ahead is there the next time.
        sleep(Duration::from_millis(1500)).await;
        quiet(world).await;
        tab.goto("about:blank").await?;
        let (ready, paint) = visit(world, client, &tab).await?;
        seen.warm.add(ready);
        seen.warm_paint.add(paint);
        Ok(())
    };
    let measured = measured.await;
    browser.close().await;
    measured
}

async fn visit(world: &World, client: &Client, tab: &Tab) -> Result<(f64, f64)> {
    tab.goto(&world.page(client)).await?;
    let report = world.report("ready").await?;
    let time = |name: &str| report[name].as_f64().context(format!("no {name}"));
    let begin = time("page")?;
    Ok((time("ready")? - begin, time("paint")? - begin))
}

/// Waits until nothing has come over the link for a while: a wasm may still be on its way.
async fn quiet(world: &World) {
    let mut before = world.doors.log.len();
    loop {
        sleep(Duration::from_millis(500)).await;
        let now = world.doors.log.len();
        if now == before && world.doors.under_way() == 0 {
            return;
        }
        before = now;
    }
}

/// Somebody who presses the button as soon as they see it: how long until they are at the provider.
async fn early(world: &World, client: &Client, slower: u32, seen: &mut Seen) -> Result {
    let (browser, tab) = world.browser(client, Opening { early: true, slower }).await?;
    world.doors.log.clear();
    let measured = async {
        tab.goto(&world.page(client)).await?;
        let begin = world.report("early").await?["page"].as_f64().context("no beginning")?;
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let there = world.doors.log.between(begin, f64::MAX).into_iter().find(|seen| seen.path == AUTHORIZE);
            if let Some(exchange) = there {
                return Ok(exchange.begin - begin);
            }
            if Instant::now() > end {
                return None.context("pressed the button, and nothing came of it");
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let measured = measured.await;
    browser.close().await;
    seen.at_provider.add(measured?);
    Ok(())
}

fn show(all: &All, report: &mut Report) {
    report.heading(
        "From the address to the button",
        "Milliseconds from the beginning of the navigation. *Usable*: the button is there and its script listens (in the \
         page without a script: it is there). *Paint*: the browser's first contentful paint. Cold is a new profile, warm \
         the second visit. *At the provider*: a new profile, and somebody who presses the button as soon as it can be seen; \
         until the browser asks for the provider's page. Median (quartiles). `×` is the median of the column before by \
         that of the React app.",
    );
    for (place, Place { name, .. }) in PLACES.iter().enumerate() {
        for slower in PROCESSORS {
            let processor = if slower == 1 { "" } else { ", a processor 4 times slower" };
            let head = [
                "client",
                "usable, cold",
                "×",
                "paint, cold",
                "usable, warm",
                "×",
                "paint, warm",
                "at the provider",
                "×",
            ];
            let mut table = Table::new(&format!("{name}{processor}"), &head);
            let react = all.get(&(place, slower, REACT.folder));
            for client in CLIENTS {
                let Some(seen) = all.get(&(place, slower, client.folder)) else { continue };
                let by_react = |sample: fn(&Seen) -> &Sample| {
                    show_ratio(react.and_then(|react| sample(seen).ratio(sample(react))))
                };
                table.row(&[
                    client.name.to_owned(),
                    seen.cold.show(),
                    by_react(|seen| &seen.cold),
                    seen.cold_paint.show(),
                    seen.warm.show(),
                    by_react(|seen| &seen.warm),
                    seen.warm_paint.show(),
                    seen.at_provider.show(),
                    by_react(|seen| &seen.at_provider),
                ]);
            }
            report.table(&table);
        }
    }
    for client in [APP, ELEMENT] {
        let ratio = |place, slower, other: Client, sample: fn(&Seen) -> &Sample| {
            let of = |client: Client| all.get(&(place, slower, client.folder)).map(sample);
            of(client)?.ratio(of(other)?)
        };
        let goal = |what: &str, limit, value| Goal::at_most(&format!("{}: {what}", client.name), limit, value);
        report.goal(goal(
            "usable, cold, by React at 100 ms, 1.6 Mbit/s and a quarter of the processor",
            0.60,
            ratio(2, 4, REACT, |seen| &seen.cold),
        ));
        report.goal(goal("usable, cold, by React on this machine", 0.55, ratio(0, 1, REACT, |seen| &seen.cold)));
        for (place, slower, words) in
            [(0, 1, "on this machine"), (2, 4, "at 100 ms, 1.6 Mbit/s, a quarter of the processor")]
        {
            let value = ratio(place, slower, STATIC, |seen| &seen.cold_paint);
            report.goal(goal(&format!("first paint, by a button in HTML {words}"), 1.1, value));
        }
    }
}
