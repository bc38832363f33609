//! `browser::popup` in a real browser, with real windows.
// long: one capability, whose cases share windows and strangers
#![cfg(target_arch = "wasm32")]

use std::{cell::RefCell, rc::Rc};

use js_sys::Promise;
use polar_signin::browser::popup::{self, Popup, Watch};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::Window;

wasm_bindgen_test_configure!(run_in_browser);

const MARK: &str = "polar-signin:v1:popup";
const LINE: &str = "polar-signin:test-line";

fn eval(source: &str) -> JsValue {
    js_sys::eval(source).unwrap_or_else(|error| panic!("{source}: {error:?}"))
}

fn text(source: &str) -> String {
    eval(source).as_string().unwrap_or_else(|| panic!("{source}: no text"))
}

fn number(source: &str) -> f64 {
    eval(source).as_f64().unwrap_or_else(|| panic!("{source}: no number"))
}

async fn settle(source: &str) -> JsValue {
    JsFuture::from(Promise::resolve(&eval(source))).await.expect("no rejection")
}

async fn wait(ms: u32) {
    settle(&format!("new Promise(done => setTimeout(done, {ms}))")).await;
}

/// Waits for something that shall come, for two seconds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..40 {
        if holds() {
            return;
        }
        wait(50).await;
    }
    panic!("it did not come: {what}");
}

/// Makes a window known to scripts.
fn show(window: &Window) {
    js_sys::Reflect::set(&js_sys::global(), &"shown".into(), window).expect("ours to set");
}

fn opened() -> Window {
    let window = popup::open(MARK).expect("a window");
    show(&window);
    window
}

#[derive(Default)]
struct Heard {
    queries: RefCell<Vec<String>>,
    closed: RefCell<Vec<bool>>,
}

fn watch(popup: &Popup) -> (Rc<Heard>, Watch) {
    let heard = Rc::new(Heard::default());
    let (queries, closed) = (heard.clone(), heard.clone());
    let watch = popup.watch(
        LINE,
        move |query| queries.queries.borrow_mut().push(query),
        move |was_away| closed.closed.borrow_mut().push(was_away),
    );
    (heard, watch)
}

/// A message in our form.
fn good(query: &str) -> String {
    format!("{{v: 1, type: 'polar-signin:callback', query: '{query}'}}")
}

/// The window says this to whoever opened it.
fn says(message: &str) {
    eval(&format!("shown.eval(`opener.postMessage({message}, origin)`)"));
}

/// Errors that nobody catches, and everything that goes to the console, are noted.
fn note_noise() {
    eval(
        "window.noise = [];
        window.onerror = text => { window.noise.push(text); };
        window.onunhandledrejection = event => { window.noise.push(String(event.reason)); };
        for (const name of ['log', 'info', 'warn', 'error', 'debug']) {
            console['real_' + name] ??= console[name];
            console[name] = (...words) => window.noise.push(words.join());
        }",
    );
}

fn noted_noise() -> String {
    eval("for (const name of ['log', 'info', 'warn', 'error', 'debug']) console[name] = console['real_' + name];");
    text("window.onerror = window.onunhandledrejection = null; window.noise.join('|')")
}

/// A frame whose page has an origin of its own, which is no origin at all. It tells this page what it hears.
async fn stranger() {
    settle(
        "new Promise(done => {
            window.strange = [];
            const frame = window.frame = document.createElement('iframe');
            frame.sandbox = 'allow-scripts';
            frame.srcdoc = `<script>
                addEventListener('message', event => parent.postMessage({heard: event.data, from: event.origin}, '*'));
                parent.postMessage({ready: true}, '*');
            <` + `/script>`;
            addEventListener('message', event => {
                if (!event.source || event.source !== frame.contentWindow) return;
                strange.push({origin: event.origin, data: event.data});
                if (event.data?.ready) done();
            });
            document.body.append(frame);
        })",
    )
    .await;
}

#[wasm_bindgen_test]
async fn pm_01_pm_03_the_window_is_heard_and_nobody_else() {
    let popup = Popup::new(opened());
    eval("window.first = shown");
    let (heard, _watch) = watch(&popup);
    says(&good("one"));
    until("what the window says", || *heard.queries.borrow() == ["one"]).await;
    // This page itself, a frame of this origin, another window of it, and nobody.
    eval(&format!("postMessage({}, origin)", good("self")));
    eval(&format!(
        "window.ours = document.createElement('iframe'); document.body.append(ours);
        ours.contentWindow.eval(`parent.postMessage({}, '*')`)",
        good("frame")
    ));
    let second = Popup::new(opened());
    says(&good("other window"));
    for source in ["null", "window", "ours.contentWindow", "shown"] {
        eval(&format!(
            "dispatchEvent(new MessageEvent('message', {{origin, source: {source}, data: {}}}))",
            good("made up")
        ));
    }
    wait(200).await;
    assert_eq!(*heard.queries.borrow(), ["one"]);
    drop(second);
    eval("window.shown = first");
    says(&good("two"));
    until("what the window says later", || *heard.queries.borrow() == ["one", "two"]).await;
    eval("ours.remove()");
}

