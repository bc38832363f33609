//! A storm: eight tabs of one session, a provider that rotates refresh tokens and fails by chance,
//! and the end of the access token again and again.
//!
//! The chance has a seed (`E2E_STORM_SEED`), which is printed. The pages' clocks jump by more than
//! an hour a round, so that rounds need not last an hour; requests, messages, locks and their timers
//! are the browser's own, in real time. A session may end in one way alone: the provider renewed it
//! and the answer was lost, so that the next attempt is refused.

use std::{collections::BTreeMap, env, time::Duration};

use polar_signin_e2e::{
    Context, Failure, Result, Stage, Tab, clock,
    pages::{SignedInPage, StartPage},
    sessions::{copy_of, renewals},
    settings::Engine,
    suite,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

suite![300 seconds: rt_07_rt_08_a_storm_loses_no_session_and_uses_no_token_twice];

/// The same weather at every run, unless the environment says another.
const SEED: u64 = 2;
const TABS: usize = 8;
const ROUNDS: usize = 200;
/// In browsers that take four times as long for one.
const ROUNDS_ELSEWHERE: usize = 40;
/// From then on no new round is begun.
const LONGEST: Duration = Duration::from_secs(220);
/// How long a round may take to come to rest.
const REST: Duration = Duration::from_secs(25);

/// In each tab: does what the conductor says, and says how it is. Counts the token requests.
const PLAYER: &str = "if (location.protocol === 'http:') {
    const bus = new BroadcastChannel('test:storm');
    const me = () => Number(sessionStorage.getItem('test:tab') ?? -1);
    // Behind the others a tab is not seen: whoever is woken comes to be.
    Object.defineProperty(document, 'visibilityState', { get: () => 'visible' });
    const real = window.fetch;
    window.fetch = async (...call) => {
        const token = String(call[0]?.url ?? call[0]).endsWith('/v1/oauth2/token');
        if (!token) return real.apply(window, call);
        bus.postMessage({ began: me() });
        // The app believes in a failure of the network only after a while: the page may be about to be left.
        let told = 60;
        try { return await real.apply(window, call) }
        catch (error) { told = 900; throw error }
        finally { setTimeout(() => bus.postMessage({ ended: me() }), told) }
    };
    const state = () => {
        const key = Object.keys(sessionStorage).find(key => key.endsWith(':session'));
        const session = key ? JSON.parse(sessionStorage[key]) : {};
        return {
            tab: me(),
            view: document.querySelector('main:not(#shell)')?.dataset.view ?? null,
            code: document.querySelector('[data-error-code]')?.dataset.errorCode ?? null,
            generation: session.generation ?? -1,
            holds: Boolean(session.refresh_token),
            words: document.querySelector('[data-field=renewal]')?.innerText ?? null,
        };
    };
    bus.onmessage = ({ data }) => {
        if (data.jump) sessionStorage.setItem('test:ahead', Number(sessionStorage.getItem('test:ahead') ?? 0) + data.jump * 1000);
        for (const [how, delay] of data.wake?.[me()] ?? []) {
            const [target, kind] = how === 'online' ? [window, 'online'] : [document, 'visibilitychange'];
            setTimeout(() => target.dispatchEvent(new Event(kind)), delay);
        }
        if (data.ask) bus.postMessage({ answer: data.ask, state: state() });
    };
}";

/// In a page of the same origin that is none of them.
const CONDUCTOR: &str = "window.began = window.ended = 0;
    window.bus = new BroadcastChannel('test:storm');
    window.answers = [];
    bus.onmessage = ({ data }) => {
        if (data.began !== undefined) began += 1;
        if (data.ended !== undefined) ended += 1;
        if (data.answer === window.asked) answers.push(data.state);
    };
    window.ask = count => new Promise(done => {
        window.asked = Math.random();
        window.answers = [];
        bus.postMessage({ ask: window.asked });
        const end = Date.now() + 1500;
        const look = () => answers.length >= count || Date.now() > end
            ? done({ began, ended, tabs: answers }) : setTimeout(look, 10);
        look();
    });";

