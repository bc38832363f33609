//! `browser::clock` in a real browser.
#![cfg(target_arch = "wasm32")]

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::Promise;
use polar_signin::browser::clock::{self, Every, Timer};
use polar_signin_core::{
    http::{Dpop, HttpOutcome, HttpResponse},
    time::UnixTime,
    token::TokenResponse,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn eval(source: &str) -> JsValue {
    js_sys::eval(source).unwrap_or_else(|error| panic!("{source}: {error:?}"))
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

/// A count, and what counts it up.
fn counter() -> (Rc<Cell<u32>>, impl Fn() + 'static) {
    let count = Rc::new(Cell::new(0));
    let counter = Rc::clone(&count);
    (count, move || counter.set(counter.get() + 1))
}

#[wasm_bindgen_test]
fn the_wall_clock_is_the_browsers() {
    let (before, now, after) = (eval("Date.now()"), clock::now_ms(), eval("Date.now()"));
    assert!(before.as_f64().expect("number") <= now as f64 && now as f64 <= after.as_f64().expect("number"));
}

#[wasm_bindgen_test]
async fn a_timer_fires_once_and_not_before_its_time() {
    let (count, up) = counter();
    let start = eval("performance.now()").as_f64().expect("number");
    let took = Rc::new(Cell::new(0.0));
    let log = Rc::clone(&took);
    let timer = Timer::after(60, move || {
        up();
        log.set(eval("performance.now()").as_f64().expect("number") - start);
    });
    wait(30).await;
    assert_eq!(count.get(), 0);
    wait(150).await;
    assert_eq!(count.get(), 1);
    assert!(took.get() >= 59.0, "{} ms", took.get());
    drop(timer);
}

#[wasm_bindgen_test]
async fn a_dropped_timer_does_not_fire() {
    note_errors();
    let (count, up) = counter();
    drop(Timer::after(20, up));
    wait(80).await;
    assert_eq!((count.get(), noted_errors()), (0, String::new()));
    assert_eq!(Rc::strong_count(&count), 1, "the callback is gone");
}

#[wasm_bindgen_test]
async fn a_timer_may_be_set_to_a_time() {
    let (past, up) = counter();
    let _past = Timer::at(clock::now_ms() - 1_000_000, up);
    let (never, up) = counter();
    let _never = Timer::at(i64::MIN, up);
    let (soon, up) = counter();
    let _soon = Timer::at(clock::now_ms() + 100, up);
    wait(50).await;
    assert_eq!((past.get(), never.get(), soon.get()), (1, 1, 0));
    wait(150).await;
    assert_eq!((past.get(), never.get(), soon.get()), (1, 1, 1));
}

#[wasm_bindgen_test]
async fn rt_13_a_long_time_is_clamped_and_does_not_fire_at_once() {
    // The browser's own timer does: this is what the clamp is for.
    eval("window.overflowed = false; setTimeout(() => { window.overflowed = true; }, 2 ** 31)");
    eval(
        "window.delays = []; window.realTimeout = setTimeout; window.setTimeout = (callback, delay) => {
        window.delays.push(delay);
        return window.realTimeout(callback, delay);
    }",
    );
    let (count, up) = counter();
    let up = Rc::new(up);
    let mut timers: Vec<_> = [0x7fff_ffff, 0x8000_0000, 864_000_000_000, i64::MAX]
        .into_iter()
        .map(|ms| {
            let up = Rc::clone(&up);
            Timer::after(ms, move || up())
        })
        .collect();
    timers.push(Timer::at(i64::MAX, move || up()));
    timers.push(Timer::after(-1, || ()));
    eval("window.setTimeout = window.realTimeout");
    let longest = "2147483647,2147483647,2147483647,2147483647,2147483647,0";
    assert_eq!(eval("window.delays.join()"), longest);
    wait(80).await;
    assert_eq!((count.get(), eval("window.overflowed")), (0, JsValue::TRUE));
    drop(timers);
}

#[wasm_bindgen_test]
async fn tk_09_no_enormous_lifetime_ends_at_once() {
    let (count, up) = counter();
    let up = Rc::new(up);
    eval(
        "window.delays = []; window.realTimeout = setTimeout; window.setTimeout = (callback, delay) => {
        window.delays.push(delay);
        return window.realTimeout(callback, delay);
    }",
    );
    let set = |lifetime: &str| {
        let body = format!(r#"{{"access_token":"AT-1","token_type":"Bearer","expires_in":{lifetime}}}"#);
        let content_type = Some("application/json".to_owned());
        let response = HttpResponse {
            status: 200,
            content_type,
            retry_after: None,
            dpop: Dpop::default(),
            body: body.into_bytes(),
        };
        let tokens = TokenResponse::process(HttpOutcome::Answered(response), false).expect("a good response");
        let end = tokens.expires_at(UnixTime::from_millis(clock::now_ms())).expect("it says when it ends");
        let up = Rc::clone(&up);
        // As a session's alarm is set.
        Timer::at(end.as_millis(), move || up())
    };
    // 2147484 s are the first that a browser's timer cannot hold as milliseconds.
    let enormous =
        ["2147484", "4e9", "4294967296", "9007199254740992", "18446744073709551615", "1e300", r#""9999999999""#];
    let timers: Vec<_> = enormous.into_iter().map(set).collect();
    eval("window.setTimeout = window.realTimeout");
    assert_eq!(eval("window.delays.join()"), [2_147_483_647_i32.to_string().as_str(); 7].join(",").as_str());
    wait(120).await;
    assert_eq!(count.get(), 0, "none of them ends now");
    // A lifetime that does end is heard of.
    let soon = set("0");
    wait(60).await;
    assert_eq!(count.get(), 1);
    drop((timers, soon));
}

#[wasm_bindgen_test]
async fn a_timer_may_drop_itself() {
    note_errors();
    let (count, up) = counter();
    let handle = Rc::new(RefCell::new(None));
    let own = Rc::clone(&handle);
    *handle.borrow_mut() = Some(Timer::after(1, move || {
        drop(own.borrow_mut().take());
        up();
    }));
    wait(50).await;
    assert_eq!((count.get(), handle.borrow().is_none(), noted_errors()), (1, true, String::new()));
    assert_eq!(Rc::strong_count(&count), 1, "the callback is gone");
}

#[wasm_bindgen_test]
async fn an_interval_goes_on_until_it_is_dropped() {
    note_errors();
    let (count, up) = counter();
    let every = Every::new(20, up);
    wait(150).await;
    let counted = count.get();
    assert!((3..=7).contains(&counted), "{counted}");
    drop(every);
    wait(60).await;
    assert_eq!((count.get(), noted_errors()), (counted, String::new()));
}

#[wasm_bindgen_test]
async fn an_interval_may_drop_itself() {
    note_errors();
    let (count, up) = counter();
    let handle = Rc::new(RefCell::new(None));
    let own = Rc::clone(&handle);
    *handle.borrow_mut() = Some(Every::new(5, move || {
        drop(own.borrow_mut().take());
        up();
    }));
    wait(60).await;
    assert_eq!((count.get(), noted_errors()), (1, String::new()));
}

#[wasm_bindgen_test]
fn being_seen_is_heard_and_being_hidden_is_not() {
    note_errors();
    let (count, up) = counter();
    let listener = clock::on_visible(up);
    let change = |state: &str| {
        eval(&format!(
            "Object.defineProperty(document, 'visibilityState', {{value: '{state}', configurable: true}});
            document.dispatchEvent(new Event('visibilitychange'));
            delete document.visibilityState;"
        ));
    };
    change("hidden");
    assert_eq!(count.get(), 0);
    change("visible");
    assert_eq!(count.get(), 1);
    // A state that nobody knows is not "visible", and no panic.
    change("prerender");
    change("else");
    assert_eq!(count.get(), 1);
    drop(listener);
    change("visible");
    assert_eq!((count.get(), noted_errors()), (1, String::new()));
}

#[wasm_bindgen_test]
fn coming_online_is_heard() {
    assert!(clock::is_online());
    let (count, up) = counter();
    let listener = clock::on_online(up);
    eval("Object.defineProperty(navigator, 'onLine', {value: false, configurable: true})");
    let online = clock::is_online();
    eval(
        "delete navigator.onLine; window.dispatchEvent(new Event('offline')); window.dispatchEvent(new Event('online'))",
    );
    assert!(!online);
    assert_eq!(count.get(), 1);
    drop(listener);
    eval("window.dispatchEvent(new Event('online'))");
    assert_eq!(count.get(), 1);
}
