//! A page without a browser: performs the effects of a session with a map as its storage and
//! RustCrypto as its cryptography, and notes what happened.

use std::collections::{BTreeMap, VecDeque};

#[cfg(feature = "dpop")]
use polar_signin_core::dpop::PublicKey;
use polar_signin_core::{
    authorization::{PopupNumber, SignIn},
    config::Config,
    error::{Code, Error},
    http::{Body, Failure, HttpOutcome, HttpRequest, KeyName},
    identities::{Event, Identities, Overview, Slot},
    secret::FamilyKey,
    session::{Effect, Input, Records, StorageFailure, Ticket, TokenRequest},
    snapshot::{Account, Snapshot},
    time::UnixTime,
};

use super::{
    fixture::{JWKS_URI, METADATA_URL, NOW, REDIRECT_URI, Steps, TOKEN_ENDPOINT, json, metadata},
    keys::{encode, verify},
};

/// The public half of every key that is made here.
#[cfg(feature = "dpop")]
pub const POINT: [u8; 65] = [4; 65];

/// What a tab's session storage holds.
pub type Storage = BTreeMap<String, String>;

/// A request that left the page.
#[derive(Debug)]
pub struct Sent {
    pub slot: Slot,
    ticket: Ticket,
    pub url: String,
    pub bearer: Option<String>,
    /// The name of the key that it is proven with.
    pub key: Option<String>,
    /// The body of a form; JSON bodies are not sent by a session.
    pub form: Option<String>,
    answered: bool,
}

pub struct Page {
    pub identities: Identities,
    pub storage: Storage,
    pub now: UnixTime,
    pub entropy: Steps,
    /// Every request, in order.
    pub sent: Vec<Sent>,
    /// Every effect as a log would show it.
    pub trace: Vec<String>,
    /// The address that the page's own was replaced with.
    pub scrubbed: Option<String>,
    /// The provider's address that the page was left for.
    pub left: Option<String>,
    /// The provider's address that a window was sent to, which one, and the channel that is listened on.
    pub popup: Option<(PopupNumber, String, String)>,
    /// The query that this page handed to its opener, and said on this channel.
    pub relayed: Option<(String, String)>,
    /// This page closed its own window.
    pub closed: bool,
    /// The path of this site that the page went on to.
    pub returned: Option<String>,
    pub wake: Option<UnixTime>,
    /// How many signatures were checked.
    pub verified: usize,
    /// Somebody else holds this lock: it is not given.
    pub lock_is_held: bool,
    /// The lock that the first identity of this page holds or waits for.
    pub lock: Option<Ticket>,
    /// Those of the others.
    further_locks: BTreeMap<u8, Ticket>,
    /// The channel that this page listens on last of all.
    pub channel: Option<(String, FamilyKey)>,
    /// What was said on it and not delivered yet.
    pub told: Vec<String>,
    /// What will be said when the page is left.
    pub will: Option<String>,
    /// What came of wanting an access token.
    pub granted: Vec<(TokenRequest, Result<String, Code>)>,
    /// The names of the keys that the browser keeps; `None` if it keeps none.
    pub keys: Option<Vec<String>>,
    /// That of the last request that had one.
    pub last_key: Option<KeyName>,
    /// What becomes of records that are to be kept.
    pub refuse_to_keep: Option<StorageFailure>,
    /// The tab is killed after so many further effects: nothing happens from then on.
    pub dies_after: Option<usize>,
}

impl Page {
    /// A new page of a tab that holds this.
    pub fn new(config: Config, storage: Storage) -> Self {
        Self {
            identities: Identities::new(config),
            storage,
            now: UnixTime::from_seconds(NOW),
            entropy: Steps(1),
            sent: Vec::new(),
            trace: Vec::new(),
            scrubbed: None,
            left: None,
            popup: None,
            relayed: None,
            closed: false,
            returned: None,
            wake: None,
            verified: 0,
            lock_is_held: false,
            lock: None,
            further_locks: BTreeMap::new(),
            channel: None,
            told: Vec::new(),
            will: None,
            granted: Vec::new(),
            keys: Some(Vec::new()),
            last_key: None,
            refuse_to_keep: None,
            dies_after: None,
        }
    }

    /// A page that was opened at this address.
    pub fn opened(config: Config, storage: Storage, url: &str) -> Self {
        let mut page = Self::new(config, storage);
        page.open(url);
        page
    }

    pub fn open(&mut self, url: &str) {
        let records = self.records();
        self.step(Input::Opened { url: url.to_owned(), records, framed: false, memory_only: false });
    }

    pub fn records(&self) -> Records {
        Records::new(self.storage.clone().into_iter().collect())
    }

