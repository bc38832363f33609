//! Requests to the provider's API: the core says what is next, the browser does it.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use polar_signin_core::{
    api::{Answer, Call, Next},
    error::Error,
    identities::Slot,
    secret::AccessToken,
    time::UnixTime,
};
use wasm_bindgen_futures::spawn_local;

use super::{Client, drive};
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

impl Client {
    /// A GET of this address, with the access token of the identity that is active now, or with one that
    /// was pasted.
    pub fn fetch(&self, url: String, token: Option<AccessToken>, hear: impl Fn(Heard) + 'static) -> Fetching {
        let (call, next) = match token {
            None => Call::new(url),
            Some(token) => Call::with_token(url, token),
        };
        let inner = Rc::new(Inner {
            client: self.clone(),
            slot: self.active(),
            call: RefCell::new(call),
            hear: Box::new(hear),
            abort: Abort::new(),
            pause: Cell::default(),
        });
        inner.go(next);
        Fetching(inner)
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.0.abort.abort();
        self.0.pause.take();
    }
}

impl Inner {
    fn go(self: &Rc<Self>, next: Next) {
        let here = Rc::downgrade(self);
        match next {
            Next::Token(refused) => {
                self.client.access_token(self.slot, refused, move |granted| take(&here, |call| call.granted(granted)));
            }
            Next::Send(request) => {
                let inner = self.clone();
                spawn_local(async move {
                    let outcome = drive::send_until(request, &inner.abort).await;
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
