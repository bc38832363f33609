//! What must come in the end, if from now on all goes well.

use super::{
    event::{Event, Reply},
    page::Page,
    world::World,
};

/// By when everybody who wants a token has one, or an error.
const PATIENCE: i64 = 90_000;

impl World<'_> {
    pub fn renewed_id_token(&self) -> Option<String> {
        self.setup.id_tokens.then(|| self.setup.id_token().to_owned())
    }

    /// Everything that was said is heard, and whoever has a claim knows what came of it.
    fn settle(&mut self) {
        let until = self.mono + 700;
        for _ in 0..500 {
            if !self.hear_the_first() && !self.wake_the_first(until) {
                return self.refresh_token_is_in_one_place();
            }
        }
        self.fail("they talk without end");
    }

    fn first(&self, which: impl Fn(&Page) -> bool) -> Option<usize> {
        self.pages().find(|(_, page)| which(page)).map(|(tab, _)| tab)
    }

    /// The first message, or word that the lock is held.
    fn hear_the_first(&mut self) -> bool {
        if let Some(tab) = self.first(|page| page.awake && !page.inbox.is_empty()) {
            self.hear(tab, 0);
        } else if let Some(tab) = self.first(|page| page.awake && self.held(page.id).is_some()) {
            self.hold(tab);
        } else {
            return false;
        }
        true
    }

    /// The first alarm, if it goes off by then.
    fn wake_the_first(&mut self, until: i64) -> bool {
        let alarms = self.pages().filter(|(_, page)| page.awake).filter_map(|(tab, page)| Some((page.alarm?, tab)));
        match alarms.min() {
            Some((alarm, tab)) if alarm <= until => {
                self.wake(tab);
                true
            }
            _ => false,
        }
    }

    /// All goes well for so long.
    fn go_on(&mut self, millis: i64) {
        let until = self.mono + millis;
        for _ in 0..3_000 {
            if self.hear_the_first() {
                continue;
            }
            if let Some(tab) = self.first(|page| page.awake && !page.open.is_empty()) {
                self.answer(tab, 0, Reply::Good);
            } else if self.trouble.is_some() || !self.wake_the_first(until) {
                self.mono = until.max(self.mono);
                return;
            }
        }
        self.fail("they are busy without end");
    }

    /// From here on all goes well: everybody is answered, and every tab goes on working.
    pub fn complete(&mut self) {
        self.settle();
        let asleep: Vec<usize> = self.pages().filter(|(_, page)| !page.awake).map(|(tab, _)| tab).collect();
        for tab in asleep {
            let event = if self.page(tab).is_some_and(|page| page.hidden) {
                Event::Show(tab as u8)
            } else {
                Event::Thaw(tab as u8)
            };
            self.apply(event);
        }
        self.settle();
        self.go_on(PATIENCE);
        let waiting = self.pages().find_map(|(tab, page)| Some((tab, page.askers.first()?.since)));
        if let Some((tab, since)) = waiting {
            let waits = self.mono - since;
            return self.fail(format!("somebody in tab {tab} waits for {waits} ms and has no answer"));
        }
        // Past the end of every access token that is there now.
        self.go_on(2 * 3_600_000);
        let tabs: Vec<usize> = self.pages().map(|(tab, _)| tab).collect();
        for tab in tabs {
            self.want(tab, false);
        }
        self.go_on(PATIENCE);
        self.everybody_goes_on();
    }

    fn everybody_goes_on(&mut self) {
        let mut trouble = None;
        for (tab, page) in self.pages() {
            if !page.askers.is_empty() {
                trouble = Some(format!("in the end somebody in tab {tab} has no answer"));
            }
            for (session, family) in self.families.iter().enumerate().filter(|_| page.family.is_some()) {
                if page.family != Some(session) {
                    continue;
                }
                if family.signed_out && !page.was_away && !family.was_missed {
                    trouble = Some(format!("tab {tab} stays signed in to session {session}"));
                }
                let fine = family.excused.is_some() || family.signed_out;
                if !fine && page.granted_last != Some(Ok((session, family.current))) {
                    trouble = Some(format!("tab {tab} gets {:?} in the end", page.granted_last));
                }
            }
        }
        trouble.into_iter().for_each(|trouble| self.fail(trouble));
        self.refresh_token_is_in_one_place();
    }
}
