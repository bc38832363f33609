//! Signing in in a window of its own: the client in a real browser, with real windows, and a provider that
//! is made up of answers to `fetch`.
#![cfg(target_arch = "wasm32")]

use std::{cell::RefCell, rc::Rc};

use js_sys::Promise;
use polar_signin::{
    browser::{http, popup},
    client::{Client, POPUP_KEY, SignIn},
};
use polar_signin_core::{
    config::{Config, Options},
    error::Code,
    identities::Overview,
    snapshot::Step,
};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// On this origin, so that a test can see where a window was sent: something that the test's own server has.
const HERE: &str = "/wasm-bindgen-test";
/// On another, which cannot be reached: a page that may not be looked into.
const AWAY: &str = "https://op.example/authorize";

fn eval(source: &str) -> JsValue {
    js_sys::eval(source).unwrap_or_else(|error| panic!("{source}: {error:?}"))
}

fn text(source: &str) -> String {
    eval(source).as_string().unwrap_or_else(|| panic!("{source}: no text"))
}

async fn settle(source: &str) {
    JsFuture::from(Promise::resolve(&eval(source))).await.expect("no rejection");
}

async fn wait(ms: u32) {
    settle(&format!("new Promise(done => setTimeout(done, {ms}))")).await;
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..60 {
        if holds() {
            return;
        }
        wait(50).await;
    }
    panic!("it did not come: {what}");
}

/// A page with a client, and what it shows.
struct Page {
    client: Client,
    shown: Rc<RefCell<Overview>>,
}

impl Page {
    /// A tab that keeps nothing, and a provider whose pages are there.
    fn new(authorize: &str) -> Self {
        eval("sessionStorage.clear()");
        eval(
            "window.calls = [];
            window.fetch = window.standIn ??= (...call) => answer(...call);
            window.answer = async request => {
                const url = request.url;
                calls.push([url, await request.text()]);
                const json = (status, body) => new Response(JSON.stringify(body),
                    {status, headers: {'content-type': 'application/json'}});
                if (url.endsWith('openid-configuration')) return json(200, metadata);
                if (url.endsWith('/jwks')) return json(200, {keys: []});
                return json(400, {error: 'invalid_grant'});
            };",
        );
        http::capture();
        let authorize = if authorize == HERE { format!("{}{HERE}", text("origin")) } else { authorize.to_owned() };
        eval(&format!(
            "window.metadata = {{
                issuer: 'https://op.example', authorization_endpoint: '{authorize}',
                token_endpoint: 'https://op.example/token', jwks_uri: 'https://op.example/jwks',
                response_types_supported: ['code'], subject_types_supported: ['public'],
                id_token_signing_alg_values_supported: ['RS256'], code_challenge_methods_supported: ['S256'],
                token_endpoint_auth_methods_supported: ['none'],
            }}"
        ));
        Self::open()
    }

    /// Whatever the tab keeps.
    fn open() -> Self {
        let options = Options {
            provider: Some("oidc".to_owned()),
            issuer: Some("https://op.example".to_owned()),
            client_id: Some("rp-1".to_owned()),
            redirect_uri: Some(format!("{}/callback", text("origin"))),
            allow_http_on_loopback: true,
            ..Options::default()
        };
        let config = Config::new(&options, &text("origin + '/'")).expect("a good configuration");
        let shown = Rc::new(RefCell::new(Overview::default()));
        let seen = shown.clone();
        let client = Client::start(config, move |overview| *seen.borrow_mut() = overview);
        Self { client, shown }
    }

    fn code(&self) -> Option<Code> {
        self.shown.borrow().snapshot.error.as_ref().map(|error| error.code())
    }

    fn working(&self) -> Option<Step> {
        self.shown.borrow().snapshot.working
    }

    /// A click: the window is opened in it, and known to scripts by this name.
    fn click(&self, name: &str) {
        let window = popup::open(POPUP_KEY).expect("a window");
        js_sys::Reflect::set(&js_sys::global(), &name.into(), &window).expect("ours to set");
        // The numbers that a sign-in is made of, the state first of all.
        eval(
            "window.drawn = []; crypto.getRandomValues = array => {
                const numbers = Crypto.prototype.getRandomValues.call(crypto, array);
                if (numbers.length === 32) drawn.push([...numbers]);
                return numbers;
            }",
        );
        self.client.sign_in_popup(SignIn::default(), Some(window));
    }

    async fn waits(&self) {
        until("that it waits for the window", || {
            assert_eq!(self.code(), None);
            self.working() == Some(Step::InPopup)
        })
        .await;
    }
}

