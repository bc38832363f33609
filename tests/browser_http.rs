// long: one capability, all of whose edges need the same stand-in for fetch

//! `browser::http` in a real browser, behind a `fetch` that each test answers as it likes with
//! real `Response` objects and streams.
#![cfg(target_arch = "wasm32")]

use std::{future::Future, pin::pin, task::Poll};

use js_sys::{Function, Reflect};
use polar_signin::browser::http::{self, Abort, Failure, Limits, Method, Outcome, Request, Response, send};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// Replaces `fetch` before the first use of ours: it records each call and asks `answer`.
fn answer_with(answer: &str) {
    eval(
        "if (!window.realFetch) {
            window.realFetch = window.fetch.bind(window);
            window.unhandled = [];
            window.addEventListener('unhandledrejection', event => window.unhandled.push(String(event.reason)));
            window.fetch = (...call) => { window.calls.push(call); return window.answer(...call); };
        }
        window.calls = [];
        window.cancelled = 0;
        window.bytes = (...chunks) => new ReadableStream({
            pull(controller) {
                if (chunks.length) controller.enqueue(new Uint8Array(chunks.shift()));
                else controller.close();
            },
            cancel() { window.cancelled += 1; },
        }, { highWaterMark: 0 });",
    );
    eval(&format!("window.answer = {answer}"));
    http::capture();
}

fn eval(source: &str) -> JsValue {
    js_sys::eval(source).unwrap_or_else(|error| panic!("{source}: {error:?}"))
}

fn number(source: &str) -> f64 {
    eval(source).as_f64().expect("a number")
}

fn text(source: &str) -> String {
    eval(source).as_string().expect("a text")
}

/// Waits for a promise that the source makes.
async fn settle(source: &str) -> JsValue {
    wasm_bindgen_futures::JsFuture::from(js_sys::Promise::resolve(&eval(source))).await.expect("no rejection")
}

fn get(url: &str) -> Request {
    let url = url.to_owned();
    Request {
        method: Method::Get,
        url,
        accept: "application/json",
        content_type: None,
        authorization: None,
        dpop: None,
        body: None,
    }
}

fn post(url: &str) -> Request {
    Request {
        method: Method::Post,
        content_type: Some("application/x-www-form-urlencoded"),
        authorization: Some("Bearer t0ken".to_owned()),
        body: Some("a=1&b=2".to_owned()),
        ..get(url)
    }
}

const ELSEWHERE: &str = "https://elsewhere.example/path";

async fn outcome(request: Request, limits: Limits) -> Outcome {
    send(request, limits, &Abort::new()).await
}

/// The outcome of a GET under narrow limits.
async fn fetched() -> Outcome {
    outcome(get(ELSEWHERE), Limits { deadline_ms: 5_000, body: 1_000, error_body: 100 }).await
}

fn answered(outcome: Outcome) -> Response {
    match outcome {
        Outcome::Answered(response) => response,
        Outcome::NotSent(failure) => panic!("not sent: {failure:?}"),
        Outcome::Unknown(failure) => panic!("unknown: {failure:?}"),
    }
}

fn unknown(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Unknown(failure) => failure,
        Outcome::NotSent(failure) => panic!("not sent: {failure:?}"),
        Outcome::Answered(response) => panic!("answered with {}", response.status),
    }
}

fn not_sent(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::NotSent(failure) => failure,
        Outcome::Unknown(failure) => panic!("unknown: {failure:?}"),
        Outcome::Answered(response) => panic!("answered with {}", response.status),
    }
}

/// What the browser was asked for, as the browser itself understood it.
const SEEN: &str = "(async () => {
    const [request, ...more] = window.calls[0];
    return JSON.stringify([
        more.length, request instanceof Request, request.url, request.method, request.mode, request.credentials,
        request.redirect, request.cache, request.referrerPolicy, request.keepalive, request.integrity,
        request.signal.aborted, [...request.headers], await request.text(),
    ]);
})()";

const POSTED: &str = "[0,true,\"https://elsewhere.example/path\",\"POST\",\"cors\",\"omit\",\"error\",\"no-store\",\
    \"no-referrer\",false,\"\",true,[[\"accept\",\"application/json\"],[\"authorization\",\"Bearer t0ken\"],\
    [\"content-type\",\"application/x-www-form-urlencoded\"]],\"a=1&b=2\"]";

