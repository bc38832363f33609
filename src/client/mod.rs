//! Where the core meets the browser: intents in, snapshots out.
//!
//! A [`Client`] owns the [`Identities`] of a page. It decides nothing: it hands each event to the
//! machine and performs what comes back (`drive.rs`).

pub mod api;
pub mod config;
mod drive;
mod pasted;
mod popup;
#[cfg(feature = "dpop")]
mod proof;
pub mod set_up;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

pub use polar_signin_core::{
    authorization::{Prompt, SignIn, Way},
    config::POPUP_KEY,
};
use polar_signin_core::{
    callback::{self, Callback},
    config::{Config, KEY_PREFIX},
    error::Error,
    identities::{Event, Identities, Overview, Slot},
    session::{Grant, Records, Ticket, TokenRequest},
};
#[cfg(feature = "dpop")]
use polar_signin_core::{dpop::Nonces, secret::AuthorizationUrl};
use popup::Opened;

use crate::browser::{
    channel::Channel,
    clock::{self, Timer},
    events::Listener,
    locks::Lock,
    navigation,
    storage::{Kind, Store},
};

/// The identities of this page. Clones are the same.
#[derive(Clone)]
pub struct Client(Rc<Inner>);

struct Inner {
    config: Config,
    identities: RefCell<Identities>,
    store: Store,
    listener: Box<dyn Fn(Overview)>,
    /// Somebody was signed in when it was last shown.
    somebody: Cell<bool>,
    events: RefCell<VecDeque<Event>>,
    driving: Cell<bool>,
    /// The page has been left. Requests that are cut off by that have no outcome worth hearing.
    hidden: Cell<bool>,
    alarm: RefCell<Option<Timer>>,
    locks: RefCell<Vec<(Slot, Ticket, Lock)>>,
    channels: RefCell<Vec<(Slot, Channel)>>,
    wanting: RefCell<Vec<(TokenRequest, Waiter)>>,
    requests: Cell<u64>,
    popups: RefCell<Vec<Opened>>,
    listeners: RefCell<Vec<Listener>>,
    /// The nonces that servers want to see next.
    #[cfg(feature = "dpop")]
    nonces: RefCell<Nonces>,
    /// How many keys are being removed.
    #[cfg(feature = "dpop")]
    removals: Cell<usize>,
    /// Where the page goes after that.
    #[cfg(feature = "dpop")]
    leaving: RefCell<Option<(AuthorizationUrl, Timer)>>,
}

/// Who waits for an access token.
type Waiter = Box<dyn FnOnce(Result<Grant, Error>)>;