/// Waits until the window is at the provider, and gives the state of its sign-in.
async fn state_in(name: &str) -> String {
    until("the provider's page", || {
        eval(&format!("{name}.location.pathname")) == HERE && eval(&format!("{name}.document.readyState")) == "complete"
    })
    .await;
    text(&format!("new URLSearchParams({name}.location.search).get('state')"))
}

/// Where no page can be looked into.
fn state_of_the_sign_in() -> String {
    let encoded = "btoa(String.fromCharCode(...drawn[0])).replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=/g, '')";
    text(encoded)
}

fn says(name: &str, query: &str) {
    let message = format!("{{v: 1, type: 'polar-signin:callback', query: '{query}'}}");
    eval(&format!("{name}.eval(`opener.postMessage({message}, origin)`)"));
}

fn is_closed(name: &str) -> bool {
    eval(&format!("{name}.closed")).is_truthy()
}

fn kept() -> String {
    text("Object.keys(sessionStorage).map(key => key.split(':')[3]).sort().join()")
}

fn token_requests() -> String {
    text(
        "calls.filter(([url]) => url.endsWith('/token')).map(([, body]) => new URLSearchParams(body).get('code')).join()",
    )
}

#[wasm_bindgen_test]
async fn pm_01_pm_06_the_page_that_waits_redeems_once() {
    let page = Page::new(HERE);
    page.click("first");
    page.waits().await;
    let state = state_in("first").await;
    assert_eq!((kept().as_str(), text("location.pathname").as_str()), ("transaction", "/"), "this page stays");
    assert!(eval("first.opener === window").is_truthy());
    says("first", "code=C-0&state=another");
    wait(100).await;
    assert_eq!((page.working(), token_requests().as_str()), (Some(Step::InPopup), ""));
    let answer = format!("code=C-1&state={state}");
    eval("window.noise = []; window.onerror = text => { noise.push(text); }");
    says("first", &answer);
    says("first", &answer);
    until("what the provider says", || page.code().is_some()).await;
    assert_eq!((page.code(), token_requests().as_str()), (Some(Code::GrantRefused), "C-1"));
    assert!(text("calls.find(([url]) => url.endsWith('/token'))[1]").contains("code_verifier="));
    assert!(is_closed("first"), "this page closes the window if that does not do it itself");
    eval(&format!(
        "dispatchEvent(new MessageEvent('message', {{origin, source: first,
            data: {{v: 1, type: 'polar-signin:callback', query: '{answer}'}}}}))"
    ));
    wait(100).await;
    assert_eq!((token_requests().as_str(), kept().as_str()), ("C-1", ""));
    assert_eq!(text("window.onerror = null; noise.join()"), "", "letting go of what is being called does no harm");
}

#[wasm_bindgen_test]
async fn pm_06_two_windows_each_answer_their_own() {
    let page = Page::new(HERE);
    page.click("first");
    page.waits().await;
    let window = popup::open(POPUP_KEY).expect("a window");
    js_sys::Reflect::set(&js_sys::global(), &"second".into(), &window).expect("ours to set");
    page.client.add_popup(SignIn::default(), Some(window));
    let (first, second) = (state_in("first").await, state_in("second").await);
    assert_eq!(kept(), "transaction,transaction");
    says("first", &format!("code=C-2&state={second}"));
    says("second", &format!("code=C-1&state={first}"));
    wait(150).await;
    assert_eq!(token_requests(), "", "swapped");
    says("second", &format!("code=C-2&state={second}"));
    until("the second's answer", || token_requests() == "C-2" && is_closed("second")).await;
    assert!(!is_closed("first"));
    says("first", &format!("code=C-1&state={first}"));
    until("the first's answer", || token_requests() == "C-2,C-1" && is_closed("first")).await;
}