#[wasm_bindgen_test]
async fn tk_22_every_member_of_a_request_is_set() {
    answer_with("() => new Response('{}')");
    answered(outcome(post(ELSEWHERE), Limits::default()).await);
    // The signal has fired: what is finished is let go of.
    assert_eq!(settle(SEEN).await.as_string().expect("text"), POSTED);

    answer_with("() => new Response('{}')");
    answered(outcome(get(ELSEWHERE), Limits::default()).await);
    let seen = settle(SEEN).await.as_string().expect("text");
    assert_eq!(
        seen,
        "[0,true,\"https://elsewhere.example/path\",\"GET\",\"cors\",\"omit\",\"error\",\"no-store\",\
        \"no-referrer\",false,\"\",true,[[\"accept\",\"application/json\"]],\"\"]"
    );
}

struct Pollution;

impl Pollution {
    fn new() -> Self {
        eval(
            "Object.assign(Object.prototype, {
                method: 'PUT', body: 'stolen', headers: {'x-evil': '1'}, redirect: 'follow', credentials: 'include',
                mode: 'no-cors', cache: 'force-cache', signal: AbortSignal.abort(), referrerPolicy: 'unsafe-url',
                integrity: 'sha256-AAAA', keepalive: true, referrer: '/evil', 'x-evil': 'header', accept: 'evil/1',
            })",
        );
        Self
    }
}

impl Drop for Pollution {
    fn drop(&mut self) {
        eval("for (const name of Object.keys(Object.prototype)) delete Object.prototype[name]");
    }
}

#[wasm_bindgen_test]
async fn st_13_a_polluted_object_prototype_changes_no_request() {
    answer_with("() => new Response('{}')");
    let pollution = Pollution::new();
    // The pollution does what it is here for: a plain object is obeyed with all that it inherits.
    assert_eq!(text("new Request('https://elsewhere.example/', {mode: 'cors'}).credentials"), "include");
    let outcome = outcome(post(ELSEWHERE), Limits::default()).await;
    drop(pollution);
    answered(outcome);
    assert_eq!(settle(SEEN).await.as_string().expect("text"), POSTED);
}

#[wasm_bindgen_test]
async fn st_14_what_later_scripts_do_to_fetch_does_not_reach_us() {
    answer_with("() => new Response('{}')");
    eval(
        "window.kept = [window.fetch, window.Request];
        window.fetch = () => { throw new Error('patched'); };
        window.Request = function () { throw new Error('patched'); };",
    );
    let outcome = fetched().await;
    eval("[window.fetch, window.Request] = window.kept");
    assert_eq!(answered(outcome).body, b"{}");
}

#[wasm_bindgen_test]
async fn an_answer_from_a_real_server_is_whole() {
    answer_with("call => window.realFetch(call)");
    let here = text("location.href");
    let response = answered(outcome(get(&here), Limits::default()).await);
    assert_eq!(response.status, 200);
    assert!(response.content_type.is_some_and(|kind| kind.starts_with("text/html")));
    assert!(String::from_utf8(response.body).expect("text").contains("</html>"));
    // Nobody listens there.
    assert_eq!(unknown(outcome(get("http://127.0.0.1:1/"), Limits::default()).await), Failure::Network);
    assert_eq!(unknown(outcome(get(ELSEWHERE), Limits::default()).await), Failure::Network);
}

#[wasm_bindgen_test]
async fn status_and_headers_are_read() {
    answer_with(
        "() => new Response('slow down', {status: 429, headers: {'Content-Type': 'Text/Plain; x=1', 'Retry-After': '7'}})",
    );
    let response = answered(fetched().await);
    assert_eq!(response.status, 429);
    assert_eq!(response.content_type.as_deref(), Some("Text/Plain; x=1"));
    assert_eq!(response.retry_after.as_deref(), Some("7"));
    assert_eq!(response.body, b"slow down");

    answer_with("() => new Response(window.bytes([1, 2], [], [3]))");
    let response = answered(fetched().await);
    assert_eq!((response.content_type, response.retry_after, response.body), (None, None, vec![1, 2, 3]));
}