#[wasm_bindgen_test]
async fn pm_02_other_origins_are_not_heard() {
    stranger().await;
    // The frame stands for the window, so that its source is right and its origin is not.
    let frame: Window = eval("frame.contentWindow").unchecked_into();
    let popup = Popup::new(frame);
    let (heard, _watch) = watch(&popup);
    eval(&format!("frame.contentWindow.postMessage({}, '*')", good("null")));
    until("what the frame has heard", || eval("strange.at(-1).data.heard?.query") == "null").await;
    eval(
        "frame.srcdoc = `<script>parent.postMessage({v: 1, type: 'polar-signin:callback', query: 'null'}, '*')<` + `/script>`",
    );
    until("a message of the frame's", || eval("strange.at(-1).data.query") == "null").await;
    assert_eq!(text("strange.at(-1).origin"), "null");
    assert!(heard.queries.borrow().is_empty(), "{:?}", heard.queries.borrow());
    eval("frame.remove()");
    // A frame of this origin stands for it from here on: not every browser makes up an event of another's.
    eval("window.ours = document.createElement('iframe'); document.body.append(ours)");
    let popup = Popup::new(eval("ours.contentWindow").unchecked_into());
    let (heard, _watch) = watch(&popup);
    let own = text("origin");
    for origin in [
        "https://evil.example",
        "https://rp.example.evil.example",
        &format!("{own}.evil.example"),
        &format!("{own}0"),
        &own.replace("http://", "https://"),
        &own.to_uppercase(),
        &format!("{own}/"),
        "null",
        "",
    ] {
        eval(&format!(
            "dispatchEvent(new MessageEvent('message', {{
                origin: '{origin}', source: ours.contentWindow, data: {}
            }}))",
            good("made up")
        ));
    }
    assert!(heard.queries.borrow().is_empty(), "{:?}", heard.queries.borrow());
    // The one thing that was wrong was the origin.
    eval(&format!(
        "dispatchEvent(new MessageEvent('message', {{origin, source: ours.contentWindow, data: {}}}))",
        good("right")
    ));
    assert_eq!(*heard.queries.borrow(), ["right"]);
    eval("ours.remove()");
}

#[wasm_bindgen_test]
async fn pm_04_messages_of_every_shape() {
    let popup = Popup::new(opened());
    let (heard, _watch) = watch(&popup);
    note_noise();
    let shapes = [
        "'{\"v\":1,\"type\":\"polar-signin:callback\",\"query\":\"text\"}'",
        "null",
        "undefined",
        "1",
        "true",
        "[]",
        "['polar-signin:callback', 'x']",
        "new Map([['v', 1], ['type', 'polar-signin:callback'], ['query', 'x']])",
        "new Set(['polar-signin:callback'])",
        "new Date()",
        "new ArrayBuffer(8)",
        "'x'.repeat(50e6)",
        "{type: 'x'.repeat(50e6), v: 1, query: 'x'}",
        "{v: 1, type: 'polar-signin:callback', query: 'x'.repeat(50e6)}",
        "{v: 1, type: 'polar-signin:callback', query: 'x'.repeat(32 * 1024 + 1)}",
        "(() => { const o = {}; o.type = o; o.v = o; o.query = o; return o; })()",
        "{type: {}}",
        "{v: 1, type: {}, query: 'x'}",
        "{v: 1, type: ['polar-signin:callback'], query: 'x'}",
        "{v: '1', type: 'polar-signin:callback', query: 'x'}",
        "{v: 2, type: 'polar-signin:callback', query: 'x'}",
        "{v: 1, type: 'polar-signin:callback'}",
        "{v: 1, query: 'x'}",
        "{type: 'polar-signin:callback', query: 'x'}",
        "{v: 1, type: 'polar-signin:callback', query: {toString: 1}}",
        "{v: 1, type: 'polar-signin:callback', query: ['x']}",
        "{v: 1, type: 'polar-signin:callback', query: null}",
        "{v: 1, type: 'polar-signin:other', query: 'x'}",
        "JSON.parse('{\"__proto__\": {\"v\": 1, \"type\": \"polar-signin:callback\", \"query\": \"x\"}}')",
        "{source: 'react-devtools-bridge', payload: {event: 'x'}}",
        "{type: 'webpackOk'}",
    ];
    for shape in shapes {
        says(shape);
    }
    // What no message can be, but an event that a script made.
    for data in [
        &format!("Object.create({})", good("inherited")),
        "{v: 1, type: 'polar-signin:callback', get query() { throw 'read'; }}",
        "new Proxy({}, {getOwnPropertyDescriptor() { throw 'asked'; }, get() { throw 'read'; }})",
    ] {
        eval(&format!("dispatchEvent(new MessageEvent('message', {{origin, source: shown, data: {data}}}))"));
        eval(&format!("try {{ new BroadcastChannel('{LINE}').postMessage({data}); }} catch {{}}"));
    }
    eval("dispatchEvent(new Event('message'))");
    says(&good("right"));
    until("the one in our form", || !heard.queries.borrow().is_empty()).await;
    wait(100).await;
    assert_eq!((heard.queries.borrow().as_slice(), noted_noise()), (["right".to_owned()].as_slice(), String::new()));
}

