//! From a connection to an answer, and everything that can go wrong in between on demand.

use std::{
    convert::Infallible,
    fmt,
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response,
    body::{Bytes, Frame, Incoming},
    header::{HeaderName, HeaderValue},
};
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::{
    reply::Reply,
    routes::{self, Asked},
    state::Store,
};

/// A way to misbehave, as it was posted to `/control/faults`.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) endpoint: String,
    /// How many times more; `None` means until it is cleared.
    times: Option<u64>,
    /// The members of the JSON that describes it.
    pub(crate) members: Map<String, Value>,
}

/// The connection is cut without an answer.
#[derive(Debug)]
pub(crate) struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut on demand")
    }
}

impl std::error::Error for Cut {}

type Body = BoxBody<Bytes, Cut>;

impl Fault {
    pub(crate) fn parse(value: &Value) -> Option<Self> {
        let members = value.as_object()?.clone();
        let endpoint = members.get("endpoint")?.as_str()?.to_owned();
        let times = members.get("times").and_then(Value::as_u64);
        Some(Self { endpoint, times, members })
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.members.get(name).and_then(Value::as_u64)
    }

    /// Whether the answer is made up, so that the request itself has no effect.
    fn replaces(&self) -> bool {
        let made_up = ["body", "body_base64", "redirect", "gzip_zeros", "repeat_body"];
        made_up.iter().any(|name| self.members.contains_key(*name))
            && self.members.get("processed") != Some(&Value::Bool(true))
    }
}

impl Store {
    /// The fault that is due at this endpoint, counted down.
    pub(crate) fn fault(&mut self, endpoint: &str, grant: Option<&str>) -> Option<Fault> {
        let at = self.faults.iter().position(|fault| {
            fault.endpoint == endpoint && fault.text("grant").is_none_or(|wanted| Some(wanted) == grant)
        })?;
        let fault = self.faults[at].clone();
        match &mut self.faults[at].times {
            Some(0 | 1) => drop(self.faults.remove(at)),
            Some(times) => *times -= 1,
            None => {}
        }
        Some(fault)
    }
}

/// Answers one request.
pub(crate) async fn handle(
    store: Arc<Mutex<Store>>,
    control: bool,
    request: Request<Incoming>,
) -> Result<Response<Body>, Cut> {
    let lock = || store.lock().unwrap_or_else(PoisonError::into_inner);
    let asked = Asked::read(request).await.ok_or(Cut)?;
    if asked.path.starts_with("/control/") {
        let reply = if control { routes::control(&mut lock(), &asked) } else { Reply::not_found() };
        return whole(reply.with_cors());
    }
    let preflight = asked.method == "OPTIONS";
    // A fault on an endpoint can also mean its preflight, if it says so.
    let endpoint = asked.endpoint();
    let grant = asked.form("grant_type");
    let fault = match preflight {
        true => lock().fault(&format!("preflight:{endpoint}"), None),
        false => lock().fault(endpoint, grant.as_deref()),
    };
    let number = lock().note(&asked, fault.as_ref());

    if let Some(delay) = fault.as_ref().and_then(|fault| fault.number("delay_ms")) {
        sleep(Duration::from_millis(delay)).await;
    }
    if fault.as_ref().is_some_and(|fault| fault.members.get("new_key") == Some(&Value::Bool(true))) {
        lock().keys.rotate(false);
    }
    let drop = fault.as_ref().and_then(|fault| fault.text("drop"));
    if drop == Some("before") {
        return Err(Cut);
    }
    let replaced = fault.as_ref().is_some_and(Fault::replaces);
    let mut reply = if preflight {
        Reply::preflight()
    } else if replaced {
        Reply { status: 200, headers: vec![("content-type".into(), "application/json".into())], body: Vec::new() }
    } else {
        routes::answer(&mut lock(), &asked)
    };
    if asked.has_cors()
        && !preflight
        && fault.as_ref().is_none_or(|fault| fault.members.get("cors") != Some(&Value::Bool(false)))
    {
        reply = reply.with_cors();
    }
    if lock().settings.dpop {
        reply = reply.with_dpop_cors();
    }
    if let Some(fault) = &fault {
        spoil(&mut reply, fault);
    }
    lock().note_status(number, reply.status);
    if drop == Some("after") {
        return Err(Cut);
    }
    match fault {
        Some(fault) => in_pieces(reply, &fault),
        None => whole(reply),
    }
}

