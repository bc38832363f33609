//! Where the core meets the browser: intents in, snapshots out.
//!
//! A [`Client`] owns the one [`Session`] of a page. It decides nothing: it hands each input to
//! the machine and performs what comes back (`drive.rs`).

pub mod api;
pub mod config;
mod drive;
pub mod set_up;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

pub use polar_signin_core::authorization::{Prompt, SignIn};
use polar_signin_core::{
    callback::{self, Callback},
    config::{Config, KEY_PREFIX},
    error::Error,
    session::{Grant, Input, Records, Session, Ticket, TokenRequest},
    snapshot::Snapshot,
};

use crate::browser::{
    channel::Channel,
    clock::{self, Timer},
    events::Listener,
    locks::Lock,
    navigation,
    storage::{Kind, Store},
};

/// The session of this page. Clones are the same session.
#[derive(Clone)]
pub struct Client(Rc<Inner>);

struct Inner {
    config: Config,
    session: RefCell<Session>,
    store: Store,
    listener: Box<dyn Fn(&Snapshot)>,
    inputs: RefCell<VecDeque<Input>>,
    driving: Cell<bool>,
    /// The page has been left. Requests that are cut off by that have no outcome worth hearing.
    hidden: Cell<bool>,
    alarm: RefCell<Option<Timer>>,
    locks: RefCell<Vec<(Ticket, Lock)>>,
    channel: RefCell<Option<Channel>>,
    wanting: RefCell<Vec<(TokenRequest, Waiter)>>,
    requests: Cell<u64>,
    listeners: RefCell<Vec<Listener>>,
}

/// Who waits for an access token.
type Waiter = Box<dyn FnOnce(Result<Grant, Error>)>;

impl Client {
    /// Opens the session of this page: finishes a sign-in that comes back, or finds the one that
    /// was kept. The listener hears of every change, and of the first state at once.
    pub fn start(config: Config, listener: impl Fn(&Snapshot) + 'static) -> Self {
        let client = Self(Rc::new(Inner {
            session: RefCell::new(Session::new(config.clone())),
            config,
            store: Store::open(),
            listener: Box::new(listener),
            inputs: RefCell::default(),
            driving: Cell::new(false),
            hidden: Cell::new(false),
            alarm: RefCell::default(),
            locks: RefCell::default(),
            channel: RefCell::default(),
            wanting: RefCell::default(),
            requests: Cell::new(0),
            listeners: RefCell::default(),
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

    /// Gives an access token that can be used now, renewed first if that is due. `refused` is the
    /// generation of one that an API has answered with 401: then there will be another, or an error.
    pub fn access_token(&self, refused: Option<u64>, then: impl FnOnce(Result<Grant, Error>) + 'static) {
        let request = TokenRequest(self.0.requests.get());
        self.0.requests.set(request.0 + 1);
        self.0.wanting.borrow_mut().push((request, Box::new(then)));
        self.drive(Input::WantToken { request, refused });
    }

    /// Leaves for the provider.
    pub fn sign_in(&self, request: SignIn) {
        self.drive(Input::SignIn { request: Box::new(request), records: self.records() });
    }

    /// Ends the session here: what was kept is removed before anything else happens.
    pub fn sign_out(&self) {
        self.drive(Input::SignOut { records: self.records() });
    }

    /// A sign-in is likely: what it needs is fetched beforehand.
    pub fn prepare(&self) {
        self.drive(Input::Prepare);
    }

    /// Stays here after all.
    pub fn cancel(&self) {
        self.drive(Input::Cancel);
    }

    /// The error has been read.
    pub fn dismiss_error(&self) {
        self.drive(Input::DismissError);
    }

    /// Fetches userinfo and organizations again, where they are missing.
    pub fn retry_details(&self) {
        self.drive(Input::RetryDetails);
    }

    fn open(&self) {
        let url = navigation::opened_at();
        // The shell cleans every address that looks like a response. One that is none gets it back.
        let is_response = !matches!(callback::parse(&url, self.0.config.redirect_uri()), Callback::None);
        if !is_response && url != navigation::page_url() {
            navigation::replace_url(&url);
        }
        self.drive(Input::Opened {
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
                    client.drive(Input::Resumed { records: client.records(), from_memory });
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
                inner.hidden.set(true);
                Self(inner).with_channel(Channel::leave_will);
            }
        });
        let online = clock::on_online(resume(false));
        self.0.listeners.borrow_mut().extend(shown.into_iter().chain(visible).chain(hidden).chain(online));
    }

    fn records(&self) -> Records {
        Records::new(self.0.store.entries(KEY_PREFIX))
    }
}