#[wasm_bindgen_test]
async fn pm_05_a_stranger_who_opened_the_page_receives_nothing() {
    stranger().await;
    eval("Object.defineProperty(window, 'opener', {value: frame.contentWindow, configurable: true})");
    popup::relay("code=secret&state=mine", LINE);
    wait(200).await;
    assert_eq!(
        number("strange.length"),
        1.0,
        "it is ready, and has heard nothing: {}",
        text("JSON.stringify(strange)")
    );
    // It would have heard.
    eval("frame.contentWindow.postMessage('control', '*')");
    until("what the stranger hears", || number("strange.length") > 1.0).await;
    assert_eq!(text("strange[1].data.heard"), "control");
    // The address that is named to the browser is this origin, and never any.
    eval(
        "window.posted = [];
        Object.defineProperty(window, 'opener', {
            value: {postMessage: (...call) => posted.push(call)}, configurable: true,
        })",
    );
    popup::relay("code=secret&state=mine", LINE);
    assert_eq!(
        text("JSON.stringify(posted.map(([, target, ports]) => [target, ports]))"),
        text("JSON.stringify([[origin, null]])")
    );
    assert_eq!(
        text("JSON.stringify(Object.entries(posted[0][0]))"),
        r#"[["v",1],["type","polar-signin:callback"],["query","code=secret&state=mine"]]"#
    );
    // Nobody, or something that is no window.
    for opener in ["null", "undefined", "{}", "{postMessage: 1}", "{postMessage() { throw 'no'; }}"] {
        eval(&format!("Object.defineProperty(window, 'opener', {{value: {opener}, configurable: true}})"));
        popup::relay("code=secret&state=mine", LINE);
    }
    eval("delete window.opener; window.opener ??= null; frame.remove()");
}

#[wasm_bindgen_test]
async fn pm_07_without_an_opener_the_channel_carries_it() {
    let popup = Popup::new(opened());
    let (heard, _watch) = watch(&popup);
    // Relayed by this page, which nobody has opened.
    popup::relay("code=c&state=s", LINE);
    until("what was said on the channel", || *heard.queries.borrow() == ["code=c&state=s"]).await;
    popup::relay("code=c&state=s", "polar-signin:another-line");
    wait(150).await;
    assert_eq!(heard.queries.borrow().len(), 1);
}

#[wasm_bindgen_test]
async fn pm_07_pm_08_a_closed_window_is_noticed_and_told_from_one_that_was_never_away() {
    let popup = Popup::new(opened());
    let (heard, _watch) = watch(&popup);
    wait(600).await;
    assert!(heard.closed.borrow().is_empty() && !popup.is_closed());
    eval("shown.close()");
    until("that it is closed", || *heard.closed.borrow() == [false]).await;
    wait(600).await;
    assert_eq!(heard.closed.borrow().len(), 1, "once");
    assert!(popup.is_closed());
    // A page that may not be looked into, and is gone then.
    stranger().await;
    let away = Popup::new(eval("frame.contentWindow").unchecked_into());
    let (heard, _watch) = watch(&away);
    wait(1500).await;
    assert!(heard.closed.borrow().is_empty());
    eval("frame.remove()");
    until("that it is gone", || *heard.closed.borrow() == [true]).await;
}