    /// One input and all that follows from it without the network.
    pub fn step(&mut self, input: Input) {
        let slot = self.identities.active();
        self.happen(match input {
            Input::Opened { url, records, framed, memory_only } => Event::Opened { url, records, framed, memory_only },
            Input::Resumed { records, from_memory } => Event::Resumed { records, from_memory },
            Input::Prepare => Event::Prepare,
            Input::SignIn { request, records } => Event::SignIn { request, records, add: false },
            Input::Cancel => Event::Cancel,
            Input::RetryDetails => Event::RetryDetails,
            Input::SignOut { records } => Event::SignOut { slot, records },
            Input::DismissError => Event::DismissError,
            Input::WantToken { request, refused } => Event::WantToken { slot, request, refused },
            Input::Woke => Event::Woke,
            of_one => Event::Of(slot, of_one),
        });
    }

    /// The same, for whomever it concerns.
    pub fn happen(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for (slot, effect) in self.identities.step(self.now, &mut self.entropy, event) {
                match &mut self.dies_after {
                    Some(0) => return,
                    Some(left) => *left -= 1,
                    None => {}
                }
                self.trace.push(format!("{effect:?}"));
                events.extend(self.perform(slot, effect).map(|input| Event::Of(slot, input)));
            }
        }
    }

    fn perform(&mut self, slot: Slot, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Scrub(url) => self.scrubbed = Some(url),
            Effect::Keep(ticket, key, record) => {
                let result = self.refuse_to_keep.map_or(Ok(()), Err);
                if result.is_ok() {
                    self.storage.insert(key, record.expose().to_owned());
                }
                return Some(Input::Kept(ticket, result));
            }
            Effect::Forget(key) => drop(self.storage.remove(&key)),
            Effect::Send(ticket, HttpRequest { url, bearer, body, key }) => {
                let form = body.map(|body| match body {
                    Body::Form(form) => form.expose().to_owned(),
                    Body::Json(_) => panic!("a session sends no JSON"),
                });
                let bearer = bearer.map(|token| token.expose().to_owned());
                self.last_key = key.clone().or_else(|| self.last_key.take());
                let key = key.map(|key| key.as_str().to_owned());
                self.sent.push(Sent { slot, ticket, url, bearer, key, form, answered: false });
            }
            Effect::Verify(ticket, check) => {
                self.verified += 1;
                let good = verify(&check);
                return Some(Input::Verified(ticket, check.outcome(good)));
            }
            Effect::Leave(url) => self.left = Some(url.expose().to_owned()),
            Effect::LeaveInPopup { popup, url, channel } => {
                self.popup = Some((popup, url.expose().to_owned(), channel));
            }
            Effect::Relay { query, channel } => self.relayed = Some((query.expose().to_owned(), channel)),
            Effect::Close => self.closed = true,
            Effect::Return(path) => self.returned = Some(path),
            Effect::WakeAt(time) => self.wake = Some(time),
            Effect::Lock(ticket, _) => {
                match slot.number() {
                    0 => self.lock = Some(ticket),
                    number => drop(self.further_locks.insert(number, ticket)),
                }
                if !self.lock_is_held {
                    return Some(Input::Locked { ticket, records: self.records() });
                }
            }
            Effect::Unlock(ticket) => {
                let lock = match slot.number() {
                    0 => self.lock.take(),
                    number => self.further_locks.remove(&number),
                };
                assert_eq!(lock, Some(ticket), "a lock is given back once");
            }
            Effect::Listen(name, key) => self.channel = Some((name, key)),
            Effect::Tell(text) => self.told.push(text.expose().to_owned()),
            Effect::Bequeath(text) => self.will = Some(text.expose().to_owned()).filter(|text| !text.is_empty()),
            Effect::Deafen => {
                self.channel = None;
                self.will = None;
            }
            Effect::Grant(request, granted) => {
                let granted = granted.map(|grant| grant.access_token.expose().to_owned());
                self.granted.push((request, granted.map_err(|error| error.code())));
            }
            Effect::Show => {}
            #[cfg(feature = "dpop")]
            Effect::MakeKey(ticket, name) => {
                let key = PublicKey::from_point(&POINT).filter(|_| self.keys.is_some());
                self.keys.iter_mut().for_each(|keys| keys.push(name.as_str().to_owned()));
                return Some(Input::KeyMade(ticket, key));
            }
            #[cfg(feature = "dpop")]
            Effect::DropKey(name) => self.keys.iter_mut().for_each(|keys| keys.retain(|key| key != name.as_str())),
        }
        None
    }

    /// Answers the oldest open request to this address.
    #[track_caller]
    pub fn answer(&mut self, url: &str, outcome: HttpOutcome) {
        let open = self.sent.iter_mut().find(|sent| !sent.answered && sent.url == url);
        let Some(open) = open else { panic!("nothing waits for {url}: {:?}", self.open_requests()) };
        open.answered = true;
        let answered = Event::Of(open.slot, Input::Answered(open.ticket, outcome));
        self.happen(answered);
    }

    /// The network fails the oldest open request to this address.
    #[track_caller]
    pub fn fail(&mut self, url: &str) {
        self.answer(url, HttpOutcome::Unknown(Failure::Network));
    }

    /// The alarm goes off: at once if its time has passed, for no clock goes back because of it.
    #[track_caller]
    pub fn wake(&mut self) {
        self.now = self.wake.take().expect("an alarm is set").max(self.now);
        self.step(Input::Woke);
    }

    /// How many requests went to this address, answered or not.
    pub fn count(&self, url: &str) -> usize {
        self.sent.iter().filter(|sent| sent.url == url).count()
    }

    /// Where the open requests went.
    pub fn open_requests(&self) -> Vec<&str> {
        self.sent.iter().filter(|sent| !sent.answered).map(|sent| sent.url.as_str()).collect()
    }

    pub fn sign_in(&mut self, request: SignIn) {
        let records = self.records();
        self.step(Input::SignIn { request: Box::new(request), records });
    }

    pub fn sign_out(&mut self) {
        let records = self.records();
        self.step(Input::SignOut { records });
    }

    pub fn overview(&self) -> Overview {
        self.identities.overview()
    }

    pub fn snapshot(&self) -> Snapshot {
        self.overview().snapshot
    }

    pub fn account(&self) -> Option<Account> {
        self.snapshot().account
    }

    pub fn subject(&self) -> Option<String> {
        self.account().map(|account| account.subject)
    }

    pub fn error(&self) -> Option<Error> {
        self.snapshot().error
    }

    pub fn code(&self) -> Option<Code> {
        self.error().map(|error| error.code())
    }

    /// Nothing of this text is left: not in the storage, not on the screen, not in a log.
    pub fn holds(&self, secret: &str) -> bool {
        self.storage.iter().any(|(key, text)| key.contains(secret) || text.contains(secret))
            || self.trace.iter().any(|line| line.contains(secret))
            || format!("{:?}", self.snapshot()).contains(secret)
            || self.scrubbed.as_ref().is_some_and(|url| url.contains(secret))
    }
}

