//! Several identities in one tab: a person, and organizations that each need a sign-in of their own.
//!
//! Each has its own [`Session`], with its own tokens, renewal and end, and its own place in the keys
//! of the storage ([`Slot`]). One is active. This machine only leads: it hands each input to whom it
//! concerns, opens a place for whoever is added, and closes the places of those who have gone. An
//! identity is never put in another's place but by a sign-in that the person began there.
//!
//! As with a session: **one input, all its effects; perform every effect before the next input.**

mod popup;
mod slot;
mod wire;

#[cfg(feature = "dpop")]
use crate::http::KeyName;
use crate::{
    authorization::{PopupNumber, SignIn},
    callback::{self, Callback},
    config::{Config, POPUP_KEY},
    error::{Code, Error, Phase},
    json::{self, ObjectWriter},
    pkce::Entropy,
    secret::RecordText,
    session::{Effect, Input, Records, Session, Ticket, Wanted},
    snapshot::{SignedOut, Snapshot},
    time::UnixTime,
    transaction,
};
pub use slot::Slot;
pub use wire::{Event, Overview};

/// The identities of one page.
pub struct Identities {
    config: Config,
    sessions: Vec<(Slot, Session)>,
    active: Slot,
    /// Which one is active as it is kept; `None` if nothing is.
    kept: Option<Slot>,
    /// One of several has been signed out, and what came of it.
    signed_out: Option<SignedOut>,
    alarms: Vec<(Slot, UnixTime)>,
    alarm: Option<UnixTime>,
    /// This page is in a window that another one opened for a sign-in: nobody is here.
    in_popup: bool,
}

/// What a step works with.
struct Turn<'a> {
    now: UnixTime,
    entropy: &'a mut dyn Entropy,
    effects: Vec<(Slot, Effect)>,
}

impl Identities {
    /// Nobody yet: the first event is [`Event::Opened`].
    #[must_use]
    pub fn new(config: Config) -> Self {
        let active = Slot::default();
        Self {
            sessions: vec![(active, Session::new(config.clone()))],
            config,
            active,
            kept: None,
            signed_out: None,
            alarms: Vec::new(),
            alarm: None,
            in_popup: false,
        }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Which one is active.
    #[must_use]
    pub fn active(&self) -> Slot {
        self.active
    }

    /// The windows that sign-ins wait for. Whatever else was opened is to be closed.
    pub fn popups(&self) -> impl Iterator<Item = (PopupNumber, Wanted)> + '_ {
        self.sessions.iter().filter_map(|(_, session)| session.popup())
    }

    /// One event, all its effects, each with whose it is. Perform every effect before the next call.
    pub fn step(&mut self, now: UnixTime, entropy: &mut dyn Entropy, event: Event) -> Vec<(Slot, Effect)> {
        let turn = &mut Turn { now, entropy, effects: Vec::new() };
        self.take(turn, event);
        self.choose_active(turn);
        self.close_places();
        self.set_alarm(turn);
        let mut effects = core::mem::take(&mut turn.effects);
        // Once is enough, at the end: what is asked for is on its way before anything is drawn.
        let all = effects.len();
        effects.retain(|(_, effect)| !matches!(effect, Effect::Show));
        if effects.len() < all {
            effects.push((self.active, Effect::Show));
        }
        effects
    }

    /// What there is to show.
    #[must_use]
    pub fn overview(&self) -> Overview {
        if self.in_popup {
            let snapshot = Snapshot { in_popup: true, ..Snapshot::default() };
            return Overview { snapshot, ..Overview::default() };
        }
        let all: Vec<(Slot, Snapshot)> =
            self.sessions.iter().map(|(slot, session)| (*slot, session.snapshot())).collect();
        let account = |(slot, snapshot): &(Slot, Snapshot)| Some((*slot, snapshot.account.clone()?));
        let identities = all.iter().filter_map(account).collect();
        let (own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|(slot, _)| *slot == self.active);
        let mut snapshot = own.into_iter().next().map(|(_, own)| own).unwrap_or_default();
        for (_, other) in others {
            snapshot.working = snapshot.working.or(other.working);
            if snapshot.error.is_none() && other.error.is_some() {
                (snapshot.error, snapshot.for_organization) = (other.error, other.for_organization);
            }
        }
        if snapshot.account.is_some() {
            snapshot.signed_out = self.signed_out.clone();
        }
        Overview { snapshot, active: self.active, identities }
    }