impl Client {
    /// Opens the sessions of this page: finishes a sign-in that comes back, and finds those that
    /// were kept. The listener hears of every change, and of the first state at once.
    pub fn start(config: Config, listener: impl Fn(Overview) + 'static) -> Self {
        let client = Self(Rc::new(Inner {
            identities: RefCell::new(Identities::new(config.clone())),
            config,
            store: Store::open(),
            listener: Box::new(listener),
            somebody: Cell::new(false),
            events: RefCell::default(),
            driving: Cell::new(false),
            hidden: Cell::new(false),
            alarm: RefCell::default(),
            locks: RefCell::default(),
            channels: RefCell::default(),
            wanting: RefCell::default(),
            requests: Cell::new(0),
            popups: RefCell::default(),
            listeners: RefCell::default(),
            #[cfg(feature = "dpop")]
            nonces: RefCell::default(),
            #[cfg(feature = "dpop")]
            removals: Cell::new(0),
            #[cfg(feature = "dpop")]
            leaving: RefCell::default(),
        }));
        let opening = client.clone();
        if navigation::is_prerendering() {
            // Nobody has come here yet: nothing is redeemed and nothing is begun.
            wasm_bindgen_futures::spawn_local(async move {
                navigation::activated().await;
                opening.open();
            });
        } else {
            opening.open();
        }
        client
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Whose requests are made, unless somebody else's are asked for.
    #[must_use]
    pub fn active(&self) -> Slot {
        self.0.identities.borrow().active()
    }

    /// Gives an access token of this identity that can be used now, renewed first if that is due.
    /// `refused` is the generation of one that an API has answered with 401: then there will be another,
    /// or an error.
    pub fn access_token(&self, slot: Slot, refused: Option<u64>, then: impl FnOnce(Result<Grant, Error>) + 'static) {
        let request = TokenRequest(self.0.requests.get());
        self.0.requests.set(request.0 + 1);
        self.0.wanting.borrow_mut().push((request, Box::new(then)));
        self.drive(Event::WantToken { slot, request, refused });
    }

    /// Leaves for the provider: for the active identity, or for the one that failed.
    pub fn sign_in(&self, request: SignIn) {
        self.begin(request, Way::Page, false);
    }

    /// Leaves for the provider, for one identity more.
    pub fn add(&self, request: SignIn) {
        self.begin(request, Way::Page, true);
    }

    fn begin(&self, request: SignIn, way: Way, add: bool) {
        let request = Box::new(SignIn { way, ..request });
        self.drive(Event::SignIn { request, records: self.records(), add });
    }

    /// From now on this identity is the active one.
    pub fn switch(&self, slot: Slot) {
        self.drive(Event::Switch(slot));
    }

    /// Ends an identity here: what was kept of it is removed before anything else happens.
    pub fn sign_out(&self, slot: Slot) {
        self.drive(Event::SignOut { slot, records: self.records() });
    }

    /// A sign-in is likely: what it needs is fetched beforehand.
    pub fn prepare(&self) {
        self.drive(Event::Prepare);
    }

    /// Stays here after all.
    pub fn cancel(&self) {
        self.drive(Event::Cancel);
    }

    /// The error has been read.
    pub fn dismiss_error(&self) {
        self.drive(Event::DismissError);
    }

    /// Fetches userinfo and organizations of the active identity again, where they are missing.
    pub fn retry_details(&self) {
        self.drive(Event::RetryDetails);
    }

    fn open(&self) {
        let url = navigation::opened_at();
        // The shell cleans every address that looks like a response. One that is none gets it back.
        let is_response = !matches!(callback::parse(&url, self.0.config.redirect_uri()), Callback::None);
        if !is_response && url != navigation::page_url() {
            navigation::replace_url(&url);
        }
        self.drive(Event::Opened {
            url,
            records: self.records(),
            framed: navigation::is_framed(),
            memory_only: self.0.store.kind() == Kind::Memory,
        });
        self.listen();
    }

    /// A page that comes back from a pause, or out of the browser's memory, looks again.
    fn listen(&self) {
        let resume = |from_memory| {
            let client = Rc::downgrade(&self.0);
            move || {
                if let Some(inner) = client.upgrade() {
                    let client = Self(inner);
                    client.0.hidden.set(false);
                    client.drive(Event::Resumed { records: client.records(), from_memory });
                }
            }
        };
        let (shown, visible) = (resume(true), clock::on_visible(resume(false)));
        let shown = navigation::on_page_show(move |from_memory| {
            if from_memory {
                shown();
            }
        });
        let left = Rc::downgrade(&self.0);
        let hidden = navigation::on_page_hide(move || {
            if let Some(inner) = left.upgrade() {
                if !inner.popups.borrow().is_empty() {
                    // Nobody will be here to hear what they bring.
                    Self(inner.clone()).drive(Event::Cancel);
                }
                inner.hidden.set(true);
                inner.channels.borrow().iter().for_each(|(_, channel)| channel.leave_will());
            }
        });
        let online = clock::on_online(resume(false));
        self.0.listeners.borrow_mut().extend(shown.into_iter().chain(visible).chain(hidden).chain(online));
    }

    fn records(&self) -> Records {
        if self.0.store.get(POPUP_KEY).is_some() {
            // What was copied from the opener is somebody else's: it can be removed without being read.
            let keys = self.0.store.keys(KEY_PREFIX).into_iter();
            return Records::new(keys.map(|key| (key, String::new())).collect());
        }
        Records::new(self.0.store.entries(KEY_PREFIX))
    }
}
