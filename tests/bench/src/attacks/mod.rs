//! The same attacks on this client and others: which of them get through. `cargo xtask compare` starts it.
//!
//! It sees what a person and the provider see, and nothing of how a client does it. An attack counts only where the same
//! walk without it signs in.

mod case;
mod cases;
mod document;
mod evidence;
mod profiles;
mod template;
mod visit;

use std::{collections::BTreeMap, path::Path};

use polar_signin_e2e::{Context, Failure, Result};

use crate::{
    clients::{APP, AUTH0, AXA, BASELINE, Client, PACKAGE},
    world::World,
};
use case::{Case, Group, Walk};
use document::Document;
use evidence::Outcome;
use visit::Visitor;

/// Whom they are tried on.
const CLIENTS: [Client; 5] = [APP, PACKAGE, BASELINE, AUTH0, AXA];

/// Tries all cases, or these, on all clients in turn. Writes the document if it was all. Says how many are not decided.
///
/// # Errors
/// If what is common to all clients fails, or a name is not known.
pub(crate) async fn run(world: &World, only: &[String], document: &Path) -> Result<usize> {
    let mut groups = cases::all();
    let known: Vec<&str> = groups.iter().flat_map(|group| &group.cases).map(|case| case.id).collect();
    if let Some(unknown) = only.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Failure::new(format!("no case {unknown}: {}", known.join(", "))));
    }
    for group in &mut groups {
        group.cases.retain(|case| only.is_empty() || only.iter().any(|name| name == case.id));
    }
    groups.retain(|group| !group.cases.is_empty());
    let visitor = Visitor::new(world).await?;
    let mut written = Document::new(visitor.about().await?, &CLIENTS);
    for group in &groups {
        let outcomes = try_group(&visitor, group).await;
        written.add(group, &outcomes);
    }
    if only.is_empty() {
        std::fs::write(document, written.text()).context(document.display())?;
    }
    Ok(written.undecided())
}

/// The outcomes of each case, in the order of the clients.
#[expect(clippy::print_stdout, reason = "whoever waits wants to see how far it is")]
async fn try_group(visitor: &Visitor<'_>, group: &Group) -> Vec<Vec<Outcome>> {
    println!("\n{}", group.title);
    let mut controls: BTreeMap<(Walk, String, &str), Outcome> = BTreeMap::new();
    let mut all = Vec::new();
    for (number, case) in group.cases.iter().enumerate() {
        let mut outcomes = vec![Outcome::DoesNotApply; CLIENTS.len()];
        for turn in 0..CLIENTS.len() {
            // Whoever is first is another one each time.
            let place = (turn + number) % CLIENTS.len();
            let client = &CLIENTS[place];
            // Its users ask for userinfo by themselves.
            if case.walk == Walk::Userinfo && client.folder == AUTH0.folder {
                continue;
            }
            let key = (case.walk.control(), case.settings.to_string(), client.folder);
            if let std::collections::btree_map::Entry::Vacant(entry) = controls.entry(key.clone()) {
                entry.insert(decide(visitor, &control(case), client).await);
            }
            outcomes[place] = match &controls[&key] {
                Outcome::Accepted => decide(visitor, case, client).await,
                Outcome::DoesNotApply => Outcome::DoesNotApply,
                other => Outcome::NotDecided(format!("without the attack: {other}")),
            };
            println!("  {}: {}: {}", case.id, client.folder, outcomes[place]);
        }
        all.push(outcomes);
    }
    all
}

/// The same walk at the same provider, without the attack.
fn control(case: &Case) -> Case {
    let walk = case.walk.control();
    let sign = match walk {
        Walk::Userinfo => case::Sign::Named,
        Walk::Renewal => case::Sign::Renewed,
        _ => case::Sign::SignedIn,
    };
    case::case("control", case.rows, "without the attack", walk, sign).at(case.settings.clone())
}

/// An outcome that says nothing, or a refusal without a word, is looked at once more.
async fn decide(visitor: &Visitor<'_>, case: &Case, client: &Client) -> Outcome {
    let first = once(visitor, case, client).await;
    match first {
        Outcome::NotDecided(_) => once(visitor, case, client).await,
        Outcome::Refused(ref words) if words.is_empty() => match once(visitor, case, client).await {
            Outcome::Accepted => Outcome::NotDecided("once refused without a word, once accepted".to_owned()),
            second => second,
        },
        decided => decided,
    }
}

async fn once(visitor: &Visitor<'_>, case: &Case, client: &Client) -> Outcome {
    match visitor.visit(case, client).await {
        Ok(evidence) => evidence.outcome(case),
        Err(failure) => Outcome::NotDecided(failure.to_string()),
    }
}