#[wasm_bindgen_test]
async fn nw_06_a_body_ends_at_its_limit() {
    answer_with("() => new Response(window.bytes(400, 600))");
    assert_eq!(answered(fetched().await).body.len(), 1_000);
    assert_eq!(number("window.cancelled"), 0.0);

    answer_with("() => new Response(window.bytes(400, 600, 1, 1))");
    assert_eq!(unknown(fetched().await), Failure::TooLarge);
    assert_eq!(number("window.cancelled"), 1.0);
}

#[wasm_bindgen_test]
async fn nw_06_a_huge_chunk_is_not_copied() {
    answer_with("() => new Response(window.bytes(64 * 1024 * 1024))");
    let before = core::arch::wasm32::memory_size::<0>();
    assert_eq!(unknown(fetched().await), Failure::TooLarge);
    let grown = core::arch::wasm32::memory_size::<0>() - before;
    assert!(grown * 65_536 < 8 * 1024 * 1024, "grew by {grown} pages");
    assert_eq!(number("window.cancelled"), 1.0);

    answer_with("() => new Response(window.bytes(64 * 1024 * 1024), {status: 500})");
    let before = core::arch::wasm32::memory_size::<0>();
    assert_eq!(answered(fetched().await).body.len(), 100);
    let grown = core::arch::wasm32::memory_size::<0>() - before;
    assert!(grown * 65_536 < 8 * 1024 * 1024, "grew by {grown} pages");
}

#[wasm_bindgen_test]
async fn p_3_of_an_error_the_beginning_is_kept() {
    answer_with("() => new Response(window.bytes([7, 8], 97, [1, 2, 3], 5), {status: 503})");
    let response = answered(fetched().await);
    assert_eq!(response.status, 503);
    assert_eq!(response.body.len(), 100);
    assert_eq!((&response.body[..3], response.body[99]), (&[7, 8, 0][..], 1));
    assert_eq!(number("window.cancelled"), 1.0);
}

#[wasm_bindgen_test]
async fn nw_05_the_deadline_covers_a_dripping_body() {
    answer_with(
        "() => new Response(new ReadableStream({
            async pull(controller) {
                await new Promise(done => setTimeout(done, 30));
                controller.enqueue(new Uint8Array(1));
            },
            cancel() { window.cancelled += 1; },
        }))",
    );
    let start = number("performance.now()");
    let limits = Limits { deadline_ms: 300, ..Limits::default() };
    assert_eq!(unknown(outcome(get(ELSEWHERE), limits).await), Failure::Timeout);
    let took = number("performance.now()") - start;
    assert!((290.0..2_000.0).contains(&took), "{took} ms");
    assert_eq!(eval("window.calls[0][0].signal.aborted"), true);
}

#[wasm_bindgen_test]
async fn nw_04_the_deadline_covers_a_fetch_that_heeds_no_signal() {
    answer_with("() => new Promise(() => {})");
    let limits = Limits { deadline_ms: 100, ..Limits::default() };
    assert_eq!(unknown(outcome(post(ELSEWHERE), limits).await), Failure::Timeout);
    assert_eq!(eval("window.calls[0][0].signal.aborted"), true);
}

#[wasm_bindgen_test]
async fn nothing_that_fetch_rejects_with_panics() {
    for reason in ["'text'", "undefined", "null", "7", "{}", "Symbol('s')", "new Error('e')", "new DOMException('d')"] {
        answer_with(&format!("() => Promise.reject({reason})"));
        assert_eq!(unknown(fetched().await), Failure::Network, "{reason}");
        answer_with(&format!("() => {{ throw {reason}; }}"));
        assert_eq!(unknown(fetched().await), Failure::Network, "thrown {reason}");
    }
}

#[wasm_bindgen_test]
async fn nothing_that_fetch_returns_panics() {
    for value in ["undefined", "null", "'text'", "({})", "({then: 7})", "Response.error()"] {
        answer_with(&format!("() => {value}"));
        assert_eq!(unknown(fetched().await), Failure::Network, "{value}");
    }
    // A wrapper need not return a promise of the browser's own make.
    answer_with("() => ({then: done => done(new Response('ok'))})");
    assert_eq!(answered(fetched().await).body, b"ok");
    // It may have begun to read the body, or put something into it that is no bytes.
    answer_with("() => { const response = new Response('ok'); response.body.getReader(); return response; }");
    assert_eq!(unknown(fetched().await), Failure::Network);
    answer_with("() => new Response(new ReadableStream({start(it) { it.enqueue('text'); it.close(); }}))");
    assert_eq!(unknown(fetched().await), Failure::Network);
}

