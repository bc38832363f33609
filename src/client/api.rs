//! Requests to the provider's API: the core says what is next, the browser does it.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use polar_signin_core::{
    api::{Answer, Call, Listing, Next},
    error::Error,
    identities::Slot,
    json::Value,
    secret::AccessToken,
    time::UnixTime,
};
#[cfg(feature = "dpop")]
use polar_signin_core::{
    http::{Failure, HttpOutcome},
    identities::Event,
    session::Input,
};
use wasm_bindgen_futures::spawn_local;

use super::Client;
use crate::browser::{
    clock::{self, Timer},
    http::Abort,
};

/// What there is to tell of a request.
pub enum Heard {
    /// The server asked for a pause: it goes on at this time.
    Pausing(UnixTime),
    /// It is over.
    Done(Result<Answer, Error>),
}

/// A request under way. Dropping it cancels it.
#[must_use = "dropping it cancels the request"]
pub struct Fetching(Rc<Inner>);

struct Inner {
    client: Client,
    slot: Slot,
    call: RefCell<Call>,
    hear: Box<dyn Fn(Heard)>,
    abort: Abort,
    pause: Cell<Option<Timer>>,
}

/// What there is to tell of a list that is fetched page by page.
pub enum Paged<'a> {
    /// The server asked for a pause: it goes on at this time.
    Pausing(UnixTime),
    /// A further page: its items, and the list after it. The last one has nothing next.
    Page(&'a [Value<'a>], &'a Listing),
    /// It got no further. The list as it was heard of last can be fetched on from there.
    Failed(Error),
}

/// A list under way. Dropping it cancels what is left.
#[must_use = "dropping it cancels what is left"]
pub struct Paging(#[expect(dead_code, reason = "it is held, not read")] Rc<Pages>);

struct Pages {
    client: Client,
    /// Whose list it is, whoever is active later.
    slot: Slot,
    token: Option<AccessToken>,
    list: RefCell<Listing>,
    hear: Box<dyn Fn(Paged<'_>)>,
    page: RefCell<Option<Fetching>>,
}

impl Client {
    /// All pages that are left of this list, each as it comes, with a token as for [`Client::fetch`].
    pub fn fetch_pages(&self, list: Listing, token: Option<AccessToken>, hear: impl Fn(Paged<'_>) + 'static) -> Paging {
        let (list, page) = (RefCell::new(list), RefCell::default());
        let (client, hear) = (self.clone(), Box::new(hear));
        let pages = Rc::new(Pages { client, slot: self.active(), token, list, hear, page });
        pages.fetch();
        Paging(pages)
    }

    /// A GET of this address, with the access token of the identity that is active now, or with one that
    /// was pasted.
    pub fn fetch(&self, url: String, token: Option<AccessToken>, hear: impl Fn(Heard) + 'static) -> Fetching {
        self.fetch_for(self.active(), url, token, Box::new(hear))
    }

    fn fetch_for(&self, slot: Slot, url: String, token: Option<AccessToken>, hear: Box<dyn Fn(Heard)>) -> Fetching {
        let (call, next) = match token {
            None => Call::new(url),
            Some(token) => Call::with_token(url, token),
        };
        let inner = Rc::new(Inner {
            client: self.clone(),
            slot,
            call: RefCell::new(call),
            hear,
            abort: Abort::new(),
            pause: Cell::default(),
        });
        inner.go(next);
        Fetching(inner)
    }
}

impl Pages {
    fn fetch(self: &Rc<Self>) {
        let Some(url) = self.list.borrow().next() else { return };
        let here = Rc::downgrade(self);
        let hear = move |heard| {
            let Some(pages) = here.upgrade() else { return };
            match heard {
                Heard::Pausing(until) => (pages.hear)(Paged::Pausing(until)),
                Heard::Done(Ok(answer)) => pages.take(&answer),
                Heard::Done(Err(error)) => (pages.hear)(Paged::Failed(error)),
            }
        };
        let fetching = self.client.fetch_for(self.slot, url, self.token.clone(), Box::new(hear));
        self.page.replace(Some(fetching));
    }

    fn take(self: Rc<Self>, answer: &Answer) {
        let mut list = self.list.borrow().clone();
        match list.take(answer) {
            Ok(items) => {
                self.list.replace(list.clone());
                (self.hear)(Paged::Page(&items, &list));
            }
            Err(error) => return (self.hear)(Paged::Failed(error)),
        }
        // Whoever heard it may have had enough: then it is gone now.
        let here = Rc::downgrade(&self);
        drop(self);
        if let Some(pages) = here.upgrade() {
            pages.fetch();
        }
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.0.abort.abort();
        self.0.pause.take();
    }
}

impl Inner {
    /// A key that is gone is gone for the whole session, which learns of it here.
    #[cfg(feature = "dpop")]
    fn mind_the_key(&self, outcome: &HttpOutcome) {
        if matches!(outcome, HttpOutcome::NotSent(Failure::KeyLost)) {
            self.client.drive(Event::Of(self.slot, Input::KeyLost));
        }
    }

    fn go(self: &Rc<Self>, next: Next) {
        let here = Rc::downgrade(self);
        match next {
            Next::Token(refused) => {
                self.client.access_token(self.slot, refused, move |granted| take(&here, |call| call.granted(granted)));
            }
            Next::Send(request) => {
                let inner = self.clone();
                spawn_local(async move {
                    let outcome = inner.client.send(request, &inner.abort).await;
                    #[cfg(feature = "dpop")]
                    inner.mind_the_key(&outcome);
                    // Whoever was waiting may be gone.
                    drop(inner);
                    let now = UnixTime::from_millis(clock::now_ms());
                    take(&here, |call| call.answered(outcome, now));
                });
            }
            Next::Pause(millis) => {
                (self.hear)(Heard::Pausing(UnixTime::from_millis(clock::now_ms() + millis)));
                self.pause.set(Some(Timer::after(millis, move || take(&here, Call::rested))));
            }
            Next::Done(outcome) => (self.hear)(Heard::Done(outcome)),
        }
    }
}

fn take(inner: &Weak<Inner>, step: impl FnOnce(&mut Call) -> Next) {
    if let Some(inner) = inner.upgrade() {
        let next = step(&mut inner.call.borrow_mut());
        inner.go(next);
    }
}
