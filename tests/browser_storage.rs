//! `browser::storage` in a real browser, with storage that is blocked, null, full, forgetful, or
//! begins to fail later.
#![cfg(target_arch = "wasm32")]

use polar_signin::browser::storage::{Kind, Preferences, Store, StoreError};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn eval(source: &str) -> JsValue {
    js_sys::eval(source).unwrap_or_else(|error| panic!("{source}: {error:?}"))
}

/// Runs JavaScript that spoils something, and mends it when dropped.
struct Spoilt;

impl Spoilt {
    fn by(source: &str) -> Self {
        eval(
            "if (!window.intact) {
                window.intact = ['sessionStorage', 'localStorage']
                    .map(name => [window, name, Object.getOwnPropertyDescriptor(window, name)])
                    .concat(['getItem', 'setItem', 'removeItem', 'key', 'length']
                        .map(name => [Storage.prototype, name, Object.getOwnPropertyDescriptor(Storage.prototype, name)]));
                window.spoil = (object, name, get) => Object.defineProperty(object, name, {get, configurable: true});
                window.refuse = (object, ...names) => names.forEach(name => spoil(object, name, () => {
                    throw new DOMException('denied', 'SecurityError');
                }));
            }",
        );
        eval(source);
        Self
    }
}

impl Drop for Spoilt {
    fn drop(&mut self) {
        eval("window.intact.forEach(([object, name, descriptor]) => Object.defineProperty(object, name, descriptor))");
    }
}

fn fresh() -> Store {
    eval("sessionStorage.clear()");
    Store::open()
}

fn sorted(store: &Store, prefix: &str) -> Vec<(String, String)> {
    let mut entries = store.entries(prefix);
    entries.sort();
    entries
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// What any store does, wherever it keeps things.
fn keeps_and_forgets(store: &Store) {
    assert_eq!(store.get("a:1"), None);
    for (key, value) in
        [("a:1", "one"), ("a:2", ""), ("b:1", "\u{fc}\u{1f600}\"\\"), ("__proto__", "p"), ("length", "7")]
    {
        assert_eq!(store.set(key, value), Ok(()));
        assert_eq!(store.get(key).as_deref(), Some(value));
    }
    assert_eq!(store.set("a:1", "uno"), Ok(()));
    assert_eq!(sorted(store, "a:"), pairs(&[("a:1", "uno"), ("a:2", "")]));
    assert_eq!(store.entries("").len(), 5);
    store.remove("a:1");
    store.remove("nothing");
    assert_eq!((store.get("a:1"), sorted(store, "a:")), (None, pairs(&[("a:2", "")])));
}

#[wasm_bindgen_test]
fn the_tab_keeps_what_is_written() {
    let store = fresh();
    assert_eq!(store.kind(), Kind::Session);
    assert_eq!(eval("sessionStorage.length"), 0);
    keeps_and_forgets(&store);
    assert_eq!(eval("sessionStorage.getItem('a:2')"), "");
    assert_eq!(eval("localStorage.length"), 0);
    // Another page of the tab finds it.
    assert_eq!(Store::open().get("__proto__").as_deref(), Some("p"));
}

#[wasm_bindgen_test]
fn st_04_blocked_or_missing_storage_becomes_memory() {
    for spoil in ["refuse(window, 'sessionStorage')", "spoil(window, 'sessionStorage', () => null)"] {
        eval("sessionStorage.clear()");
        let spoilt = Spoilt::by(spoil);
        let store = Store::open();
        assert_eq!(store.kind(), Kind::Memory, "{spoil}");
        keeps_and_forgets(&store);
        drop(spoilt);
        assert_eq!(eval("sessionStorage.length"), 0);
    }
}

#[wasm_bindgen_test]
fn st_04_storage_that_cannot_be_written_or_forgets_becomes_memory() {
    let forgetful = "spoil(Storage.prototype, 'setItem', () => () => {})";
    for spoil in ["refuse(Storage.prototype, 'setItem')", "refuse(Storage.prototype, 'getItem')", forgetful] {
        eval("sessionStorage.clear()");
        let _spoilt = Spoilt::by(spoil);
        let store = Store::open();
        assert_eq!(store.kind(), Kind::Memory, "{spoil}");
        keeps_and_forgets(&store);
        assert_eq!(eval("sessionStorage.length"), 0);
    }
}

#[wasm_bindgen_test]
fn st_05_full_storage_becomes_memory_and_leaves_nothing_stale_behind() {
    eval("sessionStorage.clear(); sessionStorage.setItem('a:1', 'before'); sessionStorage.setItem('a:2', 'before')");
    // Full to the last letter, for real.
    eval(
        "for (let size = 4194304, at = 0; size >= 1; size = Math.floor(size / 2)) {
            for (;;) try { sessionStorage.setItem('filler' + at, 'x'.repeat(size)); at++ } catch { break }
        }",
    );
    let store = Store::open();
    assert_eq!(store.kind(), Kind::Memory);
    // What an earlier page kept can still be read ...
    assert_eq!(sorted(&store, "a:"), pairs(&[("a:1", "before"), ("a:2", "before")]));
    // ... but once replaced or removed it does not come back on the next page.
    assert_eq!(store.set("a:1", "after"), Ok(()));
    store.remove("a:2");
    assert_eq!(sorted(&store, "a:"), pairs(&[("a:1", "after")]));
    assert_eq!(eval("sessionStorage.getItem('a:1')"), JsValue::NULL);
    assert_eq!(eval("sessionStorage.getItem('a:2')"), JsValue::NULL);
    eval("sessionStorage.clear()");
}

