//! What a page holds once somebody is signed in.

use std::{collections::BTreeMap, time::Duration};

use polar_signin_e2e::{Context, Result};
use serde_json::json;
use tokio::time::sleep;

use super::Plan;
use crate::{
    clients::ALL,
    clients::Client,
    link::Network,
    report::{Report, Table},
    statistics::Sample,
    world::{Opening, World},
};

/// A kilobyte of memory.
const KIB: f64 = 1024.0;
/// More says nothing more: these figures hardly differ.
const ROUNDS: usize = 3;

#[derive(Default)]
struct Seen {
    heap: Sample,
    buffers: Sample,
    wasm: Sample,
    nodes: Sample,
}

pub(super) async fn run(world: &World, plan: &Plan, report: &mut Report) -> Result {
    world.network(Network::far(0));
    let mut all: BTreeMap<&str, Seen> = BTreeMap::new();
    let rounds = plan.rounds.min(ROUNDS);
    for round in 0..rounds {
        for client in ALL {
            let seen = all.entry(client.folder).or_default();
            if let Err(failure) = once(world, &client, seen).await {
                report.failed(&client, &failure);
            }
        }
        report.progress("memory", round + 1, rounds);
    }
    report.heading(
        "Memory",
        "Kilobytes, a few seconds after a sign-in and after the garbage was collected: objects of JavaScript, buffers \
         outside of them, and WebAssembly's memory. Compiled code is not in it. Median (quartiles).",
    );
    let mut table = Table::new("", &["client", "JavaScript", "buffers", "wasm", "DOM nodes"]);
    for client in ALL {
        let Some(seen) = all.get(client.folder) else { continue };
        table.row(&[
            client.name.to_owned(),
            seen.heap.show(),
            seen.buffers.show(),
            seen.wasm.show(),
            seen.nodes.show(),
        ]);
    }
    report.table(&table);
    Ok(())
}

async fn once(world: &World, client: &Client, seen: &mut Seen) -> Result {
    let (browser, tab) = world.browser(client, Opening::default()).await?;
    let measured = async {
        world.settle(&tab, client).await?;
        world.sign_in(&tab, Duration::ZERO).await?;
        sleep(Duration::from_secs(3)).await;
        for _ in 0..2 {
            tab.cdp("HeapProfiler.collectGarbage", json!({})).await?;
        }
        let usage = tab.cdp("Runtime.getHeapUsage", json!({})).await?;
        let counters = tab.cdp("Memory.getDOMCounters", json!({})).await?;
        let number = |from: &serde_json::Value, name: &str| from[name].as_f64().context(format!("no {name} in {from}"));
        seen.heap.add(number(&usage, "usedSize")? / KIB);
        seen.buffers.add(number(&usage, "backingStorageSize")? / KIB);
        let wasm = tab.eval("return window.benchMemory?.buffer.byteLength ?? 0", &[]).await?;
        seen.wasm.add(wasm.as_f64().context("no size")? / KIB);
        seen.nodes.add(number(&counters, "nodes")?);
        Ok(())
    };
    let measured = measured.await;
    browser.close().await;
    measured
}
