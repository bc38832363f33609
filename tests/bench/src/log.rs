//! What went over the link, and what of it had to wait for something else.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

/// A request and its answer, as the browser's end of the link saw them.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// Whether it was the site that was asked, not the provider.
    pub(crate) site: bool,
    /// `GET`, `POST`, or `OPTIONS` for a preflight.
    pub(crate) method: String,
    /// The path alone: queries hold what is new each time.
    pub(crate) path: String,
    /// The answer's status.
    pub(crate) status: u16,
    /// When the browser sent it, in milliseconds since 1970.
    pub(crate) begin: f64,
    /// When the last byte had arrived.
    pub(crate) end: f64,
    /// Bytes of the answer, its head included.
    pub(crate) bytes: usize,
}

impl Exchange {
    /// In a few words.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        let file = self.path.rsplit('/').next().filter(|file| !file.is_empty());
        let name = match (self.site, file) {
            (true, None) => "page".to_owned(),
            (true, Some(file)) => kind_of(file).to_owned(),
            (false, Some("openid-configuration")) => "discovery".to_owned(),
            (false, Some("jwks.json")) => "keys".to_owned(),
            (false, _) => self.path.trim_end_matches('/').rsplit('/').next().unwrap_or("/").to_owned(),
        };
        if self.method == "OPTIONS" { format!("preflight of {name}") } else { name }
    }
}

/// A file without the hash in its name.
fn kind_of(file: &str) -> &str {
    match file.rsplit('.').next() {
        Some("js") if !file.contains('-') => file,
        Some("js") => "script",
        Some("css") => "style",
        Some("wasm") => "wasm",
        _ => file,
    }
}

/// Everything since it was last emptied.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Vec<Exchange>>);

impl Log {
    fn all(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one.
    pub(crate) fn note(&self, exchange: Exchange) {
        self.all().push(exchange);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all().len()
    }

    /// Empties it.
    pub(crate) fn clear(&self) {
        self.all().clear();
    }

    /// Those that began in this time, in the order in which they did.
    #[must_use]
    pub(crate) fn between(&self, begin: f64, end: f64) -> Vec<Exchange> {
        let mut found: Vec<Exchange> =
            self.all().iter().filter(|seen| seen.begin >= begin && seen.begin < end).cloned().collect();
        found.sort_by(|one, other| one.begin.total_cmp(&other.begin));
        found
    }
}

/// Milliseconds since 1970: the clock of the pages too.
#[must_use]
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64() * 1000.0)
}

/// The longest chain of exchanges in which each began after the one before it had ended: what a longer way makes
/// longer. Always taking the one that ends first finds it.
#[must_use]
pub(crate) fn serial(exchanges: &[Exchange]) -> Vec<Exchange> {
    let mut by_end: Vec<&Exchange> = exchanges.iter().collect();
    by_end.sort_by(|one, other| one.end.total_cmp(&other.end));
    let mut chain: Vec<Exchange> = Vec::new();
    for exchange in by_end {
        // The page's clock and this one differ by less than this.
        if chain.last().is_none_or(|last| exchange.begin + 1.0 >= last.end) {
            chain.push(exchange.clone());
        }
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(path: &str, begin: f64, end: f64) -> Exchange {
        Exchange { site: false, method: "GET".into(), path: path.into(), status: 200, begin, end, bytes: 0 }
    }

    #[test]
    fn what_is_beside_something_else_is_no_trip_of_its_own() {
        let all = [
            exchange("/a", 0.0, 100.0),
            exchange("/b", 105.0, 210.0),
            exchange("/beside", 106.0, 215.0),
            exchange("/c", 220.0, 320.0),
        ];
        let names: Vec<String> = serial(&all).iter().map(Exchange::name).collect();
        assert_eq!(names, ["a", "b", "c"]);
    }
}
