//! What must hold after each step.

use polar_signin_core::session::{Input, Ticket, TokenRequest};

use super::{event::Reply, page::Page, provider::numbers, world::World};

/// The least time between two automatic renewals of a page, in milliseconds.
const SPACING: i64 = 30_000;

impl World<'_> {
    /// At most one request with a refresh token; none with one that is known to be used up; and
    /// half a minute between two of one page.
    pub fn refresh_token_is_sent(&mut self, tab: usize, session: usize, number: u32) {
        let (mono, pages) = (self.mono, &self.tabs);
        let awake =
            |id: u32| pages.iter().filter_map(|place| place.page.as_ref()).any(|page| page.id == id && page.awake);
        let family = &mut self.families[session];
        let mut trouble = None;
        if family.signed_out {
            // Whoever signs out takes no request back.
        } else if family.open.iter().any(|(page, used)| *used == number && awake(*page)) {
            trouble = Some(format!("RT-{session}-{number} is in two requests at once"));
        } else if family.open.iter().any(|(_, used)| *used == number) {
            // Whoever has sent it stands still: that cannot be waited for.
            family.excused = Some("sent by a page that stands still");
        }
        if number < family.known && family.excused.is_none() && !family.signed_out {
            trouble = Some(format!("RT-{session}-{number} is sent again, though a page has its successor"));
        }
        let (signed_out, mut id) = (family.signed_out, 0);
        if let Some(page) = self.page(tab) {
            id = page.id;
            if page.refreshed.replace(mono).is_some_and(|before| mono - before < SPACING) {
                trouble = Some("two renewals of a page within half a minute".to_owned());
            }
        }
        self.families[session].open.push((id, number));
        if signed_out && self.tabs[tab].left.contains(&session) {
            trouble = Some(format!("RT-{session}-{number} is sent by a tab that signed out"));
        }
        trouble.into_iter().for_each(|trouble| self.fail(trouble));
    }

    /// The provider's word on a refresh token, on its way back to this page.
    pub fn refresh_answered(&mut self, page: u32, ticket: Ticket, session: usize, number: u32, reply: Reply) -> Input {
        let id_token = self.renewed_id_token();
        let family = &mut self.families[session];
        family.open.retain(|open| *open != (page, number));
        let before = family.current;
        let outcome = family.reply(session, number, id_token.as_deref(), reply);
        let served = family.current > before;
        match (reply, served) {
            (Reply::Good, true) => family.known = family.current,
            (Reply::Good, false) if family.excused.is_none() && !family.signed_out => {
                self.fail(format!("RT-{session}-{number} is refused, and nothing is to blame for it"));
            }
            (Reply::Lost, true) => family.excused = Some("an answer was lost"),
            (Reply::Never, _) => family.excused = Some("the provider renews no more"),
            _ => {}
        }
        Input::Answered(ticket, outcome)
    }

    /// Somebody who wanted a token has one, or an error.
    pub fn granted(&mut self, tab: usize, request: TokenRequest, granted: Option<(String, u64)>) {
        let left = self.tabs[tab].left.clone();
        let Some(page) = self.page(tab) else { return };
        let waited = page.askers.iter().position(|asker| asker.request == request);
        let mut trouble = None;
        match waited {
            Some(at) => drop(page.askers.remove(at)),
            None => trouble = Some("an answer to nobody".to_owned()),
        }
        page.granted_last = Some(Err(()));
        if let Some((token, generation)) = granted {
            let Some((session, number)) = numbers(&token, "AT-") else { return };
            page.granted = Some(generation);
            page.granted_last = Some(Ok((session, number)));
            if left.contains(&session) {
                trouble = Some(format!("{token} is handed out after the sign-out"));
            }
            if page.family == Some(session) && page.ended.is_some_and(|ended| ended >= number) {
                trouble = Some(format!("{token} is handed out, which was seen to end"));
            }
        }
        trouble.into_iter().for_each(|trouble| self.fail(trouble));
    }

    /// After each step of a page: what it keeps, shows and has lost.
    pub fn look_at(&mut self, tab: usize) {
        let wall = self.wall();
        let place = &mut self.tabs[tab];
        let Some(page) = &mut place.page else { return };
        let record = place.storage.iter().find(|(key, _)| key.ends_with(":session")).map(|(_, text)| text.as_str());
        let kept = record.and_then(|text| numbers(text, "AT-"));
        let signed_in = page.session.snapshot().account.is_some();
        let before = page.family;
        let mut trouble = None;
        if let Some((session, number)) = kept {
            if place.left.contains(&session) {
                trouble = Some(format!("session {session} is kept again after the sign-out"));
            }
            if !signed_in {
                trouble = Some(format!("session {session} is kept and nobody is signed in"));
            }
            let end = record.and_then(|text| text.split_once("\"expires_at\":")).map(|(_, rest)| rest);
            let end = end.and_then(|rest| rest.split(['}', ',']).next()?.parse::<i64>().ok());
            if signed_in && end.is_some_and(|end| end <= wall) {
                let ended = page.ended.filter(|_| before == Some(session)).unwrap_or(0).max(number);
                page.ended = Some(ended);
            }
            if signed_in && before != Some(session) {
                page.family = Some(session);
                page.ended = page.ended.filter(|_| before.is_none());
            }
        }
        if !signed_in {
            page.family = None;
            if let Some(family) = before.map(|session| &self.families[session])
                && !family.signed_out
                && family.excused.is_none()
            {
                let error = page.session.snapshot().error.map(|error| error.code());
                trouble = Some(format!("tab {tab} has lost its session: {error:?}"));
            }
        }
        trouble.into_iter().for_each(|trouble| self.fail(trouble));
    }

    /// After a page has gone, perhaps without a word: is anybody left who can renew?
    pub fn who_holds_it_is_gone(&mut self, said_so: bool) {
        for session in 0..self.families.len() {
            let held = |(tab, page): (usize, &Page)| {
                let token = format!("RT-{session}-{}\"", self.families[session].current);
                page.inbox.iter().any(|message| message.text.contains(&token))
                    || page.session.snapshot().memory_only && page.family == Some(session)
                    || self.tabs[tab].storage.values().any(|text| text.contains(&token))
            };
            // Whoever hears its claim drops its own, for somebody who is gone.
            let claims = |text: &str| text.contains(r#""type":"claim""#) || text.contains(r#""type":"held""#);
            let claimed = |page: &Page| page.inbox.iter().any(|message| claims(&message.text));
            if !self.pages().any(held) || !said_so && self.pages().any(|(_, page)| claimed(page)) {
                self.families[session].excused.get_or_insert("whoever held it is gone");
            }
        }
    }

    /// After everything that was said has been heard: the refresh token is in one place at most.
    pub fn refresh_token_is_in_one_place(&mut self) {
        for session in 0..self.families.len() {
            let token = format!("RT-{session}-");
            let holds = |tab: &usize| self.tabs[*tab].storage.values().any(|text| text.contains(&token));
            let holders: Vec<usize> =
                self.pages().filter(|(_, page)| page.awake).map(|(tab, _)| tab).filter(holds).collect();
            if holders.len() > 1 {
                self.fail(format!("the refresh token of session {session} stays in tabs {holders:?}"));
            }
        }
    }
}
