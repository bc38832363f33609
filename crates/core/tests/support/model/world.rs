//! The browser around the tabs: storages, the lock, the channel, the clocks.

use std::{
    collections::{BTreeMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
};

use polar_signin_core::{
    authorization::SignIn,
    http::{Body, HttpRequest},
    secret::ChannelText,
    session::{Effect, Input, Records, Session, StorageFailure, Ticket, TokenRequest},
    time::UnixTime,
};

use super::{
    super::{
        fixture::{
            JWKS_URI, METADATA_URL, NONCE, NOW, TOKEN_ENDPOINT, USERINFO_ENDPOINT, config, json, keys, metadata,
        },
        keys::encode,
        page::Storage,
    },
    event::{Budget, Event, Number},
    locks::Waiter,
    page::{Asker, Chance, Message, Open, Page, What},
    provider::{Family, LIFETIME, numbers, renewed_id_token, tokens},
};

/// How long a message, or the word that a lock is held, may be on its way.
pub const TRAVEL: i64 = 100;
/// How long a request may take.
const DEADLINE: i64 = 15_000;
const REVOCATION: &str = "https://op.example/revoke";
const APP: &str = "https://rp.example/app";

/// What a run begins with.
pub struct Setup {
    pub budget: Budget,
    /// With userinfo and revocation, which are requests more.
    pub details: bool,
    /// Each renewal brings an ID token.
    pub id_tokens: bool,
    /// The browser has locks.
    pub locks: bool,
    /// The first tab's storage, right after its sign-in.
    base: Storage,
    id_token: String,
}

impl Setup {
    pub fn new(budget: Budget) -> Self {
        let mut setup = Self {
            budget,
            details: false,
            id_tokens: false,
            locks: true,
            base: Storage::new(),
            id_token: renewed_id_token(NONCE),
        };
        setup.sign_in();
        setup
    }

    pub fn id_token(&self) -> &str {
        &self.id_token
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self.sign_in();
        self
    }

    fn sign_in(&mut self) {
        self.base.clear();
        let mut world = World::empty(self);
        world.tabs.push(Place::default());
        world.sign_in(0);
        world.assert_fine();
        self.base = core::mem::take(&mut world.tabs[0].storage);
    }
}

/// A tab: its session storage, and the page that is open in it.
#[derive(Default)]
pub struct Place {
    pub storage: Storage,
    pub page: Option<Page>,
    /// Sessions that were signed out of here.
    pub left: Vec<usize>,
}

pub struct World<'a> {
    pub setup: &'a Setup,
    pub budget: Budget,
    /// The clock that does not jump, and by how much the wall clock differs.
    pub mono: i64,
    pub offset: i64,
    pub tabs: Vec<Place>,
    pub locks: BTreeMap<String, VecDeque<Waiter>>,
    pub families: Vec<Family>,
    pages: u32,
    pub trouble: Option<String>,
}

impl<'a> World<'a> {
    fn empty(setup: &'a Setup) -> Self {
        Self {
            setup,
            budget: setup.budget.clone(),
            mono: 0,
            offset: NOW * 1000,
            tabs: Vec::new(),
            locks: BTreeMap::new(),
            families: Vec::new(),
            pages: 0,
            trouble: None,
        }
    }

    /// One tab that is signed in, a second before its access token is renewed.
    pub fn new(setup: &'a Setup) -> Self {
        let mut world = Self::empty(setup);
        world.families.push(Family::default());
        world.mono = LIFETIME - 61_000;
        world.tabs.push(Place { storage: setup.base.clone(), ..Place::default() });
        world.open(0, Number::High);
        world
    }

    pub fn wall(&self) -> i64 {
        self.mono + self.offset
    }

    pub fn fail(&mut self, what: impl Into<String>) {
        self.trouble.get_or_insert_with(|| what.into());
    }

    fn assert_fine(&self) {
        assert!(self.trouble.is_none(), "{:?}", self.trouble);
    }

    pub fn page(&mut self, tab: usize) -> Option<&mut Page> {
        self.tabs.get_mut(tab)?.page.as_mut()
    }

    pub fn pages(&self) -> impl Iterator<Item = (usize, &Page)> {
        self.tabs.iter().enumerate().filter_map(|(tab, place)| Some((tab, place.page.as_ref()?)))
    }

    pub fn records(&self, tab: usize) -> Records {
        Records::new(self.tabs[tab].storage.clone().into_iter().collect())
    }