/// Changes an answer as the fault says.
fn spoil(reply: &mut Reply, fault: &Fault) {
    if let Some(status) = fault.number("status") {
        reply.status = u16::try_from(status).unwrap_or(500);
    }
    if let Some(target) = fault.text("redirect") {
        reply.status = fault.number("status").and_then(|status| u16::try_from(status).ok()).unwrap_or(302);
        reply.headers.push(("location".to_owned(), target.to_owned()));
    }
    if let Some(body) = fault.text("body") {
        reply.body = body.as_bytes().to_vec();
    }
    if let Some(body) = fault.text("body_base64").and_then(|text| STANDARD.decode(text).ok()) {
        reply.body = body;
    }
    if let Some(patch) = fault.members.get("json_merge") {
        let mut value = serde_json::from_slice(&reply.body).unwrap_or_else(|_| json!({}));
        merge(&mut value, Some(patch));
        reply.body = value.to_string().into_bytes();
    }
    if let Some(Value::Object(suffixes)) = fault.members.get("json_suffix") {
        let mut value: Value = serde_json::from_slice(&reply.body).unwrap_or_else(|_| json!({}));
        for (name, suffix) in suffixes {
            value[name] = [value[name].as_str(), suffix.as_str()].into_iter().flatten().collect::<String>().into();
        }
        reply.body = value.to_string().into_bytes();
    }
    // What no JSON value holds: the same member twice.
    if let Some(tail) = fault.text("json_tail")
        && reply.body.last() == Some(&b'}')
    {
        reply.body.pop();
        reply.body.extend_from_slice(tail.as_bytes());
        reply.body.push(b'}');
    }
    if let Some(size) = fault.number("gzip_zeros") {
        reply.body = gzip_of_zeros(size);
        reply.headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
    }
    if let Some(Value::Object(headers)) = fault.members.get("headers") {
        for (name, value) in headers {
            reply.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            reply.headers.extend(value.as_str().map(|value| (name.clone(), value.to_owned())));
        }
    }
    if let Some(Value::Array(names)) = fault.members.get("remove_headers") {
        reply.headers.retain(|(name, _)| !names.iter().any(|gone| gone.as_str() == Some(name)));
    }
}

/// JSON Merge Patch (RFC 7396): `null` removes a member.
pub(crate) fn merge(target: &mut Value, patch: Option<&Value>) {
    match patch {
        None => {}
        Some(Value::Object(members)) => {
            if !target.is_object() {
                *target = json!({});
            }
            for (name, value) in members {
                match target.as_object_mut() {
                    Some(object) if value.is_null() => drop(object.remove(name)),
                    Some(object) => merge(object.entry(name.clone()).or_insert(Value::Null), Some(value)),
                    None => {}
                }
            }
        }
        Some(other) => *target = other.clone(),
    }
}

fn gzip_of_zeros(size: u64) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let block = vec![0; 1 << 16];
    for _ in 0..size.div_ceil(1 << 16) {
        if encoder.write_all(&block).is_err() {
            break;
        }
    }
    encoder.finish().unwrap_or_default()
}

fn head(reply: &Reply) -> hyper::http::response::Builder {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str())) {
            response = response.header(name, value);
        }
    }
    response
}

fn whole(reply: Reply) -> Result<Response<Body>, Cut> {
    let head = head(&reply);
    head.body(Full::from(reply.body).map_err(|never: Infallible| match never {}).boxed()).map_err(|_| Cut)
}

/// The answer in the pieces that the fault asks for: dripping, cut off, or without end.
fn in_pieces(reply: Reply, fault: &Fault) -> Result<Response<Body>, Cut> {
    let drip = fault.members.get("drip");
    let length = fault.number("content_length");
    let repeat = fault.number("repeat_body");
    if drip.is_none() && length.is_none() && repeat.is_none() {
        return whole(reply);
    }
    let mut head = head(&reply);
    if let Some(length) = length {
        head = head.header("content-length", length);
    }
    let piece = |name: &str, default: u64| drip.and_then(|drip| drip[name].as_u64()).unwrap_or(default);
    let (bytes, pause) = (piece("bytes", 1 << 16).max(1), Duration::from_millis(piece("every_ms", 0)));
    let cut_off = length.is_some();
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<Frame<Bytes>, Cut>>(4);
    tokio::spawn(async move {
        for _ in 0..repeat.unwrap_or(1) {
            for chunk in reply.body.chunks(usize::try_from(bytes).unwrap_or(usize::MAX)) {
                sleep(pause).await;
                if sender.send(Ok(Frame::data(Bytes::copy_from_slice(chunk)))).await.is_err() {
                    return;
                }
            }
        }
        if cut_off {
            // Less than was promised: the connection breaks.
            let _ = sender.send(Err(Cut)).await;
        }
    });
    head.body(StreamBody::new(Channel(receiver)).boxed()).map_err(|_| Cut)
}

/// A channel's receiving end as a stream.
struct Channel(tokio::sync::mpsc::Receiver<Result<Frame<Bytes>, Cut>>);

impl futures_core::Stream for Channel {
    type Item = Result<Frame<Bytes>, Cut>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}
