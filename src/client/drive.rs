//! The loop: one event, one step, every effect, and only then the next event.
//!
//! The only caller of `step`. Nothing is decided here, only carried out and translated between
//! the core's values and the browser's.

use polar_signin_core::{
    http::{Body, Dpop, Failure, HttpOutcome, HttpRequest, HttpResponse},
    identities::{Event, Slot},
    jwks::PublicKey,
    jws::{Algorithm, SignatureCheck},
    pkce::{Entropy, NoEntropy},
    secret::{ChannelText, DpopProof},
    session::{Effect, Input, StorageFailure},
    time::UnixTime,
};
use std::{
    rc::Rc,
    task::{Context, Waker},
};

use wasm_bindgen_futures::spawn_local;

use super::Client;
use crate::browser::{
    channel::Channel,
    clock::{self, Timer},
    crypto::{self, Verdict},
    http::{self, Abort, Limits, Method, Outcome, Request},
    locks::Lock,
    navigation, popup,
    storage::StoreError,
};

/// How long a page may take to be left once its requests have been cut off.
const BEING_LEFT_MS: i64 = 700;

impl Client {
    /// Takes an event. While effects are being performed it waits its turn.
    pub(super) fn drive(&self, event: Event) {
        self.0.events.borrow_mut().push_back(event);
        if self.0.driving.replace(true) {
            return;
        }
        while let Some(event) = self.next_event() {
            let now = UnixTime::from_millis(clock::now_ms());
            let effects = self.0.identities.borrow_mut().step(now, &mut BrowserEntropy, event);
            for (slot, effect) in effects {
                self.perform(slot, effect);
            }
        }
        self.close_popups();
        self.0.driving.set(false);
    }

    fn with_channel(&self, slot: Slot, act: impl FnOnce(&Channel)) {
        if let Some((_, channel)) = self.0.channels.borrow().iter().find(|(of, _)| *of == slot) {
            act(channel);
        }
    }

    fn next_event(&self) -> Option<Event> {
        self.0.events.borrow_mut().pop_front()
    }

    fn perform(&self, slot: Slot, effect: Effect) {
        match effect {
            Effect::Scrub(url) => {
                navigation::replace_url(&url);
            }
            Effect::Keep(ticket, key, record) => {
                let kept = self.0.store.set(&key, record.expose()).map_err(|error| match error {
                    StoreError::Full => StorageFailure::Full,
                    StoreError::Blocked => StorageFailure::Blocked,
                });
                self.0.events.borrow_mut().push_back(Event::Of(slot, Input::Kept(ticket, kept)));
            }
            Effect::Forget(key) => self.0.store.remove(&key),
            Effect::Send(ticket, request) => {
                let client = self.clone();
                begin(async move {
                    let outcome = client.send(request, &Abort::new()).await;
                    // Firefox cuts requests off when a page is about to be left, and hides it only then.
                    if let HttpOutcome::NotSent(Failure::Network) | HttpOutcome::Unknown(Failure::Network) = outcome {
                        clock::pause(BEING_LEFT_MS).await;
                    }
                    if !client.0.hidden.get() {
                        client.drive(Event::Of(slot, Input::Answered(ticket, outcome)));
                    }
                });
            }
            Effect::Verify(ticket, check) => {
                let client = self.clone();
                spawn_local(async move {
                    let good = verify(&check).await;
                    client.drive(Event::Of(slot, Input::Verified(ticket, check.outcome(good))));
                });
            }
            #[cfg(feature = "dpop")]
            Effect::MakeKey(ticket, name) => self.make_key(slot, ticket, name),
            #[cfg(feature = "dpop")]
            Effect::DropKey(name) => self.drop_key(name),
            #[cfg(feature = "dpop")]
            Effect::Leave(url) => self.leave(url),
            #[cfg(not(feature = "dpop"))]
            Effect::Leave(url) => {
                navigation::leave(url.expose());
            }
            Effect::LeaveInPopup { popup, url, channel } => self.leave_in_popup(slot, popup, &url, &channel),
            Effect::Relay { query, channel } => popup::relay(query.expose(), &channel),
            Effect::Close => popup::close_own(),
            Effect::Return(path) => {
                navigation::replace(&path);
            }
            Effect::Lock(ticket, name) => {
                let client = self.clone();
                let lock = Lock::request(&name, move || {
                    client.drive(Event::Of(slot, Input::Locked { ticket, records: client.records() }));
                });
                self.0.locks.borrow_mut().push((slot, ticket, lock));
            }
            Effect::Unlock(ticket) => self.0.locks.borrow_mut().retain(|(of, held, _)| (*of, *held) != (slot, ticket)),
            Effect::Listen(name, key) => {
                let client = Rc::downgrade(&self.0);
                let channel = Channel::open(&name, key.expose(), move |text| {
                    if let Some(inner) = client.upgrade() {
                        Self(inner).drive(Event::Of(slot, Input::Heard(ChannelText::new(text))));
                    }
                });
                let mut channels = self.0.channels.borrow_mut();
                channels.retain(|(of, _)| *of != slot);
                channels.extend(channel.map(|channel| (slot, channel)));
            }
            Effect::Tell(text) => self.with_channel(slot, |channel| channel.tell(text.expose().to_owned())),
            Effect::Bequeath(text) => self.with_channel(slot, |channel| channel.bequeath(text.expose().to_owned())),
            Effect::Deafen => {
                self.0.channels.borrow_mut().retain(|(of, _)| *of != slot);
            }
            Effect::Grant(request, granted) => {
                let mut waiting = self.0.wanting.borrow_mut();
                let waits = waiting.iter().position(|(number, _)| *number == request);
                let waits = waits.map(|index| waiting.swap_remove(index).1);
                drop(waiting);
                if let Some(waits) = waits {
                    waits(granted);
                }
            }
            Effect::WakeAt(time) => {
                let client = self.clone();
                let alarm = Timer::at(time.as_millis(), move || client.drive(Event::Woke));
                *self.0.alarm.borrow_mut() = Some(alarm);
            }
            Effect::Show => {
                let overview = self.0.identities.borrow().overview();
                let somebody = !overview.identities.is_empty();
                if self.0.somebody.replace(somebody) && !somebody {
                    self.keep_pasted_token(None);
                }
                (self.0.listener)(overview);
            }
        }
    }
}

