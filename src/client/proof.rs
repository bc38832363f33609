//! Requests with a proof that their sender has a key: all of them go through here.

use polar_signin_core::{
    dpop::{self, Exchange, PublicKey, Unsigned},
    error::{Code, Error, Phase},
    http::{Failure, HttpOutcome, HttpRequest, KeyName},
    identities::{Event, Slot},
    secret::{AuthorizationUrl, DpopProof},
    session::{Input, Ticket},
    time::UnixTime,
};
use wasm_bindgen_futures::spawn_local;

use super::{
    Client,
    drive::{BrowserEntropy, send_until},
};
use crate::browser::{
    clock::{self, Timer},
    http::Abort,
    keys::{self, Missing, SigningKey},
    navigation,
};

/// How long the removal of a key may hold up the way to the provider's sign-out.
const REMOVAL_WAIT_MS: i64 = 1_000;

impl Client {
    /// Sends a request that has to be proven, and once more if the server demands a nonce.
    pub(super) async fn exchange(&self, name: &KeyName, request: HttpRequest, abort: &Abort) -> HttpOutcome {
        let mut exchange = Exchange::new(request);
        loop {
            let proof = match find(name).await {
                Err(failure) => return HttpOutcome::NotSent(failure),
                Ok((key, public)) => {
                    let unsigned = exchange.prove(&public, &self.0.nonces.borrow(), now(), &mut BrowserEntropy);
                    sign(&key, unsigned).await
                }
            };
            let Some(proof) = proof else { return HttpOutcome::NotSent(Failure::Network) };
            let outcome = send_until(exchange.request(), Some(&proof), abort).await;
            if let Some(outcome) = exchange.answered(outcome, &mut self.0.nonces.borrow_mut()) {
                return outcome;
            }
        }
    }

    /// A proof for a request that somebody else sends, with the access token that it carries.
    ///
    /// # Errors
    /// `KeyLost`, which has ended the session of the identity; `Internal` if the browser does not sign.
    pub async fn prove(
        &self,
        slot: Slot,
        name: &KeyName,
        method: &str,
        url: &str,
        token: &str,
    ) -> Result<DpopProof, Error> {
        let internal = || Error::new(Code::Internal, Phase::Api);
        match find(name).await {
            Err(Failure::KeyLost) => {
                self.drive(Event::Of(slot, Input::KeyLost));
                Err(Error::new(Code::KeyLost, Phase::Session))
            }
            Err(_) => Err(internal()),
            Ok((key, public)) => {
                let entropy = &mut BrowserEntropy;
                let unsigned = dpop::proof(&public, method, url, Some(token), &self.0.nonces.borrow(), now(), entropy);
                sign(&key, unsigned).await.ok_or_else(internal)
            }
        }
    }

    /// What a server answered with, to whomever.
    pub fn learn_nonce(&self, url: &str, nonce: &str) {
        self.0.nonces.borrow_mut().learn(url, Some(nonce));
    }

    pub(super) fn make_key(&self, slot: Slot, ticket: Ticket, name: KeyName) {
        let client = self.clone();
        spawn_local(async move {
            let point = keys::make(name.as_str()).await;
            let key = point.as_deref().and_then(PublicKey::from_point);
            client.drive(Event::Of(slot, Input::KeyMade(ticket, key)));
        });
    }

    pub(super) fn drop_key(&self, name: KeyName) {
        let client = self.clone();
        self.0.removals.set(self.0.removals.get() + 1);
        spawn_local(async move {
            keys::remove(name.as_str()).await;
            client.0.removals.set(client.0.removals.get() - 1);
            if client.0.removals.get() == 0 {
                client.leave_now();
            }
        });
    }

    /// Leaves, once the keys are removed that were to be: what is left unfinished with a page is not done.
    pub(super) fn leave(&self, url: AuthorizationUrl) {
        let client = self.clone();
        let timer = Timer::after(REMOVAL_WAIT_MS, move || client.leave_now());
        *self.0.leaving.borrow_mut() = Some((url, timer));
        if self.0.removals.get() == 0 {
            self.leave_now();
        }
    }

    fn leave_now(&self) {
        let leaving = self.0.leaving.borrow_mut().take();
        if let Some((url, _)) = leaving {
            navigation::leave(url.expose());
        }
    }
}

async fn find(name: &KeyName) -> Result<(SigningKey, PublicKey), Failure> {
    let key = keys::find(name.as_str()).await.map_err(|missing| match missing {
        Missing::Gone => Failure::KeyLost,
        Missing::Unknown => Failure::Network,
    })?;
    let public = PublicKey::from_point(key.point()).ok_or(Failure::KeyLost)?;
    Ok((key, public))
}

async fn sign(key: &SigningKey, unsigned: Result<Unsigned, Error>) -> Option<DpopProof> {
    let unsigned = unsigned.ok()?;
    let signature = key.sign(unsigned.signing_input().as_bytes()).await?;
    unsigned.signed(&signature)
}

fn now() -> UnixTime {
    UnixTime::from_millis(clock::now_ms())
}
