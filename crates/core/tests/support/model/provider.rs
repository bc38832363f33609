//! A provider as Polar: each refresh token works once, the old one is dead at once, and a dead one
//! is refused without touching the rest.

use polar_signin_core::http::{Failure, HttpOutcome};

use super::{
    super::{
        fixture::{NOW, good_tokens, json},
        token::{Members, claims, with_claims},
    },
    event::Reply,
};

/// One sign-in, as the provider and the world see it.
#[derive(Debug, Default, Hash)]
pub struct Family {
    /// The number of the refresh token that works.
    pub current: u32,
    /// The highest one that has reached a page: those below are known to be used up.
    pub known: u32,
    /// Requests under way: the page, and the number of the refresh token.
    pub open: Vec<(u32, u32)>,
    /// Somebody has signed out.
    pub signed_out: bool,
    /// Somebody could not hear that: a copy that was not open yet.
    pub was_missed: bool,
    /// What has happened that nobody can make good: the session may end.
    pub excused: Option<&'static str>,
}

/// The lifetime of an access token, in milliseconds.
pub const LIFETIME: i64 = 3_600_000;

/// `RT-3-2`: the third refresh token of the fourth session.
pub fn numbers(text: &str, prefix: &str) -> Option<(usize, u32)> {
    let at = text.find(prefix)? + prefix.len();
    let (session, rest) = text[at..].split_once('-')?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    Some((session.parse().ok()?, rest[..digits].parse().ok()?))
}

pub fn tokens(session: usize, number: u32) -> Members {
    good_tokens()
        .without("id_token")
        .text("access_token", &format!("AT-{session}-{number}"))
        .text("refresh_token", &format!("RT-{session}-{number}"))
}

impl Family {
    /// Uses a refresh token; what the provider says.
    pub fn serve(&mut self, session: usize, number: u32, id_token: Option<&str>) -> HttpOutcome {
        if number != self.current {
            return json(400, r#"{"error":"invalid_grant"}"#);
        }
        self.current += 1;
        let tokens = tokens(session, self.current);
        json(200, id_token.map_or_else(|| tokens.clone(), |text| tokens.clone().text("id_token", text)).json())
    }

    /// What a page is told, in place of the truth.
    pub fn reply(&mut self, session: usize, number: u32, id_token: Option<&str>, reply: Reply) -> HttpOutcome {
        match reply {
            Reply::Good => self.serve(session, number, id_token),
            Reply::Lost => {
                let _ = self.serve(session, number, id_token);
                HttpOutcome::Unknown(Failure::Network)
            }
            Reply::NotServed => HttpOutcome::Unknown(Failure::Network),
            Reply::Busy => json(503, "{}"),
            Reply::Never => json(401, r#"{"error":"invalid_client"}"#),
        }
    }
}

/// An ID token that continues every session, for a provider that sends one with each renewal.
pub fn renewed_id_token(nonce: &str) -> String {
    with_claims(&claims().text("nonce", nonce).number("iat", NOW).number("exp", NOW + 400_000).without("at_hash"))
}