/// Where a sign-in of OP-A has to go, and with what it starts.
#[derive(Clone)]
pub struct Trip {
    pub config: Config,
    pub sign_in: SignIn,
    pub metadata_url: String,
    pub metadata: String,
    pub storage: Storage,
    pub redirect: String,
    /// The first of the three numbers that state, nonce and verifier are made of.
    pub seed: u8,
}

impl Trip {
    pub fn new(config: Config) -> Self {
        Self {
            config,
            sign_in: SignIn { return_to: Some("/app".to_owned()), ..SignIn::default() },
            metadata_url: METADATA_URL.to_owned(),
            metadata: metadata().json(),
            storage: Storage::new(),
            redirect: REDIRECT_URI.to_owned(),
            seed: 1,
        }
    }

    pub fn state(&self) -> String {
        encode(&[self.seed; 32])
    }

    pub fn nonce(&self) -> String {
        encode(&[self.seed + 1; 32])
    }

    /// Clicks, and leaves for the provider.
    pub fn leave(&self) -> Page {
        let mut page = Page::opened(self.config.clone(), self.storage.clone(), "https://rp.example/app");
        page.now = UnixTime::from_seconds(NOW - 30);
        page.entropy = Steps(self.seed);
        page.sign_in(self.sign_in.clone());
        page.answer(&self.metadata_url, json(200, self.metadata.clone()));
        page
    }

    /// Comes back with a code: the tokens and the keys have been asked for.
    pub fn back(&self) -> Page {
        let page = self.leave();
        assert!(page.left.is_some(), "left for the provider: {:?}", page.error());
        let separator = if self.redirect.contains('?') { '&' } else { '?' };
        let url = format!("{}{separator}code=C-1&state={}", self.redirect, self.state());
        Page::opened(self.config.clone(), page.storage, &url)
    }

    /// Comes back, and the provider answers so.
    pub fn complete(&self, tokens: HttpOutcome, keys: &str) -> Page {
        let mut page = self.back();
        page.answer(JWKS_URI, json(200, keys));
        page.answer(TOKEN_ENDPOINT, tokens);
        page
    }
}
