//! `browser::navigation` in a real browser.
#![cfg(target_arch = "wasm32")]

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::Promise;
use polar_signin::browser::navigation;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn eval(source: &str) -> JsValue {
    js_sys::eval(source).unwrap_or_else(|error| panic!("{source}: {error:?}"))
}

fn text(source: &str) -> String {
    eval(source).as_string().expect("a text")
}

/// Begins to note the errors that nobody catches: the browser's call into what we have let go of
/// would be one.
fn note_errors() {
    eval("window.uncaught = []; window.onerror = text => { window.uncaught.push(text); }");
}

fn noted_errors() -> String {
    eval("window.onerror = null; window.uncaught.join()").as_string().expect("a text")
}

async fn wait(ms: u32) {
    let waited = Promise::resolve(&eval(&format!("new Promise(done => setTimeout(done, {ms}))")));
    JsFuture::from(waited).await.expect("no rejection");
}

#[wasm_bindgen_test]
fn the_address_is_the_browsers() {
    let origin = text("location.origin");
    assert_eq!(navigation::page_url(), text("location.href"));
    assert_eq!(navigation::base_url(), format!("{origin}/"));
    assert!(navigation::replace_url("/folder/sub/page.html?return=/a/b#/c?d"));
    assert_eq!(navigation::page_url(), format!("{origin}/folder/sub/page.html?return=/a/b#/c?d"));
    assert_eq!(navigation::base_url(), format!("{origin}/folder/sub/"));
    assert_eq!(navigation::hash(), "#/c?d");
    // A page that says what its links are relative to is believed.
    eval("document.head.append(Object.assign(document.createElement('base'), {href: '/other/index.html?x=/y'}))");
    assert_eq!(navigation::base_url(), format!("{origin}/other/"));
    eval("document.querySelector('base').remove()");
    assert!(navigation::replace_url("/"));
    assert_eq!((navigation::page_url(), navigation::hash()), (format!("{origin}/"), String::new()));
}

#[wasm_bindgen_test]
fn cb_39_replacing_the_url_keeps_the_hosts_state_and_adds_no_entry() {
    eval("history.replaceState({scroll: 7, list: [1, 2]}, '', '/?code=secret&state=mine&tab=2')");
    let entries = eval("history.length");
    assert!(navigation::replace_url("/?tab=2"));
    assert_eq!(text("location.search"), "?tab=2");
    assert_eq!(text("JSON.stringify(history.state)"), "{\"scroll\":7,\"list\":[1,2]}");
    assert_eq!(eval("history.length"), entries);
    eval("history.replaceState(null, '', '/')");
}

#[wasm_bindgen_test]
fn what_the_browser_refuses_is_said() {
    let before = navigation::page_url();
    assert!(!navigation::replace_url("https://elsewhere.example/"));
    assert!(!navigation::replace_url("http://["));
    assert!(!navigation::leave("http://["));
    assert!(!navigation::replace("http://["));
    assert_eq!(navigation::page_url(), before);
    eval("history.realReplace = history.replaceState; history.replaceState = () => { throw 'too often'; }");
    let done = navigation::replace_url("/other");
    eval("delete history.replaceState; delete history.realReplace");
    assert!(!done);
}

#[wasm_bindgen_test]
async fn leaving_adds_to_the_history_and_replacing_does_not() {
    let entries = eval("history.length").as_f64().expect("number");
    // To a fragment, so that this page goes on.
    assert!(navigation::leave("#left"));
    wait(20).await;
    assert_eq!((navigation::hash().as_str(), eval("history.length").as_f64()), ("#left", Some(entries + 1.0)));
    assert!(navigation::replace("#replaced"));
    wait(20).await;
    assert_eq!((navigation::hash().as_str(), eval("history.length").as_f64()), ("#replaced", Some(entries + 1.0)));
    assert!(navigation::replace_url("/"));
}

#[wasm_bindgen_test]
async fn a_changed_fragment_is_heard_until_the_handle_is_dropped() {
    let heard = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&heard);
    let listener = navigation::on_hash_change(move || log.borrow_mut().push(navigation::hash()));
    assert!(listener.is_some());
    for hash in ["one", "two"] {
        eval(&format!("location.hash = '{hash}'"));
        wait(20).await;
    }
    drop(listener);
    eval("location.hash = 'three'");
    wait(20).await;
    assert_eq!(*heard.borrow(), ["#one", "#two"]);
    assert!(navigation::replace_url("/"));
}

#[wasm_bindgen_test]
fn st_12_a_page_that_comes_back_from_the_history_is_told_from_a_new_one() {
    note_errors();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&heard);
    let listener = navigation::on_page_show(move |persisted| log.borrow_mut().push(persisted));
    for event in
        ["PageTransitionEvent('pageshow', {persisted: true})", "PageTransitionEvent('pageshow')", "Event('pageshow')"]
    {
        eval(&format!("window.dispatchEvent(new {event})"));
    }
    drop(listener);
    eval("window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))");
    assert_eq!(*heard.borrow(), [true, false, false]);
    assert_eq!(noted_errors(), "");
}

#[wasm_bindgen_test]
fn a_listener_may_drop_itself() {
    note_errors();
    let count = Rc::new(Cell::new(0));
    let handle = Rc::new(RefCell::new(None));
    let (counter, own) = (Rc::clone(&count), Rc::clone(&handle));
    *handle.borrow_mut() = navigation::on_hash_change(move || {
        drop(own.borrow_mut().take());
        // What the callback holds is alive to its end.
        counter.set(counter.get() + 1);
    });
    eval("window.dispatchEvent(new Event('hashchange')); window.dispatchEvent(new Event('hashchange'))");
    assert_eq!((count.get(), noted_errors()), (1, String::new()));
    assert_eq!(Rc::strong_count(&count), 1, "the callback is gone");
}

#[wasm_bindgen_test]
async fn st_12_a_prepared_page_waits_for_its_visitor() {
    assert!(!navigation::is_prerendering());
    navigation::activated().await;

    eval("Object.defineProperty(document, 'prerendering', {value: true, configurable: true})");
    assert!(navigation::is_prerendering());
    let active = Rc::new(Cell::new(false));
    let flag = Rc::clone(&active);
    spawn_local(async move {
        navigation::activated().await;
        flag.set(true);
    });
    wait(30).await;
    assert!(!active.get());
    eval("delete document.prerendering; document.dispatchEvent(new Event('prerenderingchange'))");
    wait(10).await;
    assert!(active.get());
}

#[wasm_bindgen_test]
fn this_page_is_not_framed() {
    assert!(!navigation::is_framed());
}