    fn new_page(&mut self, tab: usize, script: &[u8]) {
        self.pages += 1;
        let page = Page::new(self.pages, Session::new(config()), Chance::new(self.pages, script));
        self.tabs[tab].page = Some(page);
    }

    /// A page is opened in this tab.
    pub fn open(&mut self, tab: usize, number: Number) {
        self.new_page(tab, &[Chance::number(self.pages + 1, number)]);
        self.visit(tab, APP);
    }

    fn visit(&mut self, tab: usize, url: &str) {
        let records = self.records(tab);
        self.step(tab, Input::Opened { url: url.to_owned(), records, framed: false, memory_only: false });
    }

    /// The whole way of a sign-in, all in one moment.
    pub fn sign_in(&mut self, tab: usize) {
        self.new_page(tab, &[1, 2, 3]);
        self.visit(tab, APP);
        let records = self.records(tab);
        self.step(tab, Input::SignIn { request: Box::new(SignIn::default()), records });
        self.answer_all(tab);
        let session = self.families.len();
        self.families.push(Family::default());
        let family = 30 + u8::try_from(session).expect("few sign-ins");
        self.new_page(tab, &[family, Chance::number(self.pages + 1, Number::High)]);
        self.visit(tab, &format!("https://rp.example/callback?code=C-1&state={}", encode(&[1; 32])));
        self.answer_all(tab);
        if self.page(tab).is_none_or(|page| page.session.snapshot().account.is_none()) {
            let error = self.page(tab).and_then(|page| page.session.snapshot().error);
            self.fail(format!("nobody can sign in: {error:?}"));
        }
    }

    fn answer_all(&mut self, tab: usize) {
        while let Some(open) = self.page(tab).filter(|page| !page.open.is_empty()).map(|page| page.open.remove(0)) {
            let input = self.good(open);
            self.step(tab, input);
        }
    }

    /// What comes of a request that goes well.
    pub fn good(&mut self, Open { ticket, what, .. }: Open) -> Input {
        let outcome = match what {
            What::Verify(check) => return Input::Verified(ticket, check.outcome(true)),
            // Those are answered one by one: `refresh_answered`.
            What::Refresh { .. } => return Input::Woke,
            What::Code => json(200, tokens(self.families.len() - 1, 0).text("id_token", &self.setup.id_token).json()),
            What::Keys => json(200, keys()),
            What::Userinfo => json(200, r#"{"sub":"u1"}"#),
            What::Metadata => json(200, self.metadata()),
            What::Revocation => json(200, ""),
        };
        Input::Answered(ticket, outcome)
    }

    fn metadata(&self) -> String {
        if self.setup.details {
            metadata().text("revocation_endpoint", REVOCATION).json()
        } else {
            metadata().without("userinfo_endpoint").json()
        }
    }

    /// One input, and all its effects, as the client's loop does it.
    pub fn step(&mut self, tab: usize, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let now = UnixTime::from_millis(self.wall());
            let Some(page) = self.page(tab) else { return };
            let effects = page.session.step(now, &mut page.chance, input);
            for effect in effects {
                inputs.extend(self.perform(tab, effect));
            }
        }
        self.look_at(tab);
    }

