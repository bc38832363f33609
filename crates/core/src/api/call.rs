//! One request, from wanting a token to the answer.
//!
//! A 401 renews the token once and asks once more; a second one is the endpoint's last word, and no
//! reason to sign anybody out. A 429 is waited out a few times. Nothing else is tried again.

use crate::{
    error::{Code, Error},
    http::{HttpOutcome, HttpRequest},
    secret::AccessToken,
    session::Grant,
    time::UnixTime,
};

use super::Answer;

/// How often a 429 is waited out.
const PAUSES: u32 = 4;
/// The first pause, in milliseconds, where the server does not say how long; doubled each time.
const FIRST_PAUSE: i64 = 2_000;

/// A request under way. Dropping it cancels it: nobody waits for its answer any more.
pub struct Call {
    url: String,
    token: Token,
    /// A token was refused before this one.
    refused: bool,
    pauses: u32,
}

/// Whose token it is.
enum Token {
    /// The session's; the number names the one that was used last.
    Session(Option<u64>),
    /// One that somebody pasted: it is what it is, and cannot be renewed.
    Given(AccessToken),
}

/// What is to be done next.
#[derive(Debug)]
pub enum Next {
    /// Get an access token of the session: [`Call::granted`]. The number names one that was refused.
    Token(Option<u64>),
    /// Send this, once: [`Call::answered`].
    Send(HttpRequest),
    /// The server asks for a pause of so many milliseconds: then [`Call::rested`].
    Pause(i64),
    /// That was it.
    Done(Result<Answer, Error>),
}

impl Call {
    /// A GET of this address with the session's token.
    #[must_use]
    pub fn new(url: String) -> (Self, Next) {
        (Self { url, token: Token::Session(None), refused: false, pauses: 0 }, Next::Token(None))
    }

    /// A GET of this address with a token that somebody has pasted.
    #[must_use]
    pub fn with_token(url: String, token: AccessToken) -> (Self, Next) {
        let call = Self { url, token: Token::Given(token), refused: false, pauses: 0 };
        let next = call.again();
        (call, next)
    }

    /// The token, or why there is none.
    pub fn granted(&mut self, granted: Result<Grant, Error>) -> Next {
        match granted {
            Ok(grant) => {
                self.token = Token::Session(Some(grant.generation));
                Next::Send(HttpRequest::get_with(&self.url, &grant.access_token).proven_by(grant.key.as_ref()))
            }
            Err(error) => Next::Done(Err(error)),
        }
    }

    /// The answer.
    pub fn answered(&mut self, outcome: HttpOutcome, now: UnixTime) -> Next {
        let wait = outcome.wait(now);
        let error = match Answer::read(outcome) {
            Ok(answer) => return Next::Done(Ok(answer)),
            Err(error) => error,
        };
        match (error.code(), &self.token) {
            (Code::ApiUnauthorized, Token::Session(used)) if !self.refused => {
                self.refused = true;
                Next::Token(*used)
            }
            (Code::RateLimited, _) if self.pauses < PAUSES => {
                let pause = wait.unwrap_or(FIRST_PAUSE << self.pauses);
                self.pauses += 1;
                Next::Pause(pause)
            }
            _ => Next::Done(Err(error)),
        }
    }

    /// The pause is over.
    pub fn rested(&mut self) -> Next {
        self.again()
    }

    fn again(&self) -> Next {
        match &self.token {
            Token::Session(_) => Next::Token(None),
            Token::Given(token) => Next::Send(HttpRequest::get_with(&self.url, token)),
        }
    }
}
