//! One request: sent once, bounded in time and size, or a plain word why not.
//!
//! What is gloo-net's here is the reading of an answer's head. The rest it cannot do:
//! - Its builder hands the browser a plain `{}`, which also has whatever somebody put on
//!   `Object.prototype`; here every member is set on an object without a prototype.
//! - Its `send` looks up `window.fetch` at every call; here `fetch` and `Request` are looked up
//!   once, at the start ([`capture`]), before later scripts can replace them.
//! - It panics if `fetch` rejects with something that is no `Error` (a wrapper's string, the
//!   reason of an abort). Here no rejection is looked at: the browser does not say why anyway.
//! - It reads a body to its end, however long and slow. Here one deadline covers connecting,
//!   head and body, and a chunk's length is checked before the chunk is copied: one chunk alone
//!   can be larger than the bound.

use std::{
    cell::{Cell, OnceCell},
    future::Future,
    pin::pin,
    rc::Rc,
    task::{Poll, Waker},
};

use gloo_net::http;
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, ReadableStream, ReadableStreamDefaultReader};

use super::{
    clock::{self, Timer},
    member, navigation, options,
};

/// How to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
}

/// What to ask. It can hold secrets, so it cannot be printed.
pub struct Request {
    /// How.
    pub method: Method,
    /// Where.
    pub url: String,
    /// The header `Accept`.
    pub accept: &'static str,
    /// The header `Content-Type`.
    pub content_type: Option<&'static str>,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// The header `DPoP`.
    pub dpop: Option<String>,
    /// The body.
    pub body: Option<String>,
}

/// How long and how much, at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Milliseconds for all of it, to the body's last byte.
    pub deadline_ms: i32,
    /// Bytes of the body, after decoding; more is a failure.
    pub body: usize,
    /// Bytes of the body that are kept if the status is not 2xx; the rest is not read.
    pub error_body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { deadline_ms: 15_000, body: 256 * 1024, error_body: 16 * 1024 }
    }
}

/// An answer, whole.
pub struct Response {
    /// The status.
    pub status: u16,
    /// The header `Content-Type`.
    pub content_type: Option<String>,
    /// The header `Retry-After`; from another origin only if that lets us read it.
    pub retry_after: Option<String>,
    /// The header `DPoP-Nonce`, likewise.
    pub dpop_nonce: Option<String>,
    /// The header `WWW-Authenticate`, likewise.
    pub www_authenticate: Option<String>,
    /// The body; the beginning of it if the status is not 2xx.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The browser has no network.
    Offline,
    /// The browser gives no reason: DNS, TLS, CORS, CSP, a redirect, a refused connection.
    Network,
    /// The deadline passed.
    Timeout,
    /// The body went over its limit.
    TooLarge,
    /// Our own side gave up.
    Aborted,
    /// The body broke off.
    Truncated,
}

/// What came of it.
pub enum Outcome {
    /// The server answered.
    Answered(Response),
    /// Certainly nothing left this machine.
    NotSent(Failure),
    /// The server may have acted on it.
    Unknown(Failure),
}

/// Gives up the requests that it was passed to: by [`Abort::abort`], or when it is dropped.
/// (A request is given up as well when the future of [`send`] is dropped.)
#[derive(Default)]
#[must_use = "dropping the handle aborts the request"]
pub struct Abort {
    aborted: Cell<bool>,
    flights: Cell<Vec<Rc<Flight>>>,
}

impl Abort {
    /// For one request or several.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives up, now and for every later request with this handle.
    pub fn abort(&self) {
        self.aborted.set(true);
        for flight in self.flights.take() {
            flight.stop(Failure::Aborted);
        }
    }

    fn list(&self, change: impl FnOnce(&mut Vec<Rc<Flight>>)) {
        let mut flights = self.flights.take();
        change(&mut flights);
        self.flights.set(flights);
    }
}

impl Drop for Abort {
    fn drop(&mut self) {
        self.abort();
    }
}

/// Looks up the browser's `fetch`, for good. [`send`] does it at first use; a page calls this as
/// early as it can, so that what other scripts do to `fetch` later does not reach us.
pub fn capture() {
    NATIVE.with(|native| {
        native.get_or_init(Native::find);
    });
}

