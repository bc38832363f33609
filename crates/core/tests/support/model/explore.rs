//! Trying what may happen: all of it up to a depth, or much of it by chance.

use std::collections::HashSet;

use super::{
    event::Event,
    world::{Setup, World},
};

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    pub states: usize,
    pub steps: usize,
    /// How many events the longest run had.
    pub depth: usize,
    /// Nothing was left to try.
    pub whole: bool,
}

/// What went wrong, and how it came to that.
pub struct Broken {
    pub what: String,
    pub events: Vec<Event>,
}

/// Everything that may happen, breadth first: the first trouble has the shortest story. A state
/// that was there before is not gone into again. From each one, all must end well.
pub fn all(setup: &Setup, depth: usize, most: usize) -> Result<Seen, Broken> {
    let mut seen = Seen::default();
    let mut known = HashSet::new();
    let world = World::new(setup);
    known.insert(world.fingerprint());
    let mut level = vec![(Vec::new(), world.choices())];
    while !level.is_empty() && seen.depth < depth {
        seen.depth += 1;
        let mut next = Vec::new();
        for (events, choices) in level {
            for choice in choices {
                if known.len() >= most {
                    seen.states = known.len();
                    return Ok(seen);
                }
                let mut events: Vec<Event> = events.clone();
                events.push(choice);
                let mut world = replay(setup, &events)?;
                seen.steps += 1;
                if known.insert(world.fingerprint()) {
                    let choices = world.choices();
                    world.complete();
                    if let Some(what) = world.trouble {
                        return Err(Broken { what: format!("in the end: {what}"), events });
                    }
                    next.push((events, choices));
                }
            }
        }
        level = next;
    }
    seen.states = known.len();
    seen.whole = level.is_empty();
    Ok(seen)
}

fn replay<'a>(setup: &'a Setup, events: &[Event]) -> Result<World<'a>, Broken> {
    let mut world = World::new(setup);
    for (at, event) in events.iter().enumerate() {
        world.apply(*event);
        if let Some(what) = world.trouble {
            return Err(Broken { what, events: events[..=at].to_vec() });
        }
    }
    Ok(world)
}

/// Long runs by chance. Of a run that breaks, what is not needed for it is left out.
pub fn by_chance(setup: &Setup, runs: u64, length: usize, seed: u64) -> Result<Seen, Broken> {
    let mut seen = Seen { depth: length, ..Seen::default() };
    let mut known = HashSet::new();
    for run in 0..runs {
        let mut chance = Xorshift::new(seed.wrapping_add(run));
        let mut world = World::new(setup);
        let mut events = Vec::new();
        while events.len() < length && world.trouble.is_none() {
            let choices = world.choices();
            let Some(event) = chance.pick(&choices) else { break };
            events.push(event);
            world.apply(event);
            known.insert(world.fingerprint());
            seen.steps += 1;
        }
        if world.trouble.is_none() {
            world.complete();
        }
        if world.trouble.is_some() {
            return Err(shrink(setup, events));
        }
    }
    seen.states = known.len();
    Ok(seen)
}

fn outcome(setup: &Setup, events: &[Event]) -> Option<String> {
    let mut world = World::new(setup);
    for event in events {
        if !world.can(*event) {
            return None;
        }
        world.apply(*event);
        if world.trouble.is_some() {
            return world.trouble;
        }
    }
    world.complete();
    world.trouble
}

fn shrink(setup: &Setup, mut events: Vec<Event>) -> Broken {
    let mut what = outcome(setup, &events).unwrap_or_default();
    let mut span = events.len() / 2;
    while span > 0 {
        let mut at = 0;
        while at + span <= events.len() {
            let mut fewer = events.clone();
            fewer.drain(at..at + span);
            match outcome(setup, &fewer) {
                Some(same) => (events, what) = (fewer, same),
                None => at += 1,
            }
        }
        span /= 2;
    }
    Broken { what, events }
}

struct Xorshift(u64);

impl Xorshift {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// One of the kinds, then one of that kind: many messages do not drown the rest.
    fn pick(&mut self, choices: &[Event]) -> Option<Event> {
        let mut kinds: Vec<_> = choices.iter().map(core::mem::discriminant).collect();
        kinds.dedup();
        let mut unique = Vec::new();
        for kind in kinds {
            if !unique.contains(&kind) {
                unique.push(kind);
            }
        }
        let at = self.next() as usize % unique.len().max(1);
        let kind = unique.get(at)?;
        let of_kind: Vec<_> = choices.iter().filter(|event| core::mem::discriminant(*event) == *kind).collect();
        Some(*of_kind[self.next() as usize % of_kind.len()])
    }
}