    fn take(&mut self, turn: &mut Turn<'_>, event: Event) {
        match event {
            Event::Opened { url, records, framed, .. } if self.in_popup || records.has(POPUP_KEY) => {
                self.opened_in_popup(turn, &url, &records, framed);
            }
            event if self.in_popup && !matches!(event, Event::WantToken { .. }) => {}
            Event::Opened { url, records, framed, memory_only } => {
                self.opened(turn, &url, &records, framed, memory_only);
            }
            Event::Resumed { records, from_memory } => {
                self.everybody(turn, || Input::Resumed { records: records.clone(), from_memory });
            }
            Event::Prepare => self.tell(turn, self.active, Input::Prepare),
            Event::SignIn { request, records, add } => self.sign_in(turn, request, records, add),
            Event::Cancel => self.everybody(turn, || Input::Cancel),
            Event::Switch(slot) if self.is_signed_in(slot) => {
                (self.active, self.signed_out) = (slot, None);
                turn.effects.push((slot, Effect::Show));
                self.tell(turn, slot, Input::Chosen);
            }
            Event::Switch(_) => {}
            Event::RetryDetails => self.tell(turn, self.active, Input::RetryDetails),
            Event::SignOut { slot, records } => self.sign_out(turn, slot, &records),
            Event::DismissError => {
                self.signed_out = None;
                self.everybody(turn, || Input::DismissError);
            }
            Event::WantToken { slot, request, refused } => {
                if self.find(slot).is_some() {
                    self.tell(turn, slot, Input::WantToken { request, refused });
                } else {
                    let gone = Error::new(Code::SessionExpired, Phase::Session);
                    turn.effects.push((slot, Effect::Grant(request, Err(gone))));
                }
            }
            Event::Woke => {
                (self.alarm, self.alarms) = (None, Vec::new());
                self.everybody(turn, || Input::Woke);
            }
            Event::Of(slot, input) => self.tell(turn, slot, input),
        }
    }

    /// Opens a place for everybody who is kept; the response of a sign-in goes to whoever began it.
    fn opened(&mut self, turn: &mut Turn<'_>, url: &str, records: &Records, framed: bool, memory_only: bool) {
        let input = |url: &str| Input::Opened { url: url.to_owned(), records: records.clone(), framed, memory_only };
        let callback = callback::parse(url, self.config.redirect_uri());
        let is_response = !matches!(callback, Callback::None);
        if framed && is_response {
            // It does nothing there, and nobody is looked for.
            return self.tell(turn, self.active, input(url));
        }
        // A page that was open already keeps whom it has.
        let mut slots: Vec<Slot> = self.sessions.iter().map(|(slot, _)| *slot).collect();
        slots.extend(records.iter().filter_map(|(key, _)| self.config.slot_of(key)));
        slots.sort_unstable();
        slots.dedup();
        self.kept = records.get(&self.active_key()).map(|text| read_active(text).unwrap_or_default());
        if let Some(kept) = self.kept.filter(|slot| slots.contains(slot)) {
            self.active = kept;
        }
        let whose = match &callback {
            Callback::None | Callback::Foreign => None,
            Callback::Malformed(state) | Callback::Response(callback::Response { state, .. }) => {
                let hash = transaction::state_hash(state);
                let mut ours = records.iter().filter(|(key, _)| transaction::hash_in_key(key) == Some(hash.as_str()));
                ours.find_map(|(key, _)| self.config.slot_of(key))
            }
        };
        // A sign-out comes back to whoever began that.
        let signs_out = || slots.iter().find(|slot| records.has(&self.config.in_slot(**slot).sign_out_key())).copied();
        let whose = whose.or_else(signs_out).unwrap_or(self.active);
        if !slots.contains(&whose) {
            slots.push(whose);
        }
        slots.iter().for_each(|slot| self.open_place(*slot));
        // Whoever it concerns comes first: the first effect takes the response out of the address.
        self.tell(turn, whose, input(url));
        let scrubbed = if is_response { callback::scrub(url) } else { url.to_owned() };
        for slot in slots.into_iter().filter(|slot| *slot != whose) {
            self.tell(turn, slot, input(&scrubbed));
        }
    }

    fn sign_in(&mut self, turn: &mut Turn<'_>, request: Box<SignIn>, records: Records, add: bool) {
        self.signed_out = None;
        // Whoever tries again means the one that failed.
        let failed = self.sessions.iter().find(|(_, session)| session.snapshot().error.is_some());
        let again = failed.map_or(self.active, |(slot, _)| *slot);
        let slot = if add { self.free_place(&records) } else { Some(again) };
        let Some(slot) = slot else { return };
        self.everybody(turn, || Input::DismissError);
        self.open_place(slot);
        self.tell(turn, slot, Input::SignIn { request, records });
    }

    /// The first place that neither an identity nor a sign-in under way has.
    fn free_place(&self, records: &Records) -> Option<Slot> {
        let taken = |slot: &Slot| {
            self.find(*slot).is_some_and(|session| !session.is_over())
                || records.iter().any(|(key, _)| self.config.slot_of(key) == Some(*slot))
        };
        Slot::all().find(|slot| !taken(slot))
    }

    fn sign_out(&mut self, turn: &mut Turn<'_>, slot: Slot, records: &Records) {
        self.signed_out = None;
        self.tell(turn, slot, Input::SignOut { records: records.clone() });
        if !self.sessions.iter().any(|(_, session)| session.is_signed_in()) {
            // Nobody is left: what was begun to be added is not, whatever comes back.
            let begun = records.iter().filter(|(key, _)| {
                self.config.slot_of(key).is_some_and(|of| of != slot) && transaction::hash_in_key(key).is_some()
            });
            for (key, _) in begun {
                self.put(turn, slot, Effect::Forget(key.to_owned()));
            }
            let others: Vec<Slot> = self.sessions.iter().map(|(of, _)| *of).filter(|of| *of != slot).collect();
            others.into_iter().for_each(|other| self.tell(turn, other, Input::Cancel));
        }
    }

