//! A page of the model: a real session, and what is on its way to it.

use std::collections::VecDeque;

use polar_signin_core::{
    jws::SignatureCheck,
    pkce::{Entropy, NoEntropy},
    session::{Session, Ticket, TokenRequest},
};

use super::event::Number;

/// Chance of a page's own: first what is laid down, then numbers that nobody else has.
pub struct Chance {
    script: VecDeque<u8>,
    page: u32,
    count: u32,
}

impl Chance {
    pub fn new(page: u32, script: &[u8]) -> Self {
        Self { script: script.iter().copied().collect(), page, count: 0 }
    }

    /// The byte whose text sorts before (or after) that of every page before.
    pub fn number(page: u32, number: Number) -> u8 {
        let page = u8::try_from(page).expect("few pages");
        match number {
            Number::Low => 90 - page,
            Number::High => 110 + page,
        }
    }
}

impl Entropy for Chance {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        if let Some(byte) = self.script.pop_front() {
            bytes.fill(byte);
            return Ok(());
        }
        self.count += 1;
        for (place, byte) in (0u32..).zip(bytes) {
            *byte = (self.page.wrapping_mul(31) ^ self.count.wrapping_mul(57) ^ place.wrapping_mul(7)) as u8;
        }
        Ok(())
    }
}

/// What a request is for.
pub enum What {
    Refresh {
        session: usize,
        number: u32,
    },
    /// The code of a sign-in.
    Code,
    Keys,
    Userinfo,
    Metadata,
    Revocation,
    Verify(SignatureCheck),
}

pub struct Open {
    pub ticket: Ticket,
    pub what: What,
    /// By when it is over, as the page's own clock counts.
    pub until: i64,
}

#[derive(Clone, Hash)]
pub struct Message {
    pub text: String,
    pub by: i64,
}

/// Who waits for an access token.
#[derive(Clone, Copy, Hash)]
pub struct Asker {
    pub request: TokenRequest,
    pub since: i64,
}

pub struct Page {
    pub id: u32,
    pub session: Session,
    pub chance: Chance,
    /// When the alarm goes off, by the clock that does not jump.
    pub alarm: Option<i64>,
    pub open: Vec<Open>,
    pub channel: Option<String>,
    pub inbox: Vec<Message>,
    pub will: Option<String>,
    pub storage_fails: bool,
    pub askers: Vec<Asker>,
    pub requests: u64,
    /// The last token that was handed out: its generation.
    pub granted: Option<u64>,
    pub granted_last: Option<Result<(usize, u32), ()>>,
    /// The session that it is signed in to.
    pub family: Option<usize>,
    /// When it last sent a refresh token, unless the clock has jumped since.
    pub refreshed: Option<i64>,
    /// The newest access token of its session that it has seen end.
    pub ended: Option<u32>,
    pub awake: bool,
    pub hidden: bool,
    /// It was away, and may have missed that the session was ended elsewhere.
    pub was_away: bool,
}

impl Page {
    pub fn new(id: u32, session: Session, chance: Chance) -> Self {
        Self {
            id,
            session,
            chance,
            alarm: None,
            open: Vec::new(),
            channel: None,
            inbox: Vec::new(),
            will: None,
            storage_fails: false,
            askers: Vec::new(),
            requests: 0,
            granted: None,
            granted_last: None,
            family: None,
            refreshed: None,
            ended: None,
            awake: true,
            hidden: false,
            was_away: false,
        }
    }

    pub fn refreshing(&self) -> Option<(usize, u32)> {
        self.open.iter().find_map(|open| match open.what {
            What::Refresh { session, number } => Some((session, number)),
            _ => None,
        })
    }

    /// The earliest time at which something has to happen here, the alarm left out: it may be late.
    pub fn pressing(&self) -> Option<i64> {
        let open = self.open.iter().map(|open| open.until);
        open.chain(self.inbox.iter().map(|message| message.by)).filter(|_| self.awake).min()
    }
}

impl Page {
    /// What the world knows of it, times counted from now.
    pub fn fingerprint(&self, mono: i64, into: &mut impl std::hash::Hasher) {
        use std::hash::Hash as _;
        (self.id, self.alarm.map(|alarm| alarm.max(mono) - mono), &self.channel, &self.will).hash(into);
        for open in &self.open {
            let what = match open.what {
                What::Refresh { session, number } => (0, session, number),
                What::Code => (1, 0, 0),
                What::Keys => (2, 0, 0),
                What::Userinfo => (3, 0, 0),
                What::Metadata => (4, 0, 0),
                What::Revocation => (5, 0, 0),
                What::Verify(_) => (6, 0, 0),
            };
            (what, open.until - mono).hash(into);
        }
        for message in &self.inbox {
            (&message.text, message.by - mono).hash(into);
        }
        (self.storage_fails, self.askers.len(), self.granted, self.family, self.ended).hash(into);
        (self.refreshed.map(|at| (mono - at).min(30_000)), self.awake, self.hidden, self.was_away).hash(into);
    }
}
