//! Scripts before every page, and what pages write into the console, for browsers whose driver knows neither: the door
//! puts the scripts into each page that it lets through, and takes down what they report.
//!
//! They are in every page of every tab; what a page keeps for itself it keeps in its tab's session storage.

use std::{collections::HashMap, sync::Mutex};

use http_body_util::Full;
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{CONTENT_TYPE, HeaderValue},
};

use crate::{browser::LogEntry, gateway::lock};

/// Where the scripts are, and their number follows.
const SCRIPT: &str = "/test-script-";
/// Where the pages report.
const SAID: &str = "/test-said";

/// Tells the door what comes into the console, as the address of a picture: of all requests, the policies of these
/// tests allow that one. Where one does not, that is no news.
pub(crate) fn overhear() -> String {
    const WORDS: &str = "{
    const say = (level, words) => {
        try {
            const message = words.map(String).join(' ').slice(0, 4000);
            if (message.includes('SAID')) return;
            new Image().src = 'SAID?' + new URLSearchParams({ level, message });
        } catch {}
    };
    for (const [name, level] of [['error', 'SEVERE'], ['warn', 'WARNING'], ['info', 'INFO'], ['log', 'INFO']]) {
        const real = console[name];
        console[name] = (...words) => { say(level, words); real.apply(console, words) };
    }
    addEventListener('error', event => say('SEVERE', ['Uncaught', event.message]));
}";
    WORDS.replace("SAID", SAID)
}

/// What the door puts into pages, and what it heard from them.
#[derive(Debug, Default)]
pub(crate) struct Insert {
    scripts: Mutex<Vec<String>>,
    said: Mutex<Vec<LogEntry>>,
}

impl Insert {
    /// Runs a script in every page that comes from now on.
    pub(crate) fn run(&self, script: &str) {
        let mut scripts = lock(&self.scripts);
        if !scripts.iter().any(|known| known == script) {
            scripts.push(script.to_owned());
        }
    }

    /// What was reported since the last call.
    pub(crate) fn said(&self) -> Vec<LogEntry> {
        std::mem::take(&mut lock(&self.said))
    }

    /// Forgets everything.
    pub(crate) fn reset(&self) {
        lock(&self.scripts).clear();
        lock(&self.said).clear();
    }

    /// Whether this request asks for a page that something is put into, which can be done with plain bytes alone.
    pub(crate) fn is_about(&self, request: &Request<Incoming>) -> bool {
        let accept = request.headers().get("accept").and_then(|accept| accept.to_str().ok()).unwrap_or_default();
        accept.contains("text/html") && !lock(&self.scripts).is_empty()
    }

    /// The answer to a request of such a script, or to a report. Nobody else's request is answered.
    pub(crate) fn answer(&self, request: &Request<Incoming>) -> Option<Response<Full<Bytes>>> {
        let path = request.uri().path().to_owned();
        let mut response = Response::new(Full::default());
        if path == SAID {
            let query = request.uri().query().unwrap_or_default();
            let said: HashMap<_, _> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            let text = |name: &str| said.get(name).cloned().unwrap_or_default();
            let source = "the page".to_owned();
            lock(&self.said).push(LogEntry { level: text("level"), source, message: text("message") });
            *response.status_mut() = StatusCode::NO_CONTENT;
            return Some(response);
        }
        let number: usize = path.strip_prefix(SCRIPT)?.strip_suffix(".js")?.parse().ok()?;
        *response.body_mut() = Full::from(lock(&self.scripts).get(number)?.clone());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript"));
        Some(response)
    }

    /// A page with the scripts before everything that it loads itself. What it says before that (how it is to be
    /// referred to) has to come first: WebKit looks ahead for what to load while it waits for a script.
    pub(crate) fn put_into(&self, page: &[u8]) -> Vec<u8> {
        let tags = (0..lock(&self.scripts).len()).map(|number| format!("<script src={SCRIPT}{number}.js></script>"));
        let begins = |rest: &[u8]| {
            let is = |tag: &[u8]| rest.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag));
            is(b"<link") || is(b"<script") || is(b"<style") || is(b"</head") || is(b"<body")
        };
        let place = (0..page.len()).find(|&at| begins(&page[at..])).unwrap_or(page.len());
        let (before, rest) = page.split_at(place);
        [before, tags.collect::<String>().as_bytes(), rest].concat()
    }
}
