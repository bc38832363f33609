//! What may happen next, and what then happens.

use polar_signin_core::session::Input;

use super::{
    super::fixture::{NOW, html},
    event::{Event, Fate, Number, Reply},
    page::What,
    world::{Place, World},
};

/// The longest that nothing happens at a stretch.
const LONGEST: i64 = 20_000;

impl World<'_> {
    /// Everything that may happen now.
    pub fn choices(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let budget = &self.budget;
        let horizon = self.horizon();
        let may_pass = |to: i64| to <= self.mono || horizon.is_none_or(|horizon| to <= horizon);
        let open_places = self.tabs.len() < budget.tabs;
        for (tab, page) in self.pages() {
            let at = tab as u8;
            let signed_in = page.family.is_some();
            if !page.awake {
                events.push(if page.hidden { Event::Show(at) } else { Event::Thaw(at) });
                if budget.ends > 0 {
                    events.push(Event::Crash(at, Fate::NotServed));
                }
                continue;
            }
            let messages = if budget.any_order { page.inbox.len() } else { page.inbox.len().min(1) };
            events.extend((0..messages).map(|message| Event::Hear(at, message as u8)));
            if self.held(page.id).is_some() {
                events.push(Event::Hold(at));
            }
            for (number, open) in page.open.iter().enumerate() {
                let answer = |reply| Event::Answer(at, number as u8, reply);
                events.push(answer(Reply::Good));
                if matches!(open.what, What::Verify(_)) || budget.faults == 0 {
                    continue;
                }
                events.push(answer(Reply::NotServed));
                if matches!(open.what, What::Refresh { .. }) {
                    events.extend([Reply::Lost, Reply::Busy, Reply::Never].map(answer));
                }
            }
            if budget.alarms > 0 && page.alarm.is_some_and(may_pass) {
                events.push(Event::Wake(at));
            }
            if budget.wants > 0 && page.askers.len() < 2 {
                events.push(Event::Want(at, false));
            }
            if budget.refusals > 0 && page.granted.is_some() {
                events.push(Event::Want(at, true));
            }
            if budget.sign_outs > 0 && signed_in {
                events.push(Event::SignOut(at));
            }
            // The provider's clock does not jump: a sign-in long before its ID token is refused.
            if budget.sign_ins > 0 && !signed_in && self.wall() >= NOW * 1000 {
                events.push(Event::SignIn(at));
            }
            let fates: &[Fate] =
                if page.refreshing().is_some() { &[Fate::Served, Fate::NotServed] } else { &[Fate::NotServed] };
            for fate in fates {
                if budget.reloads > 0 {
                    events.extend([Number::Low, Number::High].map(|number| Event::Reload(at, *fate, number)));
                }
                if budget.ends > 0 {
                    events.extend([Event::Close(at, *fate), Event::Crash(at, *fate)]);
                }
                if budget.hides > 0 {
                    events.push(Event::Hide(at, *fate));
                }
            }
            if budget.copies > 0 && open_places {
                events.extend([Number::Low, Number::High].map(|number| Event::Copy(at, number)));
            }
            if budget.storage_failures > 0 && !page.storage_fails {
                events.push(Event::FailStorage(at));
            }
            if budget.seen > 0 {
                events.push(Event::Seen(at));
            }
            if budget.freezes > 0 {
                events.push(Event::Freeze(at));
            }
        }
        if budget.lingers > 0 && horizon.is_none_or(|horizon| horizon > self.mono) {
            events.push(Event::Linger);
        }
        if budget.jumps > 0 {
            events.extend([4_000, -3_600].map(Event::Jump));
        }
        events
    }

    /// Makes it happen.
    pub fn apply(&mut self, event: Event) {
        let budget = &mut self.budget;
        let left = match event {
            Event::Wake(_) => &mut budget.alarms,
            Event::Linger => &mut budget.lingers,
            Event::Want(_, false) => &mut budget.wants,
            Event::Want(_, true) => &mut budget.refusals,
            Event::SignOut(_) => &mut budget.sign_outs,
            Event::SignIn(_) => &mut budget.sign_ins,
            Event::Reload(..) => &mut budget.reloads,
            Event::Close(..) | Event::Crash(..) => &mut budget.ends,
            Event::Copy(..) => &mut budget.copies,
            Event::FailStorage(_) => &mut budget.storage_failures,
            Event::Jump(_) => &mut budget.jumps,
            Event::Seen(_) => &mut budget.seen,
            Event::Freeze(_) => &mut budget.freezes,
            Event::Hide(..) => &mut budget.hides,
            Event::Answer(.., reply) if reply != Reply::Good => &mut budget.faults,
            Event::Answer(..) | Event::Hear(..) | Event::Hold(_) | Event::Thaw(_) | Event::Show(_) => &mut 1,
        };
        *left -= 1;
        self.do_it(event);
    }

    fn do_it(&mut self, event: Event) {
        match event {
            Event::Wake(tab) => self.wake(tab.into()),
            Event::Linger => {
                let to = self.horizon().unwrap_or(i64::MAX).min(self.mono + LONGEST);
                self.mono = to.max(self.mono);
            }
            Event::Hear(tab, message) => self.hear(tab.into(), message.into()),
            Event::Hold(tab) => self.hold(tab.into()),
            Event::Answer(tab, open, reply) => self.answer(tab.into(), open.into(), reply),
            Event::Want(tab, refused) => self.want(tab.into(), refused),
            Event::SignOut(tab) => self.sign_out(tab.into()),
            Event::SignIn(tab) => {
                self.end_page(tab.into(), Fate::NotServed, true);
                self.sign_in(tab.into());
            }
            Event::Reload(tab, fate, number) => {
                self.end_page(tab.into(), fate, true);
                self.open(tab.into(), number);
            }
            Event::Close(tab, fate) => {
                self.end_page(tab.into(), fate, true);
                self.tabs[usize::from(tab)].storage.clear();
                self.who_holds_it_is_gone(true);
            }
            Event::Crash(tab, fate) => {
                self.end_page(tab.into(), fate, false);
                self.tabs[usize::from(tab)].storage.clear();
                self.who_holds_it_is_gone(false);
            }
            Event::Copy(tab, number) => {
                let storage = self.tabs[usize::from(tab)].storage.clone();
                if let Some(family) = self.page(tab.into()).and_then(|page| page.family)
                    && self.families[family].signed_out
                {
                    self.families[family].was_missed = true;
                }
                self.tabs.push(Place { storage, ..Place::default() });
                self.open(self.tabs.len() - 1, number);
            }
            Event::FailStorage(tab) => {
                if let Some(page) = self.page(tab.into()) {
                    page.storage_fails = true;
                }
            }
            Event::Jump(seconds) => {
                self.offset += i64::from(seconds) * 1000;
                for place in &mut self.tabs {
                    place.page.iter_mut().for_each(|page| page.refreshed = None);
                }
            }
            Event::Seen(tab) => {
                let records = self.records(tab.into());
                self.step(tab.into(), Input::Resumed { records, from_memory: false });
            }
            Event::Freeze(tab) => {
                if let Some(page) = self.page(tab.into()) {
                    page.awake = false;
                }
            }
            // It is looked at again: that is what ends a pause.
            Event::Thaw(tab) => {
                self.thaw(tab.into());
                self.do_it(Event::Seen(tab));
            }
            Event::Hide(tab, fate) => self.hide(tab.into(), fate),
            Event::Show(tab) => {
                let records = self.records(tab.into());
                if let Some(page) = self.page(tab.into()) {
                    (page.awake, page.hidden, page.refreshed) = (true, false, None);
                }
                self.step(tab.into(), Input::Resumed { records, from_memory: true });
            }
        }
    }

    pub fn wake(&mut self, tab: usize) {
        let Some(alarm) = self.page(tab).and_then(|page| page.alarm.take()) else { return };
        self.mono = self.mono.max(alarm);
        self.step(tab, Input::Woke);
    }

    pub fn answer(&mut self, tab: usize, open: usize, reply: Reply) {
        let Some(page) = self.page(tab) else { return };
        let id = page.id;
        let (family, open) = (page.family, page.open.remove(open));
        if let (What::Keys, Some(family)) = (&open.what, family.filter(|_| reply != Reply::Good)) {
            // What cannot be proven is not believed, and the old refresh token is used up.
            self.families[family].excused = Some("no keys for an ID token");
        }
        let (ticket, refresh) = match (reply, &open.what) {
            (_, What::Refresh { session, number }) => (open.ticket, Some((*session, *number))),
            _ => (open.ticket, None),
        };
        let input = match (refresh, reply) {
            (None, Reply::Good) => self.good(open),
            (None, _) => Input::Answered(ticket, html(503)),
            (Some((session, number)), _) => self.refresh_answered(id, ticket, session, number, reply),
        };
        self.step(tab, input);
    }

    fn sign_out(&mut self, tab: usize) {
        let records = self.records(tab);
        if let Some(family) = self.page(tab).and_then(|page| page.family) {
            self.families[family].signed_out = true;
            self.tabs[tab].left.push(family);
        }
        self.step(tab, Input::SignOut { records });
        let page = self.page(tab).map(|page| page.session.snapshot());
        if page.is_some_and(|snapshot| snapshot.account.is_some()) || !self.tabs[tab].storage.is_empty() {
            self.fail("signed out, and still something is there");
        }
    }

    /// What was on its way to this page is lost.
    fn cut_off(&mut self, tab: usize, fate: Fate) {
        let Some(page) = self.page(tab) else { return };
        let id = page.id;
        let refreshing = page.refreshing();
        page.open.clear();
        // Whoever is not there does not hear it.
        let misses = |what: &str| page.inbox.iter().any(|message| message.text.contains(what));
        if let Some(family) = page.family {
            let (signed_out, heir) = (misses("signed_out"), misses("heir"));
            self.families[family].was_missed |= signed_out;
            if heir {
                self.families[family].excused = Some("a will was not heard");
            }
        }
        if let Some((session, number)) = refreshing {
            let family = &mut self.families[session];
            family.open.retain(|(page, _)| *page != id);
            if fate == Fate::Served && number == family.current {
                family.current += 1;
                family.excused = Some("cut off in mid renewal");
            }
        }
        self.release_all_of(id);
    }

    fn leave_will(&mut self, tab: usize) {
        if let Some(will) = self.page(tab).and_then(|page| page.will.take()) {
            self.tell(tab, &will);
        }
    }

    fn end_page(&mut self, tab: usize, fate: Fate, says: bool) {
        if says {
            self.leave_will(tab);
        }
        self.cut_off(tab, fate);
        let Some(page) = self.tabs[tab].page.take() else { return };
        // What was in its memory alone is gone with it; so is a token that is used up and was not kept.
        if let Some(family) = page.family.filter(|_| page.storage_fails) {
            self.families[family].excused.get_or_insert("nothing could be kept");
        }
    }

    fn hide(&mut self, tab: usize, fate: Fate) {
        self.leave_will(tab);
        self.cut_off(tab, fate);
        let Some(page) = self.page(tab) else { return };
        (page.awake, page.hidden, page.was_away) = (false, true, true);
        page.inbox.clear();
    }
}