/// Chance that can be had again (splitmix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or_default()
    }

    fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// What becomes of a renewal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It succeeds, perhaps late.
    Renewed,
    /// It fails, and the refresh token is good for another attempt.
    Failed,
    /// The provider has renewed, and nobody knows.
    Lost,
}

/// A fault by chance: its name, what the provider is told, and what comes of it.
fn fault(chance: &mut Chance) -> (&'static str, Value, Fate) {
    let html = json!({ "content-type": "text/html" });
    match chance.below(100) {
        0..55 => ("none", Value::Null, Fate::Renewed),
        55..65 => ("delay", json!({ "delay_ms": 100 + chance.below(1200) }), Fate::Renewed),
        65..75 => ("429", json!({ "status": 429, "body": "{}" }), Fate::Failed),
        75..82 => ("503", json!({ "status": 503, "body": "<h1>busy</h1>", "headers": html }), Fate::Failed),
        82..87 => ("500 without CORS", json!({ "status": 500, "body": "no", "cors": false }), Fate::Failed),
        87..91 => ("403 HTML", json!({ "status": 403, "body": "<h1>no</h1>", "headers": html }), Fate::Failed),
        91..98 => ("cut off before", json!({ "delay_ms": chance.below(300), "drop": "before" }), Fate::Failed),
        _ => ("answer lost", json!({ "drop": "after" }), Fate::Lost),
    }
}

#[derive(Default)]
struct Figures {
    rounds: usize,
    renewals: usize,
    faults: BTreeMap<&'static str, usize>,
    reloads: usize,
    closed: usize,
    sessions: usize,
    ended: usize,
    longest: Duration,
}

/// The tabs, and the page that leads them.
struct Storm<'a> {
    stage: &'a Stage,
    conductor: Tab,
    tabs: Vec<Tab>,
    generation: i64,
    figures: Figures,
}

