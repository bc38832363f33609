//! What a sign-in and a renewal share: their ID token's keys are fetched, its signature is checked.

use crate::{
    error::Error,
    jwks::{self, JwkSet},
    jws::SignatureOutcome,
};

use super::{
    Again, Effect, MAX_RETRIES, Session, Turn, Waiting,
    proving::{Next, Proving},
    renewal::Renewal,
    sign_in::Stage,
};
use crate::jws::SignedToken;

/// What an ID token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A sign-in.
    SignIn,
    /// A renewal that brought an ID token too.
    Renewal,
}

impl Session {
    pub(super) fn send_keys(&mut self, turn: &mut Turn<'_>, purpose: Purpose, tries: u32) {
        let Some((proving, _)) = parts(&mut self.stage, &mut self.renewal, purpose) else { return };
        let (request, waiting) = jwks::request(&proving.jwks_uri);
        let ticket = self.ticket(Waiting::Keys(waiting, tries, purpose));
        turn.effects.push(Effect::Send(ticket, request));
    }

    pub(super) fn keys_arrived(
        &mut self,
        turn: &mut Turn<'_>,
        keys: Result<JwkSet, Error>,
        tries: u32,
        purpose: Purpose,
    ) {
        let Some((proving, _)) = parts(&mut self.stage, &mut self.renewal, purpose) else { return };
        match keys {
            Err(error) if Self::may_pass(&error) && tries < MAX_RETRIES => {
                self.try_again(turn, tries, |tries| Again::Keys(purpose, tries));
            }
            keys => {
                proving.keys_arrived(keys);
                self.begin_proof(turn, purpose);
            }
        }
    }

    /// Begins, once the token and the keys are both there.
    pub(super) fn begin_proof(&mut self, turn: &mut Turn<'_>, purpose: Purpose) {
        let Some((proving, Some(token))) = parts(&mut self.stage, &mut self.renewal, purpose) else { return };
        if let Some(next) = proving.begin(token, &mut self.forced_keys, turn.now) {
            self.go_on(turn, purpose, next);
        }
    }

    pub(super) fn signature_checked(&mut self, turn: &mut Turn<'_>, purpose: Purpose, outcome: SignatureOutcome) {
        match outcome.into_proof() {
            Some(proof) => match purpose {
                Purpose::SignIn => self.complete(turn, &proof),
                Purpose::Renewal => self.renewal_proven(turn, &proof),
            },
            None => {
                let Some((proving, Some(token))) = parts(&mut self.stage, &mut self.renewal, purpose) else { return };
                let next = proving.next(token, &mut self.forced_keys, turn.now);
                self.go_on(turn, purpose, next);
            }
        }
    }

    fn go_on(&mut self, turn: &mut Turn<'_>, purpose: Purpose, next: Result<Next, Error>) {
        match next {
            Ok(Next::Check(check)) => {
                let ticket = self.ticket(Waiting::Signature(purpose));
                turn.effects.push(Effect::Verify(ticket, check));
            }
            Ok(Next::Fetch) => self.send_keys(turn, purpose, MAX_RETRIES),
            Err(error) => match purpose {
                Purpose::SignIn => self.sign_in_failed(turn, error),
                Purpose::Renewal => self.renewal_unproven(turn, error),
            },
        }
    }
}

fn parts<'a>(
    stage: &'a mut Stage,
    renewal: &'a mut Renewal,
    purpose: Purpose,
) -> Option<(&'a mut Proving, Option<&'a SignedToken>)> {
    match (purpose, stage, renewal) {
        (Purpose::SignIn, Stage::Completing(completing), _) => Some(completing.parts()),
        (Purpose::Renewal, _, Renewal::Proving(renewed)) => Some(renewed.parts()),
        _ => None,
    }
}