#[wasm_bindgen_test]
async fn pm_08_a_window_that_the_person_closes() {
    let page = Page::new(AWAY);
    // A frame stands for the window: the browser's own page for a host that is not there may cut a window off.
    eval(
        "window.frame = document.createElement('iframe'); frame.sandbox = ''; document.body.append(frame);
        window.realOpen = window.open; window.open = () => frame.contentWindow;",
    );
    page.click("first");
    eval("window.open = realOpen");
    page.waits().await;
    // Until the provider's page, or the browser's own in its place, is there and was seen.
    until("a page that may not be looked into", || {
        eval("(() => { try { return first.location.href && false; } catch { return true; } })()").is_truthy()
    })
    .await;
    wait(1500).await;
    assert_eq!((page.working(), kept().as_str()), (Some(Step::InPopup), "transaction"));
    assert!(!is_closed("first"), "it is still there");
    eval("window.closedAt = performance.now(); frame.remove()");
    until("that it is over", || page.code().is_some()).await;
    assert_eq!((page.code(), kept().as_str()), (Some(Code::PopupClosed), ""));
    let took = eval("performance.now() - closedAt").as_f64().expect("a number");
    assert!(took < 2000.0, "{took} ms");
    // What the window is made to say after that is not heard.
    let state = state_of_the_sign_in();
    eval(&format!(
        "dispatchEvent(new MessageEvent('message', {{origin, source: first,
            data: {{v: 1, type: 'polar-signin:callback', query: 'code=C-1&state={state}'}}}}))"
    ));
    wait(100).await;
    assert_eq!((page.code(), token_requests().as_str(), kept().as_str()), (Some(Code::PopupClosed), "", ""));
    // What is said on the channel is: only a window that was cut off, and not closed, says something.
    let digest = format!("crypto.subtle.digest('SHA-256', new TextEncoder().encode('{state}'))");
    settle(&format!(
        "{digest}.then(digest => {{
            const hash = btoa(String.fromCharCode(...new Uint8Array(digest).slice(0, 16)))
                .replace(/\\+/g, '-').replace(/\\//g, '_').replace(/=/g, '');
            const line = new BroadcastChannel('polar-signin:v1:callback:' + hash);
            line.postMessage({{v: 1, type: 'polar-signin:callback', query: 'code=C-2&state={state}'}});
            line.close();
        }})"
    ))
    .await;
    until("the provider's answer", || page.code() == Some(Code::GrantRefused)).await;
    assert_eq!((token_requests().as_str(), kept().as_str()), ("C-2", ""));
}

#[wasm_bindgen_test]
async fn pm_08_no_window_or_one_that_is_closed_already() {
    let page = Page::new(HERE);
    page.client.sign_in_popup(SignIn::default(), None);
    assert_eq!(page.code(), Some(Code::PopupBlocked));
    page.client.dismiss_error();
    // Some blockers close what they have let open.
    let window = popup::open(POPUP_KEY).expect("a window");
    window.close().expect("ours to close");
    until("that it is closed", || window.closed().unwrap_or(false)).await;
    page.client.sign_in_popup(SignIn::default(), Some(window));
    assert_eq!((page.code(), kept().as_str()), (Some(Code::PopupBlocked), ""));
    // Closed before the provider is known, when nobody but this page has been in it.
    page.client.dismiss_error();
    eval(
        "const soon = answer; window.answer = (...call) => new Promise(done => setTimeout(done, 600)).then(() => soon(...call))",
    );
    page.click("first");
    eval("first.close()");
    until("that it is over", || page.code().is_some()).await;
    assert_eq!((page.code(), kept().as_str()), (Some(Code::PopupClosed), ""));
}