/// Sends once. Never sends again, never follows a redirect, never sends or takes cookies.
pub async fn send(request: Request, limits: Limits, abort: &Abort) -> Outcome {
    capture();
    if abort.aborted.get() {
        return Outcome::NotSent(Failure::Aborted);
    }
    if !clock::is_online() && !navigation::is_near(&request.url) {
        return Outcome::NotSent(Failure::Offline);
    }
    let Some(flight) = Flight::start(abort) else { return Outcome::NotSent(Failure::Network) };
    let stop = flight.0.clone();
    let _deadline = Timer::after(limits.deadline_ms.into(), move || stop.stop(Failure::Timeout));
    let Some(answer) = NATIVE.with(|native| native.get()?.as_ref()?.send(&request, &flight.0.controller)) else {
        return Outcome::NotSent(Failure::Network);
    };
    // The body of the request is in the browser's hands now; no copy of it stays in ours.
    drop(request);
    match receive(answer, limits, &flight.0).await {
        Ok(response) => Outcome::Answered(response),
        Err(Failure::Network) if !clock::is_online() => Outcome::Unknown(Failure::Offline),
        Err(failure) => Outcome::Unknown(failure),
    }
}

async fn receive(answer: Promise, limits: Limits, flight: &Flight) -> Result<Response, Failure> {
    let answer = flight.wait(answer).await?.map_err(|_| Failure::Network)?;
    let head: http::Response = answer.dyn_into::<web_sys::Response>().map_err(|_| Failure::Network)?.into();
    let status = head.status();
    // An answer without a status is the browser's way of hiding it (opaque, error).
    if status == 0 {
        return Err(Failure::Network);
    }
    let headers = head.headers();
    let length = headers.get("content-length").and_then(|length| length.parse().ok());
    let body = match head.body() {
        Some(stream) => {
            let limit = if head.ok() { Limit::Refuse(limits.body) } else { Limit::Cut(limits.error_body) };
            read(&stream, limit, length, flight).await?
        }
        None if matches!(status, 204 | 205 | 304) => Vec::new(),
        None => read_whole(&head.into(), length.filter(|length| *length <= limits.body), flight).await?,
    };
    Ok(Response {
        status,
        content_type: headers.get("content-type"),
        retry_after: headers.get("retry-after"),
        dpop_nonce: headers.get("dpop-nonce"),
        www_authenticate: headers.get("www-authenticate"),
        body,
    })
}

/// What happens at the limit.
#[derive(Clone, Copy)]
enum Limit {
    /// More is a failure.
    Refuse(usize),
    /// More is left unread.
    Cut(usize),
}

/// Reads a stream, chunk by chunk, up to the limit.
async fn read(
    stream: &ReadableStream,
    limit: Limit,
    announced: Option<usize>,
    flight: &Flight,
) -> Result<Vec<u8>, Failure> {
    let (Limit::Refuse(most) | Limit::Cut(most)) = limit;
    // Fails if a page's wrapper has begun to read the body itself.
    let reader = ReadableStreamDefaultReader::new(stream).map_err(|_| Failure::Network)?;
    let mut body = Vec::new();
    loop {
        let step = flight.wait(reader.read()).await?.map_err(|_| Failure::Truncated)?;
        if member(&step, "done").is_truthy() {
            break;
        }
        let chunk: Uint8Array = member(&step, "value").dyn_into().map_err(|_| Failure::Network)?;
        let room = most - body.len();
        let fits = chunk.length() as usize <= room;
        if let (false, Limit::Refuse(_)) = (fits, limit) {
            cancel(&reader);
            return Err(Failure::TooLarge);
        }
        append(&mut body, &if fits { chunk } else { chunk.subarray(0, room as u32) });
        if !fits {
            cancel(&reader);
            return Ok(body);
        }
    }
    // Some browsers end a body quietly where its connection was cut. The announced length is that
    // of the encoded body, and whether it was encoded cannot be read across origins; but encoding
    // makes nothing longer by more than a few bytes.
    match announced {
        Some(announced) if announced > body.len().saturating_add(ENCODING_OVERHEAD) => Err(Failure::Truncated),
        _ => Ok(body),
    }
}

/// Reads a body that the browser gives no stream for: only if its length is known beforehand.
async fn read_whole(response: &web_sys::Response, length: Option<usize>, flight: &Flight) -> Result<Vec<u8>, Failure> {
    let most = length.ok_or(Failure::TooLarge)?;
    let buffer = response.array_buffer().map_err(|_| Failure::Truncated)?;
    let buffer = flight.wait(buffer).await?.map_err(|_| Failure::Truncated)?;
    let bytes = Uint8Array::new(&buffer);
    if bytes.length() as usize > most {
        return Err(Failure::TooLarge);
    }
    let mut body = Vec::new();
    append(&mut body, &bytes);
    Ok(body)
}

