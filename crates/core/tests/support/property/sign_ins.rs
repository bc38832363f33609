//! FZ-10: sign-ins under way in one tab, in any order, with reloads, lies and cuts in between.

use std::collections::{BTreeMap, BTreeSet};

use polar_signin_core::time::UnixTime;

use super::{
    super::{
        fixture::{
            JWKS_URI, METADATA_URL, NONCE, REDIRECT_URI, TOKEN_ENDPOINT, config, html, json, keys, metadata, tokens,
        },
        keys::encode,
        page::{Page, Storage},
        token::{claims, with_claims},
    },
    Choices,
};
use polar_signin_core::authorization::SignIn;

/// A tab: what it keeps, the page that is open, and what the provider has seen.
struct Tab {
    page: Page,
    /// The states that were sent out, by the seed that they were made of.
    begun: Vec<u8>,
    seed: u8,
    codes: BTreeMap<String, usize>,
    /// How often a code was sent that came with the state of this seed.
    redeemed: BTreeMap<u8, usize>,
    /// The keys of records that are there, and of those that were.
    pending: BTreeSet<String>,
    gone: BTreeSet<String>,
    /// Whether the next page is killed after so many effects.
    dies_after: Option<usize>,
    /// How many requests of this page have been counted.
    counted: usize,
}

const APP: &str = "https://rp.example/app";

impl Tab {
    fn open(&mut self, url: &str) {
        self.count();
        let (storage, now) = (self.page.storage.clone(), self.page.now);
        self.page = Page::new(config(), storage);
        self.page.now = now;
        self.draw();
        self.page.dies_after = self.dies_after.take();
        self.counted = 0;
        self.page.open(url);
    }

    /// Each code is sent once at most, over all pages.
    fn count(&mut self) {
        for sent in &self.page.sent[self.counted..] {
            let code = sent.form.as_deref().and_then(|form| form.split('&').find(|pair| pair.starts_with("code=")));
            if let Some(code) = code {
                *self.codes.entry(code.to_owned()).or_default() += 1;
                let seed = code.split('-').nth(1).and_then(|seed| seed.parse().ok());
                *self.redeemed.entry(seed.expect("one of ours")).or_default() += 1;
            }
        }
        self.counted = self.page.sent.len();
        assert!(self.codes.values().all(|times| *times <= 1), "a code was sent twice: {:?}", self.codes);
        assert!(self.redeemed.values().all(|times| *times <= 1), "a state was used twice: {:?}", self.redeemed);
        // What is gone, consumed or too old, never comes back.
        let now: BTreeSet<String> = self.transactions().into_keys().collect();
        self.gone.extend(self.pending.difference(&now).cloned());
        assert!(self.gone.is_disjoint(&now), "{:?} came back", self.gone);
        self.pending = now;
    }

    fn transactions(&self) -> Storage {
        let ours = |(key, _): &(&String, &String)| key.contains(":transaction:");
        self.page.storage.iter().filter(ours).map(|(key, text)| (key.clone(), text.clone())).collect()
    }

    /// What is too old is cleared away whenever a page is opened.
    fn is_old(&self, record: &str) -> bool {
        let record: serde_json::Value = serde_json::from_str(record).expect("a record");
        self.page.now.as_millis() - record["created"].as_i64().expect("a time") > 3_600_000
    }

    /// Gives the page numbers that nobody has had: three for a sign-in, its state, nonce and verifier.
    fn draw(&mut self) -> u8 {
        let seed = self.seed;
        self.page.entropy.0 = seed;
        self.seed += 3;
        seed
    }

    fn begin(&mut self) {
        let seed = self.draw();
        self.page.sign_in(SignIn::default());
        if self.page.open_requests().contains(&METADATA_URL) {
            self.page.answer(METADATA_URL, json(200, metadata().json()));
        }
        if self.page.left.take().is_some() {
            self.begun.push(seed);
        }
    }

