//! Text kept for this tab.
//!
//! `sessionStorage` can fail in every way: reading the property throws (a sandboxed frame, all
//! cookies blocked), it is null, it is full, it takes a write and forgets it, or it begins to
//! throw later. gloo-storage panics in the first two, so [`Store::open`] tries first and asks it
//! for the raw object only then; every later call goes to that object and expects failure. Its
//! typed `get` and `set` would bring a JSON serialiser (14 KB) for what is text already.

use std::cell::RefCell;

use gloo_storage::{LocalStorage, SessionStorage, Storage as _};
use web_sys::Storage;

use super::member;

/// Where a [`Store`] keeps things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In the tab: a reload and a trip to another page do not lose it.
    Session,
    /// In this page's memory alone: gone when the page is left.
    Memory,
}

/// Why something was not kept. What was kept under the key before may still be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// No room.
    Full,
    /// The browser refuses.
    Blocked,
}

/// Text by key, for this tab.
pub struct Store {
    /// The tab's storage, if it can be had at all; also beside [`Kind::Memory`], where it cannot
    /// be written to but may still hold what an earlier page kept.
    session: Option<Storage>,
    kind: Kind,
    memory: RefCell<Vec<(String, String)>>,
}

impl Store {
    /// Tries once whether the tab keeps what is written; from then on the kind does not change.
    pub fn open() -> Self {
        let reachable = web_sys::window().is_some_and(|window| matches!(window.session_storage(), Ok(Some(_))));
        let session = reachable.then(SessionStorage::raw);
        let kind = if session.as_ref().is_some_and(keeps) { Kind::Session } else { Kind::Memory };
        Self { session, kind, memory: RefCell::default() }
    }

    /// Where things are kept.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What is kept under the key.
    pub fn get(&self, key: &str) -> Option<String> {
        let remembered = self.memory.borrow().iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        remembered.or_else(|| self.session.as_ref()?.get_item(key).ok().flatten())
    }

    /// Keeps the value under the key, in place of what was there.
    ///
    /// # Errors
    /// If the tab's storage has become full or blocked since it was opened.
    pub fn set(&self, key: &str, value: &str) -> Result<(), StoreError> {
        match (self.kind, &self.session) {
            (Kind::Session, Some(session)) => {
                session.set_item(key, value).map_err(|error| match member(&error, "name").as_string().as_deref() {
                    Some("QuotaExceededError" | "NS_ERROR_DOM_QUOTA_REACHED") => StoreError::Full,
                    _ => StoreError::Blocked,
                })
            }
            _ => {
                // Also out of the tab's storage: an older value there would come back on reload.
                self.remove(key);
                self.memory.borrow_mut().push((key.to_owned(), value.to_owned()));
                Ok(())
            }
        }
    }

    /// Forgets what is kept under the key.
    pub fn remove(&self, key: &str) {
        self.memory.borrow_mut().retain(|(name, _)| name != key);
        if let Some(session) = &self.session {
            let _ = session.remove_item(key);
        }
    }

    /// Everything whose key begins like this: key and value, in no order.
    pub fn entries(&self, prefix: &str) -> Vec<(String, String)> {
        self.keys(prefix).into_iter().filter_map(|key| self.get(&key).map(|value| (key, value))).collect()
    }

    /// Every key that begins like this, in no order. No value is read.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let mut keys: Vec<String> = self.memory.borrow().iter().map(|(name, _)| name.clone()).collect();
        if let Some(session) = &self.session {
            let count = session.length().unwrap_or(0);
            for key in (0..count).filter_map(|index| session.key(index).ok().flatten()) {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        keys.retain(|key| key.starts_with(prefix));
        keys
    }
}

/// Small things that a person chose, kept for this site beyond the tab. Nothing secret goes here:
/// every page of the origin can read it, for ever. Where the browser refuses, nothing is kept.
pub struct Preferences;

impl Preferences {
    /// What is kept under the key.
    pub fn get(key: &str) -> Option<String> {
        local()?.get_item(key).ok().flatten()
    }

    /// Keeps the value under the key, if the browser lets us.
    pub fn set(key: &str, value: &str) {
        if let Some(local) = local() {
            let _ = local.set_item(key, value);
        }
    }

    /// Forgets what is kept under the key.
    pub fn remove(key: &str) {
        if let Some(local) = local() {
            let _ = local.remove_item(key);
        }
    }
}

fn local() -> Option<Storage> {
    let reachable = web_sys::window().is_some_and(|window| matches!(window.local_storage(), Ok(Some(_))));
    reachable.then(LocalStorage::raw)
}

/// Whether a value that is written can be read again.
fn keeps(storage: &Storage) -> bool {
    let kept = storage.set_item(PROBE, "1").is_ok() && storage.get_item(PROBE).is_ok_and(|value| value.is_some());
    let _ = storage.remove_item(PROBE);
    kept
}

const PROBE: &str = "polar-signin:probe";