/// Runs a future up to where it waits, at once, and the rest when it can go on. Left to itself it would begin only after
/// everything that is drawn in the meantime.
fn begin(future: impl Future<Output = ()> + 'static) {
    let mut future = Box::pin(future);
    if future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
        // It is asked again before anything that it waits for can have come.
        spawn_local(future);
    }
}

/// `crypto.getRandomValues`.
pub(super) struct BrowserEntropy;

impl Entropy for BrowserEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        crypto::fill_random(bytes).map_err(|_| NoEntropy)
    }
}

impl Client {
    /// Sends a request of the core's, once, until somebody gives it up.
    pub(super) async fn send(&self, request: HttpRequest, abort: &Abort) -> HttpOutcome {
        #[cfg(feature = "dpop")]
        if let Some(key) = request.key.clone() {
            return self.exchange(&key, request, abort).await;
        }
        send_until(&request, None, abort).await
    }
}

/// The same for one that is of no session.
pub(super) async fn send(request: HttpRequest) -> HttpOutcome {
    send_until(&request, None, &Abort::new()).await
}

/// The same, with the proof that it needs, if it needs one.
pub(super) async fn send_until(request: &HttpRequest, proof: Option<&DpopProof>, abort: &Abort) -> HttpOutcome {
    let HttpRequest { url, bearer, body, key: _ } = request;
    let (method, content_type, body) = match body {
        None => (Method::Get, None, None),
        Some(Body::Form(body)) => (Method::Post, Some("application/x-www-form-urlencoded"), Some(body)),
        Some(Body::Json(body)) => (Method::Post, Some("application/json"), Some(body)),
    };
    let request = Request {
        method,
        url: url.clone(),
        accept: "application/json",
        content_type,
        authorization: bearer.as_ref().map(|token| {
            let scheme = if proof.is_some() { "DPoP " } else { "Bearer " };
            [scheme, token.expose()].concat()
        }),
        dpop: proof.map(|proof| proof.expose().to_owned()),
        body: body.map(|body| body.expose().to_owned()),
    };
    let failure = |failure| match failure {
        http::Failure::Timeout => Failure::Timeout,
        http::Failure::TooLarge => Failure::TooLarge,
        _ => Failure::Network,
    };
    match http::send(request, Limits::default(), abort).await {
        Outcome::Answered(response) => HttpOutcome::Answered(HttpResponse {
            status: response.status,
            content_type: response.content_type,
            retry_after: response.retry_after,
            dpop: Dpop { nonce: response.dpop_nonce, challenge: response.www_authenticate },
            body: response.body,
        }),
        Outcome::NotSent(why) => HttpOutcome::NotSent(failure(why)),
        Outcome::Unknown(why) => HttpOutcome::Unknown(failure(why)),
    }
}

/// Whether `WebCrypto` says yes. A key that it cannot use says no.
async fn verify(check: &SignatureCheck) -> bool {
    let algorithm = match check.algorithm {
        Algorithm::Rs256 => crypto::Algorithm::Rs256,
        Algorithm::Ps256 => crypto::Algorithm::Ps256,
        Algorithm::Es256 => crypto::Algorithm::Es256,
        #[cfg(feature = "eddsa")]
        Algorithm::EdDsa => crypto::Algorithm::EdDsa,
    };
    let key = match &check.key {
        PublicKey::Rsa { n, e } => crypto::Key::Rsa { n: n.clone(), e: e.clone() },
        PublicKey::P256 { x, y } => crypto::Key::EcP256 { x: x.clone(), y: y.clone() },
        #[cfg(feature = "eddsa")]
        PublicKey::Ed25519 { x } => crypto::Key::Ed25519 { x: x.clone() },
    };
    let verdict = crypto::verify(algorithm, &key, check.signing_input.as_bytes(), &check.signature).await;
    verdict == Verdict::Good
}