fn append(body: &mut Vec<u8>, chunk: &Uint8Array) {
    let start = body.len();
    body.resize(start + chunk.length() as usize, 0);
    chunk.copy_to(&mut body[start..]);
}

/// Tells the browser that no more is wanted. Dropping the future is right: from its making it
/// counts as having heard of a rejection, which would be reported as unhandled otherwise.
fn cancel(reader: &ReadableStreamDefaultReader) {
    drop(JsFuture::from(reader.cancel()));
}

/// One request under way.
struct Flight {
    controller: AbortController,
    stopped: Cell<Option<Failure>>,
    waker: Cell<Option<Waker>>,
}

/// Keeps a flight listed with its [`Abort`]. However the request ends, the browser may let go of
/// everything that belongs to it then; aborting what is finished does nothing.
struct Listed<'a>(Rc<Flight>, &'a Abort);

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.1.list(|flights| flights.retain(|flight| !Rc::ptr_eq(flight, &self.0)));
        self.0.controller.abort();
    }
}

impl Flight {
    fn start(abort: &Abort) -> Option<Listed<'_>> {
        let controller = AbortController::new().ok()?;
        let flight = Rc::new(Self { controller, stopped: Cell::new(None), waker: Cell::new(None) });
        abort.list(|flights| flights.push(Rc::clone(&flight)));
        Some(Listed(flight, abort))
    }

    fn stop(&self, why: Failure) {
        if self.stopped.get().is_none() {
            self.stopped.set(Some(why));
            self.controller.abort();
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
    }

    /// Waits for the promise, but no longer than until the flight is stopped: a page's wrapper of
    /// `fetch` may not heed the signal.
    async fn wait(&self, promise: Promise) -> Result<Result<JsValue, JsValue>, Failure> {
        let mut promise = pin!(JsFuture::from(promise));
        std::future::poll_fn(|context| {
            if let Some(why) = self.stopped.get() {
                return Poll::Ready(Err(why));
            }
            self.waker.set(Some(context.waker().clone()));
            promise.as_mut().poll(context).map(Ok)
        })
        .await
    }
}

/// The browser's own functions, as they were at the start.
struct Native {
    fetch: Function,
    request: Function,
}

impl Native {
    fn find() -> Option<Self> {
        let global = js_sys::global();
        let fetch = member(&global, "fetch").dyn_into().ok()?;
        let request = member(&global, "Request").dyn_into().ok()?;
        Some(Self { fetch, request })
    }

    /// `None` if the browser refuses to make such a request at all.
    fn send(&self, request: &Request, controller: &AbortController) -> Option<Promise> {
        let arguments = Array::of2(&JsValue::from_str(&request.url), &init(request, controller));
        let request = Reflect::construct(&self.request, &arguments).ok()?;
        // A `fetch` that throws is a wrapper: it may have sent before it threw.
        let answer =
            self.fetch.call1(&js_sys::global(), &request).unwrap_or_else(|error| Promise::reject(&error).into());
        // Whatever a wrapper returns becomes a true promise.
        Some(Promise::resolve(&answer))
    }
}

/// Every member that matters, also where it is the default.
fn init(request: &Request, controller: &AbortController) -> Object {
    let text = JsValue::from_str;
    let mut headers = vec![("accept", text(request.accept))];
    headers.extend(request.content_type.map(|value| ("content-type", text(value))));
    headers.extend(request.authorization.as_deref().map(|value| ("authorization", text(value))));
    headers.extend(request.dpop.as_deref().map(|value| ("dpop", text(value))));
    let method = match request.method {
        Method::Get => "GET",
        Method::Post => "POST",
    };
    options(&[
        ("method", text(method)),
        ("mode", text("cors")),
        ("credentials", text("omit")),
        ("redirect", text("error")),
        ("cache", text("no-store")),
        ("referrerPolicy", text("no-referrer")),
        ("keepalive", JsValue::FALSE),
        ("signal", controller.signal().into()),
        ("headers", options(&headers).into()),
        ("body", request.body.as_deref().map_or(JsValue::NULL, text)),
    ])
}

/// The longest that an encoded body can be beyond what it encodes, for small bodies.
const ENCODING_OVERHEAD: usize = 64;

thread_local! {
    static NATIVE: OnceCell<Option<Native>> = const { OnceCell::new() };
}