    fn answer(&mut self, choices: &mut Choices<'_>) {
        let open: Vec<String> = self.page.open_requests().into_iter().map(str::to_owned).collect();
        if open.is_empty() {
            return;
        }
        let url = open[choices.below(open.len())].clone();
        if choices.one_in(4) {
            return self.page.fail(&url);
        }
        let outcome = match url.as_str() {
            JWKS_URI => json(200, keys()),
            METADATA_URL => json(200, metadata().json()),
            TOKEN_ENDPOINT => {
                let nonce = self.begun.last().map_or_else(|| NONCE.to_owned(), |seed| encode(&[seed + 1; 32]));
                json(200, tokens(&with_claims(&claims().text("nonce", &nonce).without("at_hash"))).json())
            }
            _ => html(500),
        };
        self.page.answer(&url, outcome);
    }
}

/// Any order of what may happen.
pub fn any(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let page = Page::opened(config(), Storage::new(), APP);
    let mut tab = Tab {
        page,
        begun: Vec::new(),
        seed: 1,
        codes: BTreeMap::new(),
        redeemed: BTreeMap::new(),
        pending: BTreeSet::new(),
        gone: BTreeSet::new(),
        dies_after: None,
        counted: 0,
    };
    for step in 0..24 {
        if choices.is_done() {
            break;
        }
        // Now and then the tab is killed between two effects of what happens next.
        let dies_after = choices.one_in(8).then(|| choices.below(8));
        (tab.dies_after, tab.page.dies_after) = (dies_after, dies_after);
        match choices.below(9) {
            0 | 1 => tab.begin(),
            // An answer to one of ours, perhaps for the second time.
            2 | 3 if !tab.begun.is_empty() => {
                let seed = tab.begun[choices.below(tab.begun.len())];
                let query = match choices.below(5) {
                    0 => "error=access_denied".to_owned(),
                    1 => format!("code=C-{seed}&code=C-x"),
                    // Another code with the same state.
                    2 => format!("code=C-{seed}-{step}"),
                    _ => format!("code=C-{seed}"),
                };
                tab.open(&format!("{REDIRECT_URI}?{query}&state={}", encode(&[seed; 32])));
            }
            // A forged one.
            4 => {
                let before: Storage = tab.transactions().into_iter().filter(|(_, text)| !tab.is_old(text)).collect();
                let state = choices.pick(&["", "&state=", "&state=x", "&state=__proto__", "&state=x&state=y"]);
                let what = choices.pick(&["code=EVIL", "error=access_denied", "code=EVIL&error=x", "id_token=x"]);
                let completing = tab.page.open_requests().contains(&TOKEN_ENDPOINT);
                tab.page.open(&format!("{REDIRECT_URI}?{what}{state}"));
                let after: Storage = tab.transactions().into_iter().filter(|(_, text)| !tab.is_old(text)).collect();
                assert!(after == before, "{state}: what is under way is untouched");
                assert_eq!(tab.page.open_requests().contains(&TOKEN_ENDPOINT), completing, "{state}");
            }
            // A reload, or a crash: whatever was on its way is gone.
            5 => tab.open(APP),
            6 => tab.page.now = UnixTime::from_millis(tab.page.now.as_millis() + 600_000 * choices.below(8) as i64),
            7 if tab.page.wake.is_some() => tab.page.wake(),
            _ => tab.answer(&mut choices),
        }
        if dies_after.is_some() {
            tab.dies_after = None;
            tab.open(APP);
        }
        tab.count();
        assert!(tab.transactions().len() <= 8, "{}", tab.transactions().len());
    }
    // Whatever has happened, somebody can sign in.
    tab.open(APP);
    let seed = tab.seed;
    tab.begin();
    assert_eq!(tab.begun.last(), Some(&seed), "{:?}", tab.page.error());
    tab.open(&format!("{REDIRECT_URI}?code=C-{seed}&state={}", encode(&[seed; 32])));
    tab.page.answer(JWKS_URI, json(200, keys()));
    let token = with_claims(
        &claims()
            .text("nonce", &encode(&[seed + 1; 32]))
            .number("iat", tab.page.now.as_seconds())
            .number("exp", tab.page.now.as_seconds() + 3600),
    );
    tab.page.answer(TOKEN_ENDPOINT, json(200, tokens(&token).json()));
    assert_eq!(tab.page.subject().as_deref(), Some("u1"), "{:?}", tab.page.error());
}