#[wasm_bindgen_test]
async fn pm_09_the_mark_is_in_the_copy_alone() {
    eval("sessionStorage.clear(); sessionStorage.setItem('polar-signin:v1:x:session', 'tokens')");
    let popup = Popup::new(opened());
    assert_eq!(text("JSON.stringify(Object.entries(sessionStorage))"), r#"[["polar-signin:v1:x:session","tokens"]]"#);
    assert_eq!(text(&format!("shown.sessionStorage.getItem('{MARK}')")), "1");
    assert_eq!(text("shown.sessionStorage.getItem('polar-signin:v1:x:session')"), "tokens", "so it has to be removed");
    // Also after a page of this origin was loaded there.
    assert!(popup.send_to(&format!("{}/wasm-bindgen-test?x=1", text("origin"))));
    until("the page", || eval("shown.location.search") == "?x=1" && eval("shown.document.readyState") == "complete")
        .await;
    assert_eq!(text(&format!("shown.sessionStorage.getItem('{MARK}')")), "1");
    assert_eq!(number("shown.history.length"), 1.0, "no way back to the empty page");
    eval("sessionStorage.clear()");
    // A storage that refuses, and a browser that opens nothing.
    eval("window.realOpen = window.open; window.open = () => null");
    assert!(popup::open(MARK).is_none());
    eval("window.open = () => { throw 'no'; }");
    assert!(popup::open(MARK).is_none());
    eval("window.open = window.realOpen");
    assert_eq!(number("sessionStorage.length"), 0.0);
}

#[wasm_bindgen_test]
async fn pm_10_nothing_is_left_when_the_wait_is_over() {
    eval(
        "window.left = {listeners: 0, timers: 0, channels: 0};
        const {addEventListener, removeEventListener, setInterval, clearInterval, BroadcastChannel} = window;
        window.undo = () => Object.assign(window,
            {addEventListener, removeEventListener, setInterval, clearInterval, BroadcastChannel});
        window.addEventListener = (...all) => { left.listeners += 1; addEventListener.call(window, ...all); };
        window.removeEventListener = (...all) => { left.listeners -= 1; removeEventListener.call(window, ...all); };
        window.setInterval = (...all) => { left.timers += 1; return setInterval.call(window, ...all); };
        window.clearInterval = (...all) => { left.timers -= 1; clearInterval.call(window, ...all); };
        window.BroadcastChannel = class extends BroadcastChannel {
            constructor(name) { super(name); left.channels += 1; }
            close() { left.channels -= 1; super.close(); }
        };",
    );
    let popup = Popup::new(opened());
    let (heard, handle) = watch(&popup);
    assert_eq!(text("JSON.stringify(left)"), r#"{"listeners":1,"timers":1,"channels":1}"#);
    drop(handle);
    drop(popup);
    assert_eq!(text("JSON.stringify(left)"), r#"{"listeners":0,"timers":0,"channels":0}"#);
    eval("undo()");
    until("that the window is closed", || eval("shown.closed").is_truthy()).await;
    popup::relay("code=c", LINE);
    eval(&format!("dispatchEvent(new MessageEvent('message', {{origin, source: shown, data: {}}}))", good("late")));
    wait(600).await;
    assert!(heard.queries.borrow().is_empty() && heard.closed.borrow().is_empty());
    assert_eq!(Rc::strong_count(&heard), 1, "the callbacks are gone");
}

#[wasm_bindgen_test]
async fn pm_10_a_watch_may_end_in_what_it_calls() {
    note_noise();
    let popup = Popup::new(opened());
    let own = Rc::new(RefCell::new(None));
    let (in_message, in_timer) = (own.clone(), own.clone());
    let end = |own: &Rc<RefCell<Option<Watch>>>| drop(own.borrow_mut().take());
    *own.borrow_mut() = Some(popup.watch(LINE, move |_| end(&in_message), |_| {}));
    says(&good("one"));
    until("the message", || own.borrow().is_none()).await;
    *own.borrow_mut() = Some(popup.watch(LINE, |_| {}, move |_| end(&in_timer)));
    eval("shown.close()");
    until("that it is closed", || own.borrow().is_none()).await;
    wait(300).await;
    assert_eq!(noted_noise(), "");
}

#[wasm_bindgen_test]
async fn pm_11_each_window_is_its_own() {
    eval("sessionStorage.clear()");
    let names = ["polar-signin", "popup", "_blank", "oidc"];
    // Somebody has windows of such names open already.
    eval("window.squatters = ['polar-signin', 'popup', 'oidc'].map(name => window.open('about:blank', name))");
    let first = opened();
    let second = opened();
    assert!(!js_sys::Object::is(&first, &second));
    for window in [&first, &second] {
        show(window);
        assert!(!eval("squatters.includes(shown)").is_truthy());
        assert!(!names.contains(&text("shown.name").as_str()), "{}", text("shown.name"));
        assert!(eval("shown.opener === window").is_truthy());
    }
    eval("squatters.forEach(window => window.close())");
    drop([Popup::new(first), Popup::new(second)]);
}
