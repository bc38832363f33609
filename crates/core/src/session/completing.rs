//! From a code to a session: tokens and keys side by side, the signature, the claims.

use crate::{
    error::Error,
    id_token::{self, Expected, ExpectedNonce},
    jws::{SignatureVerified, SignedToken},
    secret::IdTokenText,
    token::{Redeemable, TokenResponse, code_request},
    transaction::Transaction,
};

use super::{
    Again, Effect, Session, Turn, Waiting, identity::Identity, proving::Proving, sign_in::Stage, signing::Purpose,
};

/// A sign-in that waits for tokens, keys and the signature.
pub(super) struct Completing {
    key: String,
    exchanged: Option<Exchanged>,
    pub(super) proving: Proving,
}

struct Exchanged {
    tokens: TokenResponse,
    id_token: SignedToken,
    transaction: Transaction,
}

impl Completing {
    /// The search for the key, with the token that it is for, once that is there.
    pub(super) fn parts(&mut self) -> (&mut Proving, Option<&SignedToken>) {
        (&mut self.proving, self.exchanged.as_ref().map(|exchanged| &exchanged.id_token))
    }
}

impl Session {
    pub(super) fn redeem(&mut self, turn: &mut Turn<'_>, redeemable: Redeemable) {
        let key = redeemable.transaction.key(&self.config);
        let jwks_uri = redeemable.transaction.endpoints.jwks.clone();
        let (request, waiting) = code_request(redeemable);
        let ticket = self.ticket(Waiting::Tokens(Box::new(waiting)));
        turn.effects.push(Effect::Send(ticket, request));
        let completing = Completing { key, exchanged: None, proving: Proving::new(jwks_uri) };
        self.stage = Stage::Completing(Box::new(completing));
        // Beside the token request, not after it.
        self.send_keys(turn, Purpose::SignIn, 0);
    }

    pub(super) fn tokens_arrived(
        &mut self,
        turn: &mut Turn<'_>,
        answer: Result<(TokenResponse, IdTokenText, Transaction), Error>,
    ) {
        let algorithms = self.config.algorithms();
        let exchanged = answer.and_then(|(tokens, id_token, transaction)| {
            let id_token = SignedToken::parse(id_token, algorithms)?;
            Ok(Exchanged { tokens, id_token, transaction })
        });
        match (exchanged, &mut self.stage) {
            (Ok(exchanged), Stage::Completing(completing)) => {
                completing.exchanged = Some(exchanged);
                self.begin_proof(turn, Purpose::SignIn);
            }
            (Ok(_), _) => {}
            (Err(error), _) => self.sign_in_failed(turn, error),
        }
    }

    /// The last check, and the only way in.
    pub(super) fn complete(&mut self, turn: &mut Turn<'_>, proof: &SignatureVerified) {
        let Stage::Completing(completing) = &mut self.stage else { return };
        let Some(Exchanged { tokens, id_token, transaction }) = completing.exchanged.take() else { return };
        let expected = Expected {
            issuer: &transaction.issuer,
            client_id: &transaction.client_id,
            trusted_audiences: self.config.trusted_audiences(),
            nonce: ExpectedNonce::Of(&transaction.nonce),
            access_token: &tokens.access_token,
            subject: None,
            max_age: transaction.max_age,
            acr: None,
        };
        match id_token::validate(id_token, proof, &expected, turn.now) {
            Err(error) => self.sign_in_failed(turn, error),
            Ok(verified) => {
                let key = core::mem::take(&mut completing.key);
                turn.effects.push(Effect::Forget(key));
                self.stage = Stage::Idle;
                let return_to = transaction.return_to.clone();
                // Whoever was signed in before is gone before the new one can be seen.
                self.leave_session(turn);
                self.signed_out = None;
                let identity = Identity::new(&verified, tokens, transaction, turn);
                self.enter(turn, identity);
                turn.effects.extend(return_to.map(Effect::Return));
            }
        }
    }

    pub(super) fn sign_in_failed(&mut self, turn: &mut Turn<'_>, error: Error) {
        self.abandon(turn);
        self.fail(turn, error);
    }

    /// Ends what is being completed: its record and its open tickets go.
    pub(super) fn abandon(&mut self, turn: &mut Turn<'_>) {
        turn.effects.extend(self.completing_key().map(Effect::Forget));
        (self.stage, self.closed) = (Stage::Idle, None);
        self.waiting.retain(|(_, waiting)| {
            !matches!(
                waiting,
                Waiting::Tokens(_) | Waiting::Keys(_, _, Purpose::SignIn) | Waiting::Signature(Purpose::SignIn)
            )
        });
        self.again.retain(|(_, again)| !matches!(again, Again::Keys(Purpose::SignIn, _)));
    }

    /// The key of the sign-in that is being completed.
    pub(super) fn completing_key(&self) -> Option<String> {
        match &self.stage {
            Stage::Completing(completing) => Some(completing.key.clone()),
            Stage::Confirming(redeemable) => Some(redeemable.transaction.key(&self.config)),
            _ => None,
        }
    }
}
