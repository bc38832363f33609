//! The way between the browser and everything else: so long, and so wide. Every byte of the site and of the provider
//! takes it, preflights too, which a browser's own emulation lets pass at once.
//!
//! What it leaves out is the same for all: connections cost nothing to open, and start at full width.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

/// How a network is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    /// There and back, in milliseconds.
    pub(crate) round_trip: u64,
    /// Bytes a second towards the browser; none is no limit.
    pub(crate) width: Option<u64>,
}

impl Network {
    /// As wide as the machine, and so long.
    #[must_use]
    pub(crate) fn far(round_trip: u64) -> Self {
        Self { round_trip, width: None }
    }

    fn half(self) -> Duration {
        Duration::from_micros(self.round_trip * 500)
    }
}

/// One link for all connections: they share its width.
#[derive(Debug)]
pub(crate) struct Link(Mutex<State>);

#[derive(Debug)]
struct State {
    network: Network,
    /// Until when it is taken.
    taken: Instant,
}

impl Default for Link {
    fn default() -> Self {
        Self(Mutex::new(State { network: Network::far(0), taken: Instant::now() }))
    }
}

impl Link {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another network, from the next request on.
    pub(crate) fn set(&self, network: Network) {
        let mut state = self.state();
        state.network = network;
        state.taken = Instant::now();
    }

    /// The way of a request, which is small.
    pub(crate) async fn up(&self) {
        let half = self.state().network.half();
        if !half.is_zero() {
            sleep_until(Instant::now() + half).await;
        }
    }

    /// How much of an answer goes over it at once, before another may have its turn.
    pub(crate) fn piece(&self) -> usize {
        if self.state().network.width.is_some() { 4096 } else { usize::MAX }
    }

    /// Waits for a turn and for so many bytes to be on their way. Says when they arrive.
    pub(crate) async fn down(&self, bytes: usize) -> Instant {
        let (sent, half) = {
            let mut state = self.state();
            let begin = state.taken.max(Instant::now());
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            let takes = |width: u64| Duration::from_micros(bytes.saturating_mul(1_000_000) / width.max(1));
            state.taken = begin + state.network.width.map_or(Duration::ZERO, takes);
            (state.taken, state.network.half())
        };
        if sent > Instant::now() {
            sleep_until(sent).await;
        }
        sent + half
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn two_answers_share_the_width() {
        let link = Link::default();
        link.set(Network { round_trip: 40, width: Some(100_000) });
        let begin = Instant::now();
        let (one, other) = tokio::join!(link.down(4000), link.down(4000));
        // 40 ms each for its turn, and 20 ms of way.
        let mut arrivals = [one - begin, other - begin];
        arrivals.sort();
        assert!(arrivals[0] >= Duration::from_millis(60), "{arrivals:?}");
        assert!(arrivals[1] >= Duration::from_millis(100), "{arrivals:?}");
    }
}
