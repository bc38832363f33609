//! How often the provider is asked for new tokens when the one of many tabs ends.

use std::{collections::BTreeSet, time::Duration};

use polar_signin_e2e::{Result, Tab, browser::Browser};
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::Plan;
use crate::{
    clients::{APP, AUTH0, AXA, BASELINE, Client, PACKAGE},
    link::Network,
    report::{Goal, Report, Table},
    world::{Opening, World},
};

/// How long the access token of so many tabs lasts, in seconds: they have to be open well before a minute before its
/// end, when most clients renew.
fn lifetime(tabs: usize) -> u64 {
    90 + 2 * u64::try_from(tabs).unwrap_or_default()
}

/// How long after the end of the token nothing more is to be expected, in seconds.
const AFTER: u64 = 20;

struct Case {
    client: Client,
    words: &'static str,
    /// The tabs share what they can by local storage. Otherwise each is a copy of the first, as when a person duplicates
    /// it.
    shared: bool,
}

const CASES: [Case; 6] = [
    Case { client: PACKAGE, words: "duplicated tabs, session storage", shared: false },
    Case { client: APP, words: "duplicated tabs, session storage", shared: false },
    Case { client: BASELINE, words: "duplicated tabs, session storage: its default", shared: false },
    Case { client: BASELINE, words: "local storage", shared: true },
    Case { client: AXA, words: "duplicated tabs, session storage: its default", shared: false },
    Case { client: AUTH0, words: "local storage, a token wanted every 5 s", shared: true },
];

struct Seen {
    refreshes: usize,
    refused: usize,
    lost: usize,
}

pub(super) async fn run(world: &World, plan: &Plan, report: &mut Report) -> Result {
    world.network(Network::far(0));
    let mut table =
        Table::new("", &["client", "tabs", "how they share", "refreshes", "refused", "tabs that lost the session"]);
    let mut done = 0;
    for &tabs in &plan.tabs {
        for Case { client, words, shared } in CASES {
            match once(world, &client, shared, tabs).await {
                Ok(seen) => {
                    let counts = [seen.refreshes, seen.refused, seen.lost].map(|count| count.to_string());
                    report.note(&format!("{}, {words}, {tabs} tabs: {}", client.name, counts.join(", ")));
                    let head = [client.name.to_owned(), tabs.to_string(), words.to_owned()];
                    table.row(&[head.as_slice(), &counts].concat());
                    if tabs == 50 && [PACKAGE, APP].contains(&client) {
                        let count = u32::try_from(seen.refreshes).ok().map(f64::from);
                        report.goal(Goal::count(&format!("{}: refreshes of 50 tabs", client.name), 1.0, "", count));
                    }
                }
                Err(failure) => report.failed(&client, &failure),
            }
            done += 1;
            report.progress("tabs", done, plan.tabs.len() * CASES.len());
        }
    }
    world.configure(json!({})).await?;
    report.heading(
        "Many tabs",
        "One person, signed in once, in so many tabs: how many requests for new tokens the provider gets for one end of \
         the access token, how many of them it refuses (its refresh tokens work once, as Polar's; a new ID token comes along, which Polar leaves out, since \
         one client refuses to go on without), and in how many tabs \
         the client then says that it has failed or nobody is signed in. A copy of a tab has a copy of its session storage. \
         The other clients of this comparison renew nothing by themselves.",
    );
    report.table(&table);
    Ok(())
}

async fn once(world: &World, client: &Client, shared: bool, tabs: usize) -> Result<Seen> {
    let seconds = lifetime(tabs);
    world.configure(json!({ "access_token_lifetime": seconds })).await?;
    let (browser, tab) = world.browser(client, Opening::default()).await?;
    let counted = async {
        tab.goto(&world.page(client)).await?;
        if shared {
            tab.eval("localStorage.setItem('bench:shared', '1')", &[]).await?;
        }
        world.settle(&tab, client).await?;
        world.sign_in(&tab, Duration::ZERO).await?;
        let end = Instant::now() + Duration::from_secs(seconds + AFTER);
        let all = copies(world, client, &browser, &tab, tabs).await?;
        sleep_until(end).await;
        let posts = world.provider.code_posts().await?;
        let refreshes: Vec<_> = posts
            .iter()
            .filter(|seen| seen.form().get("grant_type").is_some_and(|kind| kind == "refresh_token"))
            .collect();
        let mut lost = 0;
        for tab in &all {
            let gone = !tab.has(client.signed_in()).await? || tab.has("#failure:not(:empty)").await?;
            lost += usize::from(gone);
        }
        let refused = refreshes.iter().filter(|seen| seen.status != Some(200)).count();
        Ok(Seen { refreshes: refreshes.len(), refused, lost })
    };
    let counted = counted.await;
    browser.close().await;
    counted
}

/// Copies of a tab, each as the browser makes them, with the page loaded in it.
async fn copies(world: &World, client: &Client, browser: &Browser, tab: &Tab, tabs: usize) -> Result<Vec<Tab>> {
    let mut all = vec![tab.clone()];
    let mut known: BTreeSet<String> = BTreeSet::new();
    for handle in browser.windows().await? {
        known.insert(handle.into());
    }
    while all.len() < tabs {
        tab.eval("window.open(arguments[0])", &[&world.page(client)]).await?;
        for handle in browser.windows().await? {
            if known.insert(handle.clone().into()) {
                all.push(Tab::new(browser.clone(), handle));
            }
        }
    }
    for copy in &all {
        copy.wait_for(client.signed_in()).await?;
    }
    Ok(all)
}