impl Storm<'_> {
    async fn prepare(&self, tab: &Tab, number: usize) -> Result {
        clock::install(tab).await?;
        tab.before_every_page(PLAYER).await?;
        self.name(tab, number).await
    }

    async fn name(&self, tab: &Tab, number: usize) -> Result {
        tab.eval("try { sessionStorage.setItem('test:tab', arguments[0]) } catch {}", &[&number.to_string()])
            .await
            .map(|_| ())
    }

    async fn copy(&self, of: &Tab, number: usize) -> Result<Tab> {
        let copy = copy_of(of, self.stage).await?;
        self.prepare(&copy, number).await?;
        copy.goto(&self.stage.site()).await?;
        SignedInPage::wait(&copy).await?;
        Ok(copy)
    }

    /// The first tab signs in, the others are copies of it or of each other.
    async fn begin(&mut self, chance: &mut Chance) -> Result {
        for tab in self.tabs.drain(1..) {
            tab.close().await?;
        }
        let first = self.tabs[0].clone();
        first.goto(&self.stage.site()).await?;
        first.eval("sessionStorage.clear()", &[]).await?;
        self.name(&first, 0).await?;
        StartPage::open(self.stage, &first).await?;
        first.click("#sign-in").await?;
        SignedInPage::wait(&first).await?;
        while self.tabs.len() < TABS {
            let of = self.tabs[chance.below(self.tabs.len())].clone();
            let copy = self.copy(&of, self.tabs.len()).await?;
            self.tabs.push(copy);
        }
        self.generation = 0;
        self.figures.sessions += 1;
        Ok(())
    }

    /// How all of them are.
    async fn look(&self) -> Result<Value> {
        self.conductor.eval("return ask(Number(arguments[0]))", &[&TABS.to_string()]).await
    }

    /// Waits until all of them are so.
    async fn until(&self, what: &str, good: impl Fn(&Value) -> bool) -> Result<Value> {
        let end = Instant::now() + REST;
        loop {
            let seen = self.look().await?;
            let tabs = seen["tabs"].as_array().map_or(&[][..], Vec::as_slice);
            if tabs.len() == TABS && good(&seen) {
                return Ok(seen);
            }
            if Instant::now() > end {
                let last = renewals(self.stage).await?;
                let last: Vec<_> = last.iter().rev().take(4).map(|seen| (seen.status, &seen.fault)).collect();
                return Err(Failure::new(format!("{}: not {what}: {seen}\n{last:?}", self.place())));
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn place(&self) -> String {
        let Figures { rounds, reloads, closed, .. } = &self.figures;
        format!("round {rounds}, after {reloads} reloads and {closed} closed tabs")
    }

    /// Something that happens to a tab between two renewals.
    async fn disturb(&mut self, chance: &mut Chance) -> Result {
        let which = chance.below(TABS);
        if chance.percent(12) {
            self.tabs[which].reload().await?;
            SignedInPage::wait(&self.tabs[which]).await?;
            self.figures.reloads += 1;
        } else if chance.percent(5) {
            // As a person closes it: the page is told, and has no time.
            let which = which.max(1);
            let _ = self.tabs[which].eval("setTimeout(() => window.close())", &[]).await;
            let of = (which + 1 + chance.below(TABS - 1)) % TABS;
            let of = self.tabs[of].clone();
            self.tabs[which] = self.copy(&of, which).await?;
            self.figures.closed += 1;
        }
        Ok(())
    }

    /// The access token ends in every tab, and they are told of it one after the other.
    async fn round(&mut self, chance: &mut Chance, fate: Fate, doomed: bool) -> Result {
        let before = self.look().await?;
        // One is always told; the others hear of it from timers, from each other, or later.
        let sure = chance.below(TABS);
        let wake: Vec<Vec<(&str, usize)>> = (0..TABS)
            .map(|tab| {
                let times = if tab == sure { 1 + chance.below(2) } else { chance.below(3) };
                let how = |chance: &mut Chance| if chance.percent(30) { "online" } else { "visible" };
                (0..times).map(|_| (how(chance), chance.below(120))).collect()
            })
            .collect();
        let since = Instant::now();
        let told = json!({ "jump": 3700, "wake": wake }).to_string();
        self.conductor.eval("bus.postMessage(JSON.parse(arguments[0])); return 1", &[&told]).await?;
        let began = before["began"].as_i64().unwrap_or_default();
        let sent = move |seen: &Value| seen["began"].as_i64() > Some(began) && seen["began"] == seen["ended"];
        let all = |seen: &Value, good: &dyn Fn(&Value) -> bool| {
            seen["tabs"].as_array().is_some_and(|tabs| tabs.iter().all(good))
        };
        let next = self.generation + 1;
        let well = |tab: &Value| tab["view"] == "signed-in" && tab["code"].is_null();
        let seen = if doomed {
            self.until("ended everywhere", |seen| sent(seen) && all(seen, &|tab| tab["code"] == "session_expired"))
                .await?
        } else if fate == Fate::Renewed {
            self.until("renewed everywhere", |seen| {
                sent(seen) && all(seen, &|tab| well(tab) && tab["generation"] == next)
            })
            .await?
        } else {
            self.until("tried once", sent).await?
        };
        self.figures.longest = self.figures.longest.max(since.elapsed());
        let asked = seen["began"].as_i64().unwrap_or_default() - began;
        assert_eq!(asked, 1, "round {}: {asked} requests: {seen}", self.figures.rounds);
        if !doomed {
            assert!(all(&seen, &well), "round {}: a session is lost: {seen}", self.figures.rounds);
        }
        if !doomed && fate == Fate::Renewed {
            self.generation = next;
        }
        Ok(())
    }
}

async fn rt_07_rt_08_a_storm_loses_no_session_and_uses_no_token_twice(stage: Stage) -> Result {
    let seed = env::var("E2E_STORM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    eprintln!("\nstorm: E2E_STORM_SEED={seed}");
    let mut chance = Chance(seed);
    let settings = json!({
        "access_token_lifetime": 3600, "refreshed_lifetime": 3600, "auto_sign_in": "olive", "auto_consent": true,
    });
    stage.provider().settings(settings).await?;
    let first = stage.tab().await?;
    let conductor = stage.another_tab(&first).await?;
    conductor.goto(&stage.empty_page()).await?;
    conductor.eval(CONDUCTOR, &[]).await?;
    let mut storm =
        Storm { stage: &stage, conductor, tabs: vec![first.clone()], generation: 0, figures: Figures::default() };
    storm.prepare(&first, 0).await?;
    storm.begin(&mut chance).await?;
    let start = Instant::now();
    let (mut doomed, mut rested) = (false, true);
    let rounds = if first.browser().engine() == Engine::Chromium { ROUNDS } else { ROUNDS_ELSEWHERE };
    while storm.figures.rounds < rounds || doomed {
        assert!(start.elapsed() < LONGEST, "only {} rounds", storm.figures.rounds);
        let (name, how, fate) = if doomed { ("none", Value::Null, Fate::Renewed) } else { fault(&mut chance) };
        // A page that is opened anew with an ended token asks at once: that would be a round of its own.
        if rested {
            storm.disturb(&mut chance).await?;
        }
        if let Value::Object(mut members) = how {
            members.extend([("endpoint".to_owned(), json!("token")), ("grant".to_owned(), json!("refresh_token"))]);
            members.insert("times".to_owned(), json!(1));
            stage.provider().fault(Value::Object(members)).await?;
        }
        storm.round(&mut chance, fate, doomed).await?;
        storm.figures.rounds += 1;
        storm.figures.renewals += 1;
        *storm.figures.faults.entry(name).or_default() += 1;
        if doomed {
            storm.figures.ended += 1;
            storm.begin(&mut chance).await?;
        }
        rested = doomed || fate == Fate::Renewed;
        doomed = !doomed && fate == Fate::Lost;
    }
    // The weather clears up.
    storm.round(&mut chance, Fate::Renewed, false).await?;
    storm.figures.renewals += 1;
    let alike = |seen: &Value| {
        let tabs = seen["tabs"].as_array().map_or(&[][..], Vec::as_slice);
        tabs.iter().filter(|tab| tab["holds"] == true).count() == 1
    };
    storm.until("one that keeps the refresh token", alike).await?;
    report(&stage, &storm.figures, start.elapsed()).await
}

/// No refresh token goes out again after the provider has honoured it, unless that answer was lost.
async fn report(stage: &Stage, figures: &Figures, took: Duration) -> Result {
    let sent = renewals(stage).await?;
    let mut uses: BTreeMap<String, Vec<(Option<u64>, bool)>> = BTreeMap::new();
    for seen in &sent {
        let token = seen.form().get("refresh_token").cloned().context("no refresh token")?;
        uses.entry(token).or_default().push((seen.status, seen.fault["drop"] == "after"));
    }
    let reused = uses.values().filter(|uses| {
        let honoured = uses.iter().position(|(status, lost)| *status == Some(200) && !lost);
        honoured.is_some_and(|at| at + 1 < uses.len())
    });
    let reused = reused.count();
    let again: usize = uses.values().map(|uses| uses.len() - 1).sum();
    let Figures { rounds, renewals, faults, reloads, closed, sessions, ended, longest } = figures;
    eprintln!("storm: {rounds} rounds in {} s, {TABS} tabs, {sessions} sessions", took.as_secs());
    eprintln!("storm: {} renewals sent, {} refresh tokens, {again} sent again after a failure", sent.len(), uses.len());
    eprintln!("storm: faults: {faults:?}; {reloads} reloads, {closed} tabs closed and copied anew");
    eprintln!(
        "storm: longest wait {} ms; sessions ended by a lost answer {ended}; tokens reused {reused}",
        longest.as_millis()
    );
    assert_eq!((sent.len(), reused), (*renewals, 0));
    let lost = faults.get("answer lost").copied().unwrap_or_default();
    assert_eq!(*ended, lost, "each lost answer ends one session, and nothing else does");
    Ok(())
}
