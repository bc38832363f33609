//! What goes over the wire: the same every time, so it is counted once.

use std::time::Duration;

use polar_signin_e2e::Result;

use crate::{
    clients::{ALL, APP, Client, ELEMENT, STATIC},
    link::Network,
    log::Exchange,
    report::{Goal, Report, Table},
    world::{Opening, World},
};

/// A kilobyte of the goal.
const KB: f64 = 1000.0;

pub(super) async fn run(world: &World, report: &mut Report) -> Result {
    world.network(Network::far(0));
    report.heading(
        "Bytes",
        "Answers with their heads, as they are sent, in brotli. *Before* is the page and everything \
         that it fetches by itself, in a new profile; *sign-in* is from the click to userinfo.",
    );
    let mut table =
        Table::new("", &["client", "before", "HTML, CSS", "scripts", "wasm", "requests", "sign-in", "requests"]);
    for client in ALL.into_iter().chain([ELEMENT, STATIC]) {
        match once(world, &client).await {
            Ok((before, after)) => table.row(&row(&client, &before, after.as_deref())),
            Err(failure) => report.failed(&client, &failure),
        }
    }
    report.table(&table);
    let files = world.doors.weight(&APP);
    let whole: usize = files.iter().map(|(_, bytes)| bytes).sum();
    let mut table = Table::new("The files of the app, in brotli", &["file", "bytes"]);
    for (name, bytes) in &files {
        table.row(&[name.rsplit('/').next().unwrap_or_default().to_owned(), bytes.to_string()]);
    }
    table.row(&["all".to_owned(), whole.to_string()]);
    report.table(&table);
    report.goal(Goal::count("the whole app, in brotli", 60.0, " KB", Some(as_float(whole) / KB)));
    Ok(())
}

async fn once(world: &World, client: &Client) -> Result<(Vec<Exchange>, Option<Vec<Exchange>>)> {
    let (browser, tab) = world.browser(client, Opening::default()).await?;
    let counted = async {
        world.doors.log.clear();
        world.settle(&tab, client).await?;
        let before = world.doors.log.between(0.0, f64::MAX);
        if !ALL.contains(client) {
            return Ok((before, None));
        }
        world.sign_in(&tab, Duration::from_millis(200)).await?;
        Ok((before, Some(world.doors.log.between(0.0, f64::MAX))))
    };
    let counted = counted.await;
    browser.close().await;
    counted
}

fn row(client: &Client, before: &[Exchange], after: Option<&[Exchange]>) -> Vec<String> {
    let sum = |exchanges: &[Exchange], good: &dyn Fn(&Exchange) -> bool| {
        exchanges.iter().filter(|exchange| good(exchange)).map(|exchange| exchange.bytes).sum::<usize>().to_string()
    };
    let ends = |endings: &'static [&'static str]| {
        move |exchange: &Exchange| endings.iter().any(|ending| exchange.path.ends_with(ending))
    };
    let (bytes, requests) = after
        .map_or_else(|| ("–".to_owned(), "–".to_owned()), |after| (sum(after, &|_| true), after.len().to_string()));
    vec![
        client.name.to_owned(),
        sum(before, &|_| true),
        sum(before, &ends(&["/", ".html", ".css", ".svg"])),
        sum(before, &ends(&[".js", ".json"])),
        sum(before, &ends(&[".wasm"])),
        before.len().to_string(),
        bytes,
        requests,
    ]
}

fn as_float(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}