    /// Whoever has just signed in; else whoever was; else anybody.
    fn choose_active(&mut self, turn: &mut Turn<'_>) {
        let entered = self.sessions.iter_mut().filter_map(|(slot, session)| session.has_entered().then_some(*slot));
        if let Some(slot) = entered.last() {
            (self.active, self.signed_out) = (slot, None);
        } else if !self.is_signed_in(self.active)
            && self.find(self.active).is_none_or(Session::is_at_rest)
            && let Some((slot, _)) = self.sessions.iter().find(|(_, session)| session.is_signed_in())
        {
            self.active = *slot;
            turn.effects.push((self.active, Effect::Show));
        }
        let kept = self.kept.unwrap_or_default();
        if self.kept.is_some() && !self.sessions.iter().any(|(_, session)| session.is_signed_in()) {
            self.kept = None;
            turn.effects.push((self.active, Effect::Forget(self.active_key())));
        } else if self.active != kept && self.is_signed_in(self.active) {
            let mut record = ObjectWriter::default();
            record.raw("slot", &self.active.number().to_string());
            // Before the page may be left for somewhere else.
            let keep = Effect::Keep(Ticket::NOBODYS, self.active_key(), RecordText::new(record.finish()));
            turn.effects.insert(0, (self.active, keep));
            self.kept = Some(self.active);
        }
    }

    /// Nothing is left of whoever has gone, but of the active one.
    fn close_places(&mut self) {
        let stays = |(slot, session): &(Slot, Session)| *slot == self.active || !session.is_over();
        for (slot, session) in self.sessions.iter().filter(|place| !stays(place)) {
            self.alarms.retain(|(of, _)| of != slot);
            // Whoever is still here hears what has become of the other.
            if let Some(reached) = session.snapshot().signed_out {
                self.signed_out = Some(reached);
            }
        }
        let active = self.active;
        self.sessions.retain(|(slot, session)| *slot == active || !session.is_over());
    }

    /// The key of a sign-in goes with its record, unless a session has it now.
    #[cfg(feature = "dpop")]
    fn orphan(&self, effect: &Effect) -> Option<KeyName> {
        let Effect::Forget(key) = effect else { return None };
        let needed = || self.sessions.iter().any(|(_, session)| session.needs_key(key));
        let orphan = self.config.dpop() && transaction::hash_in_key(key).is_some() && !needed();
        orphan.then(|| KeyName::new(key))
    }

    fn set_alarm(&mut self, turn: &mut Turn<'_>) {
        let next = self.alarms.iter().map(|(_, at)| *at).min();
        if next != self.alarm {
            self.alarm = next;
            turn.effects.extend(next.map(|at| (self.active, Effect::WakeAt(at))));
        }
    }

    fn everybody(&mut self, turn: &mut Turn<'_>, input: impl Fn() -> Input) {
        let slots: Vec<Slot> = self.sessions.iter().map(|(slot, _)| *slot).collect();
        for slot in slots {
            self.tell(turn, slot, input());
        }
    }

    fn tell(&mut self, turn: &mut Turn<'_>, slot: Slot, input: Input) {
        let Some((_, session)) = self.sessions.iter_mut().find(|(of, _)| *of == slot) else { return };
        for effect in session.step(turn.now, turn.entropy, input) {
            if let Effect::WakeAt(at) = effect {
                self.alarms.retain(|(of, _)| *of != slot);
                self.alarms.push((slot, at));
            } else {
                self.put(turn, slot, effect);
            }
        }
    }

    fn put(&self, turn: &mut Turn<'_>, slot: Slot, effect: Effect) {
        #[cfg(feature = "dpop")]
        let key = self.orphan(&effect);
        turn.effects.push((slot, effect));
        #[cfg(feature = "dpop")]
        turn.effects.extend(key.map(|key| (slot, Effect::DropKey(key))));
    }

    /// Whoever is new there knows what the others have learnt of the provider.
    fn open_place(&mut self, slot: Slot) {
        if let Err(index) = self.sessions.binary_search_by_key(&slot, |(of, _)| *of) {
            let mut session = Session::new(self.config.in_slot(slot));
            if let Some(active) = self.find(self.active) {
                session.learn_from(active);
            }
            self.sessions.insert(index, (slot, session));
        }
    }

    fn find(&self, slot: Slot) -> Option<&Session> {
        self.sessions.iter().find(|(of, _)| *of == slot).map(|(_, session)| session)
    }

    fn is_signed_in(&self, slot: Slot) -> bool {
        self.find(slot).is_some_and(Session::is_signed_in)
    }

    fn active_key(&self) -> String {
        [&self.config.namespace(), "active"].concat()
    }
}

fn read_active(text: &str) -> Option<Slot> {
    let number = json::parse_object(text.as_bytes()).ok()?.get("slot")?.as_number()?.to_fixed(0)?;
    Slot::new(u8::try_from(number).ok()?)
}
