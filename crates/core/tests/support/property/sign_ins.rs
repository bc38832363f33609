//! FZ-10: sign-ins under way in one tab, in any order, with reloads, lies and cuts in between.

use std::collections::BTreeMap;

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
        self.page.entropy.0 = 200;
        self.counted = 0;
        self.page.open(url);
    }

    /// Each code is sent once at most, over all pages.
    fn count(&mut self) {
        for sent in &self.page.sent[self.counted..] {
            let code = sent.form.as_deref().and_then(|form| form.split('&').find(|pair| pair.starts_with("code=")));
            if let Some(code) = code {
                *self.codes.entry(code.to_owned()).or_default() += 1;
            }
        }
        self.counted = self.page.sent.len();
        assert!(self.codes.values().all(|times| *times <= 1), "a code was sent twice: {:?}", self.codes);
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

    fn begin(&mut self) {
        // Three numbers a sign-in: state, nonce, verifier.
        self.page.entropy.0 = self.seed;
        self.page.sign_in(SignIn::default());
        if self.page.open_requests().contains(&METADATA_URL) {
            self.page.answer(METADATA_URL, json(200, metadata().json()));
        }
        if self.page.left.take().is_some() {
            self.begun.push(self.seed);
            self.seed = self.seed.wrapping_add(3);
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
    let mut tab = Tab { page, begun: Vec::new(), seed: 1, codes: BTreeMap::new(), counted: 0 };
    for step in 0..12 {
        match choices.below(9) {
            0 | 1 => tab.begin(),
            // An answer to one of ours, perhaps for the second time.
            2 | 3 if !tab.begun.is_empty() => {
                let seed = tab.begun[choices.below(tab.begun.len())];
                let query = match choices.below(4) {
                    0 => "error=access_denied".to_owned(),
                    1 => format!("code=C-{seed}&code=C-x"),
                    _ => format!("code=C-{seed}"),
                };
                tab.open(&format!("{REDIRECT_URI}?{query}&state={}", encode(&[seed; 32])));
            }
            // A forged one.
            4 => {
                let before: Storage = tab.transactions().into_iter().filter(|(_, text)| !tab.is_old(text)).collect();
                let state = choices.pick(&["", "&state=", "&state=x", "&state=__proto__"]);
                let completing = tab.page.open_requests().contains(&TOKEN_ENDPOINT);
                tab.page.open(&format!("{REDIRECT_URI}?code=EVIL{step}{state}"));
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
        tab.count();
        assert!(tab.transactions().len() <= 8, "{}", tab.transactions().len());
    }
    assert!(!tab.codes.keys().any(|code| code.contains("EVIL")), "{:?}", tab.codes);
    // Whatever has happened, somebody can sign in.
    tab.open(APP);
    tab.seed = 150;
    tab.begin();
    assert_eq!(tab.begun.last(), Some(&150), "{:?}", tab.page.error());
    tab.open(&format!("{REDIRECT_URI}?code=LAST&state={}", encode(&[150; 32])));
    tab.page.answer(JWKS_URI, json(200, keys()));
    let token = with_claims(
        &claims()
            .text("nonce", &encode(&[151; 32]))
            .number("iat", tab.page.now.as_seconds())
            .number("exp", tab.page.now.as_seconds() + 3600),
    );
    tab.page.answer(TOKEN_ENDPOINT, json(200, tokens(&token).json()));
    assert_eq!(tab.page.subject().as_deref(), Some("u1"), "{:?}", tab.page.error());
}
