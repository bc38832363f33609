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
use case::{Case, Group, Sign, Walk};
use document::Document;
use evidence::{Evidence, Outcome};
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
    let mut trial = Trial { visitor: Visitor::new(world).await?, controls: BTreeMap::new(), seen: BTreeMap::new() };
    let mut written = Document::new(trial.visitor.about().await?, &CLIENTS);
    for group in &groups {
        let outcomes = trial.group(group).await;
        written.add(group, &outcomes);
    }
    if only.is_empty() {
        std::fs::write(document, written.text()).context(document.display())?;
    }
    Ok(written.undecided())
}

/// What is known so far.
struct Trial<'a> {
    visitor: Visitor<'a>,
    /// Whether a walk signs in without an attack, at these settings of the provider, with this client.
    controls: BTreeMap<(Walk, String, &'static str), Outcome>,
    /// One visit shows what several statements are about.
    seen: BTreeMap<String, Evidence>,
}

impl Trial<'_> {
    /// The outcomes of each case, in the order of the clients.
    #[expect(clippy::print_stdout, reason = "whoever waits wants to see how far it is")]
    async fn group(&mut self, group: &Group) -> Vec<Vec<Outcome>> {
        println!("\n{}", group.title);
        let mut all = Vec::new();
        for (number, case) in group.cases.iter().enumerate() {
            let mut outcomes = vec![Outcome::DoesNotApply; CLIENTS.len()];
            for turn in 0..CLIENTS.len() {
                // Whoever is first is another one each time.
                let place = (turn + number) % CLIENTS.len();
                let client = &CLIENTS[place];
                outcomes[place] = self.cell(case, client).await;
                println!("  {}: {}: {}", case.id, client.folder, outcomes[place]);
            }
            all.push(outcomes);
        }
        all
    }

    async fn cell(&mut self, case: &Case, client: &Client) -> Outcome {
        // Its users ask for userinfo by themselves.
        if case.walk == Walk::Userinfo && client.folder == AUTH0.folder {
            return Outcome::DoesNotApply;
        }
        let key = (case.walk.control(), case.settings.to_string(), client.folder);
        let known = self.controls.get(&key).cloned();
        let control = match known {
            Some(known) => known,
            None => {
                let outcome = self.decide(&control(case), client).await;
                self.controls.insert(key, outcome.clone());
                outcome
            }
        };
        match control {
            Outcome::Accepted => self.decide(case, client).await,
            other => Outcome::NotDecided(format!("without the attack: {other}")),
        }
    }

    /// An outcome that says nothing, or a refusal without a word, is looked at once more.
    async fn decide(&mut self, case: &Case, client: &Client) -> Outcome {
        match self.once(case, client).await {
            Outcome::NotDecided(_) => self.once(case, client).await,
            Outcome::Refused(words) if words.is_empty() => match self.once(case, client).await {
                Outcome::Accepted => Outcome::NotDecided("once refused without a word, once accepted".to_owned()),
                second => second,
            },
            decided => decided,
        }
    }

    async fn once(&mut self, case: &Case, client: &Client) -> Outcome {
        let same = format!("{} {:?} {} {:?}", client.folder, case.walk, case.settings, case.faults);
        let is_statement = matches!(case.sign, Sign::Left(..) | Sign::RefreshSentAgain);
        if let Some(evidence) = self.seen.get(&same).filter(|_| is_statement) {
            return evidence.outcome(case);
        }
        match self.visitor.visit(case, client).await {
            Ok(evidence) => {
                let outcome = evidence.outcome(case);
                self.seen.insert(same, evidence);
                outcome
            }
            Err(failure) => Outcome::NotDecided(failure.to_string()),
        }
    }
}

/// The same walk at the same provider, without the attack.
fn control(case: &Case) -> Case {
    let walk = case.walk.control();
    let sign = match walk {
        Walk::Userinfo => Sign::Named,
        Walk::Renewal => Sign::Renewed,
        _ => Sign::SignedIn,
    };
    case::case("control", case.rows, "without the attack", walk, sign).at(case.settings.clone())
}