#[wasm_bindgen_test]
async fn what_cannot_be_built_is_not_sent() {
    answer_with("() => new Response('{}')");
    for url in ["https://", "https://person:secret@elsewhere.example/", "https://elsewhere.example:99999/"] {
        assert_eq!(not_sent(outcome(get(url), Limits::default()).await), Failure::Network, "{url}");
    }
    let broken = Request { authorization: Some("Bearer a\r\nX-Evil: 1".to_owned()), ..get(ELSEWHERE) };
    assert_eq!(not_sent(outcome(broken, Limits::default()).await), Failure::Network);
    assert_eq!(number("window.calls.length"), 0.0);
}

#[wasm_bindgen_test]
async fn nw_01_offline_nothing_is_sent_elsewhere() {
    answer_with("() => Promise.reject(new TypeError('Failed to fetch'))");
    eval("Object.defineProperty(navigator, 'onLine', {get: () => false, configurable: true})");
    let away = outcome(post(ELSEWHERE), Limits::default()).await;
    let calls = number("window.calls.length");
    let mut near = Vec::new();
    for url in ["http://127.0.0.1:4000/a", "http://localhost/?a", "http://[::1]:4000/"] {
        near.push(outcome(get(url), Limits::default()).await);
    }
    near.push(outcome(get(&text("location.origin + '/config.json'")), Limits::default()).await);
    let mut far = Vec::new();
    for url in ["https://127x.example/", "https://example/?http://localhost/", "https://example:127.0.0.1"] {
        far.push(outcome(get(url), Limits::default()).await);
    }
    eval("delete navigator.onLine");

    assert_eq!(not_sent(away), Failure::Offline);
    assert_eq!(calls, 0.0);
    for outcome in near {
        assert_eq!(unknown(outcome), Failure::Offline);
    }
    for outcome in far {
        assert_eq!(not_sent(outcome), Failure::Offline);
    }
    assert_eq!(number("window.calls.length"), 4.0);
}

#[wasm_bindgen_test]
async fn nw_11_an_aborted_request_ends_at_once() {
    answer_with("({signal}) => new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason)))");
    let abort = Abort::new();
    let both = [get(ELSEWHERE), post(ELSEWHERE)].map(|request| send(request, Limits::default(), &abort));
    let [mut first, mut second] = both.map(Box::pin);
    assert!(still_waits(&mut first).await && still_waits(&mut second).await);
    assert_eq!(number("window.calls.filter(([call]) => call.signal.aborted).length"), 0.0);
    abort.abort();
    assert_eq!(number("window.calls.filter(([call]) => call.signal.aborted).length"), 2.0);
    assert_eq!((unknown(first.await), unknown(second.await)), (Failure::Aborted, Failure::Aborted));

    assert_eq!(not_sent(send(get(ELSEWHERE), Limits::default(), &abort).await), Failure::Aborted);
    assert_eq!(number("window.calls.length"), 2.0);
}

#[wasm_bindgen_test]
async fn nw_11_a_forgotten_request_is_aborted() {
    answer_with("() => new Promise(() => {})");
    let abort = Abort::new();
    {
        let mut forgotten = pin!(send(get(ELSEWHERE), Limits::default(), &abort));
        assert!(still_waits(&mut forgotten).await);
        assert_eq!(eval("window.calls[0][0].signal.aborted"), false);
    }
    assert_eq!(eval("window.calls[0][0].signal.aborted"), true);
    // The handle serves on: one request's end is not the other's.
    answer_with("() => new Response('ok')");
    assert_eq!(answered(send(get(ELSEWHERE), Limits::default(), &abort).await).body, b"ok");
    // It holds on to nothing that has ended.
    eval(
        "window.aborts = 0;
        window.realAbort = AbortController.prototype.abort;
        AbortController.prototype.abort = () => { window.aborts += 1; };",
    );
    abort.abort();
    eval("AbortController.prototype.abort = window.realAbort");
    assert_eq!(number("window.aborts"), 0.0);
}