#[wasm_bindgen_test]
fn st_05_a_store_that_becomes_full_says_so() {
    let store = fresh();
    assert_eq!(store.set("small", "kept"), Ok(()));
    assert_eq!(store.set("large", &"x".repeat(12 * 1024 * 1024)), Err(StoreError::Full));
    assert_eq!((store.get("small").as_deref(), store.get("large")), (Some("kept"), None));
    for (thrown, error) in [
        ("new DOMException('', 'NS_ERROR_DOM_QUOTA_REACHED')", StoreError::Full),
        ("new DOMException('', 'QuotaExceededError')", StoreError::Full),
        ("new DOMException('', 'SecurityError')", StoreError::Blocked),
        ("new Error('QuotaExceededError')", StoreError::Blocked),
        ("'QuotaExceededError'", StoreError::Blocked),
        ("undefined", StoreError::Blocked),
        ("null", StoreError::Blocked),
    ] {
        let _spoilt = Spoilt::by(&format!("Storage.prototype.setItem = () => {{ throw {thrown}; }}"));
        assert_eq!(store.set("small", "new"), Err(error), "{thrown}");
        assert_eq!(store.get("small").as_deref(), Some("kept"));
    }
    eval("sessionStorage.clear()");
}

#[wasm_bindgen_test]
fn st_04_storage_that_begins_to_fail_later_panics_nothing() {
    let store = fresh();
    assert_eq!(store.set("a:1", "one"), Ok(()));
    for failing in ["getItem", "key", "length", "removeItem", "setItem"] {
        let _spoilt = Spoilt::by(&format!("refuse(Storage.prototype, '{failing}')"));
        let _ = (store.get("a:1"), store.entries("a:"), store.set("a:1", "one"));
        store.remove("a:2");
    }
    let spoilt = Spoilt::by("refuse(Storage.prototype, 'getItem', 'setItem', 'removeItem', 'key', 'length')");
    assert_eq!((store.get("a:1"), store.entries("")), (None, Vec::new()));
    assert_eq!(store.set("a:1", "two"), Err(StoreError::Blocked));
    store.remove("a:1");
    // The property itself may go: the store holds on to the object that it has.
    drop(spoilt);
    let _spoilt = Spoilt::by("refuse(window, 'sessionStorage')");
    assert_eq!(store.get("a:1").as_deref(), Some("one"));
}

#[wasm_bindgen_test]
fn st_06_storage_cleared_from_outside_is_empty() {
    let store = fresh();
    assert_eq!(store.set("a:1", "one"), Ok(()));
    eval("sessionStorage.clear()");
    assert_eq!((store.get("a:1"), store.entries("a:")), (None, Vec::new()));
    assert_eq!(store.set("a:1", "two"), Ok(()));
    assert_eq!(store.get("a:1").as_deref(), Some("two"));
}

#[wasm_bindgen_test]
fn preferences_are_kept_for_the_site_or_silently_not() {
    eval("localStorage.clear()");
    Preferences::set("choice", "1");
    assert_eq!(Preferences::get("choice").as_deref(), Some("1"));
    assert_eq!(eval("localStorage.getItem('choice')"), "1");
    Preferences::remove("choice");
    assert_eq!((Preferences::get("choice"), eval("localStorage.length")), (None, JsValue::from(0)));
    for spoil in [
        "refuse(window, 'localStorage')",
        "spoil(window, 'localStorage', () => null)",
        "refuse(Storage.prototype, 'getItem', 'setItem', 'removeItem')",
    ] {
        let _spoilt = Spoilt::by(spoil);
        Preferences::set("choice", "2");
        assert_eq!(Preferences::get("choice"), None, "{spoil}");
        Preferences::remove("choice");
    }
    assert_eq!(eval("localStorage.length"), 0);
}
