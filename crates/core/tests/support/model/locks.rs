//! The lock, and until when nothing has to happen.

use polar_signin_core::session::{Input, Ticket};

use super::world::{TRAVEL, World};

/// Who holds the lock, then who waits for it.
pub struct Waiter {
    pub page: u32,
    pub ticket: Ticket,
    /// By when it is told, once it holds it.
    pub tell: Option<i64>,
    pub told: bool,
}

impl World<'_> {
    pub fn release(&mut self, gone: impl Fn(&Waiter) -> bool) {
        for queue in self.locks.values_mut() {
            queue.retain(|waiter| !gone(waiter));
        }
        self.locks.retain(|_, queue| !queue.is_empty());
        self.hand_on();
    }

    pub fn release_all_of(&mut self, page: u32) {
        self.release(|waiter| waiter.page == page);
    }

    pub fn hand_on(&mut self) {
        let by = self.mono + TRAVEL;
        for first in self.locks.values_mut().filter_map(|queue| queue.front_mut()) {
            first.tell.get_or_insert(by);
        }
    }

    /// The lock that this page holds and has not been told of.
    pub fn held(&self, page: u32) -> Option<Ticket> {
        let firsts = self.locks.values().filter_map(|queue| queue.front());
        firsts.filter(|first| first.page == page && !first.told).map(|first| first.ticket).next()
    }

    pub fn hold(&mut self, tab: usize) {
        let Some(page) = self.page(tab).map(|page| page.id) else { return };
        let Some(ticket) = self.held(page) else { return };
        for first in self.locks.values_mut().filter_map(|queue| queue.front_mut()) {
            first.told |= first.ticket == ticket && first.page == page;
        }
        let records = self.records(tab);
        self.step(tab, Input::Locked { ticket, records });
    }

    /// Until when nothing has to happen.
    pub fn horizon(&self) -> Option<i64> {
        let awake = |id: u32| self.pages().any(|(_, page)| page.id == id && page.awake);
        let locks = self.locks.values().filter_map(|queue| queue.front());
        let locks = locks.filter(|first| !first.told && awake(first.page)).filter_map(|first| first.tell);
        self.pages().filter_map(|(_, page)| page.pressing()).chain(locks).min()
    }

    /// After a pause, what has waited is there within a moment.
    pub fn thaw(&mut self, tab: usize) {
        let mono = self.mono;
        let Some(page) = self.page(tab) else { return };
        page.awake = true;
        page.inbox.iter_mut().for_each(|message| message.by = message.by.max(mono + TRAVEL));
        page.open.iter_mut().for_each(|open| open.until = open.until.max(mono + TRAVEL));
        let id = page.id;
        for first in self.locks.values_mut().filter_map(|queue| queue.front_mut()).filter(|first| first.page == id) {
            first.tell = Some(mono + TRAVEL);
        }
    }
}