#[wasm_bindgen_test]
async fn pm_09_the_page_in_the_window_keeps_and_reads_nothing() {
    eval("sessionStorage.clear()");
    let opener = "{postMessage: (data, target) => handed.push([data.query, target])}";
    eval(&format!(
        "for (const key of ['x:session', 'x.1:session', 'x:transaction:h', 'x:active', 'popup'])
            sessionStorage.setItem('polar-signin:v1:' + key, 'secret');
        sessionStorage.setItem('cart', '3');
        window.handed = []; window.reads = []; window.closes = 0;
        window.realClose = window.close; window.close = () => {{ closes += 1; }};
        Object.defineProperty(window, 'opener', {{value: {opener}, configurable: true}});
        window.realGet = Storage.prototype.getItem;
        Storage.prototype.getItem = function (key) {{ reads.push(key); return realGet.call(this, key); }};
        history.replaceState(null, '', '/callback?code=C-1&state=S&tab=2');"
    ));
    let page = Page::open();
    eval("Storage.prototype.getItem = realGet; window.close = realClose; delete window.opener");
    assert_eq!(text("JSON.stringify(handed)"), text("JSON.stringify([['code=C-1&state=S&tab=2', origin]])"));
    assert_eq!(text("Object.keys(sessionStorage).sort().join()"), "cart,polar-signin:v1:popup");
    assert_eq!(text("reads.filter(key => /session|transaction|active|cart/.test(key)).join()"), "", "unread");
    assert_eq!((eval("closes").as_f64(), text("location.search").as_str()), (Some(1.0), "?tab=2"));
    // It could not be closed: it stays readable, and does nothing.
    let shown = page.shown.borrow().clone();
    assert!(shown.snapshot.in_popup && shown.identities.is_empty() && shown.snapshot.account.is_none());
    page.client.sign_in(SignIn::default());
    wait(100).await;
    assert!(page.working().is_none() && page.shown.borrow().snapshot.in_popup);
    eval("sessionStorage.clear(); history.replaceState(null, '', '/')");
}

#[wasm_bindgen_test]
async fn pm_10_giving_up_closes_the_window_and_forgets() {
    let page = Page::new(HERE);
    page.click("first");
    let state = state_in("first").await;
    page.client.cancel();
    assert_eq!((page.working(), page.code(), kept().as_str()), (None, None, ""));
    until("that the window is closed", || is_closed("first")).await;
    eval(&format!(
        "dispatchEvent(new MessageEvent('message', {{origin, source: first,
            data: {{v: 1, type: 'polar-signin:callback', query: 'code=C-1&state={state}'}}}}))"
    ));
    wait(100).await;
    assert_eq!((token_requests().as_str(), page.code()), ("", None));
    // This page is left while the window is open: nobody would hear what it brings.
    page.click("second");
    state_in("second").await;
    eval("dispatchEvent(new PageTransitionEvent('pagehide'))");
    assert_eq!(kept(), "");
    until("that the window is closed", || is_closed("second")).await;
}

#[wasm_bindgen_test]
async fn pm_11_a_second_click_takes_the_second_window() {
    let page = Page::new(HERE);
    page.click("first");
    let first = state_in("first").await;
    page.click("second");
    until("that the first is closed", || is_closed("first")).await;
    let second = state_in("second").await;
    assert_ne!(first, second);
    assert_eq!(kept(), "transaction");
    says("second", &format!("code=C-1&state={first}"));
    wait(100).await;
    assert_eq!((token_requests().as_str(), page.working()), ("", Some(Step::InPopup)));
    says("second", &format!("code=C-2&state={second}"));
    until("the second's answer", || token_requests() == "C-2" && is_closed("second")).await;
}