    fn perform(&mut self, tab: usize, effect: Effect) -> Option<Input> {
        let (mono, wall) = (self.mono, self.wall());
        match effect {
            Effect::Lock(ticket, _) if !self.setup.locks => {
                return Some(Input::Locked { ticket, records: self.records(tab) });
            }
            Effect::Lock(ticket, name) => {
                let page = self.page(tab)?.id;
                self.locks.entry(name).or_default().push_back(Waiter { page, ticket, tell: None, told: false });
                self.hand_on();
            }
            Effect::Unlock(ticket) => {
                let page = self.page(tab)?.id;
                self.release(|waiter| waiter.page == page && waiter.ticket == ticket);
            }
            Effect::Send(ticket, request) => self.send(tab, ticket, request),
            Effect::Tell(text) => self.tell(tab, text.expose()),
            Effect::Forget(key) => drop(self.tabs[tab].storage.remove(&key)),
            Effect::Keep(ticket, key, record) => {
                let place = &mut self.tabs[tab];
                if place.page.as_ref()?.storage_fails {
                    return Some(Input::Kept(ticket, Err(StorageFailure::Full)));
                }
                place.storage.insert(key, record.expose().to_owned());
                return Some(Input::Kept(ticket, Ok(())));
            }
            Effect::Verify(ticket, check) => {
                let until = mono + TRAVEL;
                self.page(tab)?.open.push(Open { ticket, what: What::Verify(check), until });
            }
            Effect::WakeAt(time) => self.page(tab)?.alarm = Some(mono + (time.as_millis() - wall).max(0)),
            Effect::Listen(name, _) => self.page(tab)?.channel = Some(name),
            Effect::Bequeath(text) => {
                let page = self.page(tab)?;
                page.will = Some(text.expose().to_owned()).filter(|text| !text.is_empty() && page.channel.is_some());
            }
            Effect::Deafen => {
                let page = self.page(tab)?;
                (page.channel, page.will) = (None, None);
                page.inbox.clear();
            }
            Effect::Grant(request, granted) => {
                let granted = granted.map(|grant| (grant.access_token.expose().to_owned(), grant.generation));
                self.granted(tab, request, granted.ok());
            }
            Effect::Scrub(_) | Effect::Leave(_) | Effect::Return(_) | Effect::Show => {}
            #[cfg(feature = "dpop")]
            Effect::MakeKey(..) | Effect::DropKey(_) => panic!("no key was asked for"),
            Effect::LeaveInPopup { .. } | Effect::Relay { .. } | Effect::Close => panic!("no window was opened"),
        }
        None
    }

    fn send(&mut self, tab: usize, ticket: Ticket, HttpRequest { url, body, .. }: HttpRequest) {
        let form = match &body {
            Some(Body::Form(form)) => form.expose(),
            _ => "",
        };
        let what = match (url.as_str(), numbers(form, "refresh_token=RT-")) {
            (TOKEN_ENDPOINT, Some((session, number))) => {
                self.refresh_token_is_sent(tab, session, number);
                What::Refresh { session, number }
            }
            (TOKEN_ENDPOINT, None) => What::Code,
            (JWKS_URI, _) => What::Keys,
            (USERINFO_ENDPOINT, _) => What::Userinfo,
            (METADATA_URL, _) => What::Metadata,
            (REVOCATION, _) => What::Revocation,
            (other, _) => return self.fail(format!("a request to {other}")),
        };
        let until = self.mono + DEADLINE;
        if let Some(page) = self.page(tab) {
            page.open.push(Open { ticket, what, until });
        }
    }

    /// Says this to all the others on the channel.
    pub fn tell(&mut self, from: usize, text: &str) {
        let by = self.mono + TRAVEL;
        let Some(name) = self.page(from).and_then(|page| page.channel.clone()) else { return };
        for (_, place) in self.tabs.iter_mut().enumerate().filter(|(tab, _)| *tab != from) {
            if let Some(page) = place.page.as_mut().filter(|page| page.channel.as_ref() == Some(&name) && !page.hidden)
            {
                page.inbox.push(Message { text: text.to_owned(), by });
            }
        }
    }

    pub fn hear(&mut self, tab: usize, message: usize) {
        let Some(page) = self.page(tab) else { return };
        let text = page.inbox.remove(message).text;
        if page.channel.is_some() {
            self.step(tab, Input::Heard(ChannelText::new(text)));
        }
    }

    pub fn want(&mut self, tab: usize, refused: bool) {
        let since = self.mono;
        let Some(page) = self.page(tab) else { return };
        let request = TokenRequest(page.requests);
        page.requests += 1;
        page.askers.push(Asker { request, since });
        let refused = page.granted.filter(|_| refused);
        self.step(tab, Input::WantToken { request, refused });
    }

    /// The same for worlds that go on alike.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let into = &mut hasher;
        (self.wall(), &self.budget, &self.families).hash(into);
        for place in &self.tabs {
            (&place.storage, &place.left).hash(into);
            let Some(page) = &place.page else { continue };
            let locks = self.locks.values().flatten().filter(|waiter| waiter.page == page.id);
            let tickets: Vec<Ticket> =
                page.open.iter().map(|open| open.ticket).chain(locks.map(|waiter| waiter.ticket)).collect();
            page.session.fingerprint(&tickets, into);
            page.fingerprint(self.mono, into);
        }
        for queue in self.locks.values() {
            for waiter in queue {
                (waiter.page, waiter.tell.map(|by| by - self.mono), waiter.told).hash(into);
            }
        }
        hasher.finish()
    }

    /// Whether an event is still within its budget and could happen.
    pub fn can(&self, event: Event) -> bool {
        self.choices().contains(&event)
    }
}