#[wasm_bindgen_test]
async fn nw_04_one_requests_deadline_leaves_the_others_alone() {
    answer_with(
        "({url}) => new Promise(done => url.endsWith('slow') || setTimeout(() => done(new Response('ok')), 200))",
    );
    let abort = Abort::new();
    let limits = |deadline_ms| Limits { deadline_ms, ..Limits::default() };
    let mut patient = Box::pin(send(get(ELSEWHERE), limits(5_000), &abort));
    assert!(still_waits(&mut patient).await);
    let slow = send(get("https://elsewhere.example/slow"), limits(50), &abort).await;
    assert_eq!(unknown(slow), Failure::Timeout);
    assert_eq!(answered(patient.await).body, b"ok");
}

#[wasm_bindgen_test]
async fn nw_07_a_broken_off_body_is_no_answer() {
    answer_with(
        "() => new Response(new ReadableStream({
            start(it) { it.enqueue(new Uint8Array([123, 125])); },
            pull(it) { it.error(new TypeError('network error')); },
        }))",
    );
    assert_eq!(unknown(fetched().await), Failure::Truncated);
    // A browser that ends the body quietly gives itself away by the announced length.
    answer_with("() => new Response('{\"a\":1}', {headers: {'Content-Length': '100'}})");
    assert_eq!(unknown(fetched().await), Failure::Truncated);
    // An encoded body can be a little longer than what it encodes.
    answer_with("() => new Response('{\"a\":1}', {headers: {'Content-Length': '40'}})");
    assert_eq!(answered(fetched().await).body, b"{\"a\":1}");
}

#[wasm_bindgen_test]
async fn nw_07_without_a_stream_the_length_must_be_known() {
    let without_stream = |init: &str| {
        answer_with(&format!(
            "() => {{
                const response = new Response('12345', {init});
                response.body;
                Object.defineProperty(response, 'body', {{value: null}});
                return response;
            }}"
        ));
    };
    without_stream("{headers: {'Content-Length': '5'}}");
    assert_eq!(answered(fetched().await).body, b"12345");
    for headers in ["{}", "{'Content-Length': '1001'}", "{'Content-Length': '4'}", "{'Content-Length': '-5'}"] {
        without_stream(&format!("{{headers: {headers}}}"));
        assert_eq!(unknown(fetched().await), Failure::TooLarge, "{headers}");
    }
    for status in [204, 205, 304] {
        answer_with(&format!("() => new Response(null, {{status: {status}}})"));
        let response = answered(fetched().await);
        assert_eq!((response.status, response.body.len()), (status, 0));
    }
}

#[wasm_bindgen_test]
async fn nothing_is_left_for_the_page_to_report() {
    answer_with(
        "() => new Response(new ReadableStream({
            pull(it) { it.enqueue(new Uint8Array(2000)); },
            cancel() { throw new Error('cannot cancel'); },
        }))",
    );
    assert_eq!(unknown(fetched().await), Failure::TooLarge);
    answer_with("() => new Promise((_, no) => setTimeout(() => no('late'), 60))");
    let limits = Limits { deadline_ms: 20, ..Limits::default() };
    assert_eq!(unknown(outcome(get(ELSEWHERE), limits).await), Failure::Timeout);
    settle("new Promise(done => setTimeout(done, 200))").await;
    assert_eq!(text("window.unhandled.join()"), "");
    // The ear is not deaf.
    eval("Promise.reject('heard')");
    settle("new Promise(done => setTimeout(done, 50))").await;
    assert_eq!(text("window.unhandled.splice(0).join()"), "heard");
}

/// Polls once, lets the browser do its work, and polls again.
async fn still_waits<F: Future + Unpin>(future: &mut F) -> bool {
    let first = std::future::poll_fn(|context| Poll::Ready(pin!(&mut *future).poll(context).is_pending())).await;
    settle("new Promise(done => setTimeout(done, 10))").await;
    first && std::future::poll_fn(|context| Poll::Ready(pin!(&mut *future).poll(context).is_pending())).await
}

#[wasm_bindgen_test]
fn the_tests_fetch_is_not_the_browsers() {
    answer_with("() => 'mine'");
    let fetch: Function =
        Reflect::get(&js_sys::global(), &"fetch".into()).expect("there").dyn_into().expect("function");
    assert_eq!(fetch.call0(&JsValue::UNDEFINED).expect("called"), "mine");
}
