//! The door in front of the site. The browser comes in here, so that a test can hold a file back,
//! answer in the site's place, see what was asked for, and run a script before a page's own. Everything else passes
//! unchanged.

use std::{
    convert::Infallible,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{
        ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING,
    },
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{Context, Result, http::Http, insert::Insert, tab::eventually};

/// The door. It is shut when the value is dropped.
#[derive(Debug)]
pub struct Gateway {
    port: u16,
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Inner {
    http: Http,
    upstream: Mutex<String>,
    rules: Mutex<Vec<(String, Rule)>>,
    requests: Mutex<Vec<SiteRequest>>,
    insert: Arc<Insert>,
}

/// What happens to the requests whose path ends in a certain way.
#[derive(Clone, Debug)]
pub enum Rule {
    /// They wait until the [`Hold`] lets them go.
    Hold(watch::Receiver<bool>),
    /// They are answered so.
    Answer {
        /// The status.
        status: u16,
        /// The content type.
        content_type: &'static str,
        /// The body.
        body: String,
    },
    /// The site's answer gets this header in place of its own.
    Header(HeaderName, HeaderValue),
}

/// Keeps requests waiting until it is released or dropped.
#[must_use = "dropping it lets the requests go"]
#[derive(Debug)]
pub struct Hold(watch::Sender<bool>);

impl Hold {
    /// Lets them go.
    pub fn release(self) {}
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

/// What the site was asked for.
#[derive(Clone, Debug)]
pub struct SiteRequest {
    /// Path and query.
    pub target: String,
    /// The `Referer` header.
    pub referer: Option<String>,
}

impl Gateway {
    /// Opens the door on a free port. Nothing is behind it yet.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn open() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let inner = Arc::new(Inner {
            http: Http::default(),
            upstream: Mutex::default(),
            rules: Mutex::default(),
            requests: Mutex::default(),
            insert: Arc::default(),
        });
        let task = tokio::spawn(serve(listener, inner.clone()));
        Ok(Self { port, inner, task })
    }

    /// The origin that the browser sees.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// What it puts into every page.
    pub(crate) fn insert(&self) -> Arc<Insert> {
        self.inner.insert.clone()
    }

    /// What is behind the door: an origin.
    pub fn lead_to(&self, origin: &str) {
        origin.clone_into(&mut lock(&self.inner.upstream));
    }

    /// Forgets every rule and every request.
    pub fn reset(&self) {
        lock(&self.inner.rules).clear();
        lock(&self.inner.requests).clear();
    }

    /// Adds a rule for the requests whose path ends so. Holds and headers add up; the first answer that
    /// fits counts.
    pub fn rule(&self, path_ends: &str, rule: Rule) {
        lock(&self.inner.rules).push((path_ends.to_owned(), rule));
    }

    /// Holds back the requests whose path ends so.
    pub fn hold(&self, path_ends: &str) -> Hold {
        let (hold, released) = watch::channel(false);
        self.rule(path_ends, Rule::Hold(released));
        Hold(hold)
    }

    /// Another `config.json`.
    pub fn configure(&self, config: &Value) {
        let body = config.to_string();
        self.rule("/config.json", Rule::Answer { status: 200, content_type: "application/json", body });
    }

    /// Waits until somebody comes back with a code, and says at which address.
    ///
    /// # Errors
    /// If nobody does.
    pub async fn callback(&self) -> Result<String> {
        let target = eventually("waiting for a code".to_owned(), async || {
            let came = self.requests().into_iter().rev().find(|seen| seen.target.contains("code="));
            came.map(|seen| seen.target).context("none has come")
        });
        Ok(self.origin() + &target.await?)
    }

    /// What the site was asked for so far.
    #[must_use]
    pub fn requests(&self) -> Vec<SiteRequest> {
        lock(&self.inner.requests).clone()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, inner: Arc<Inner>) {
    while let Ok((stream, _)) = listener.accept().await {
        let inner = inner.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let inner = inner.clone();
                async move { Ok::<_, Infallible>(inner.answer(request).await) }
            });
            // A browser may close a connection whenever it likes.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Inner {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if let Some(answer) = self.insert.answer(&request) {
            return answer;
        }
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let referer = request.headers().get("referer").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let path = request.uri().path();
        let rules: Vec<Rule> =
            lock(&self.rules).iter().filter(|(ends, _)| path.ends_with(ends)).map(|(_, rule)| rule.clone()).collect();
        lock(&self.requests).push(SiteRequest { target: target.clone(), referer });
        let (mut headers, mut answer) = (Vec::new(), None);
        for rule in rules {
            match rule {
                // An error means that the hold is gone, which lets go as well.
                Rule::Hold(mut released) => drop(released.wait_for(|released| *released).await),
                Rule::Header(name, value) => headers.push((name, value)),
                Rule::Answer { status, content_type, body } => answer = answer.or(Some((status, content_type, body))),
            }
        }
        let mut response = match answer {
            None => self.forward(&request, &target).await,
            Some((status, content_type, body)) => {
                let mut response = Response::new(Full::from(body));
                *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
                response
            }
        };
        for (name, value) in headers {
            response.headers_mut().insert(name, value);
        }
        let is_page =
            response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        if is_page && self.insert.is_about(&request) {
            let (parts, body) = response.into_parts();
            let page = body.collect().await.map(|page| page.to_bytes()).unwrap_or_default();
            response = Response::from_parts(parts, Full::from(self.insert.put_into(&page)));
        }
        response
    }

    async fn forward(&self, request: &Request<Incoming>, target: &str) -> Response<Full<Bytes>> {
        let upstream = lock(&self.upstream).clone();
        let mut onward = Request::builder().method(request.method()).uri(format!("{upstream}{target}"));
        for (name, value) in request.headers() {
            let in_the_way = *name == ACCEPT_ENCODING && self.insert.is_about(request);
            if *name != HOST && *name != CONNECTION && !in_the_way {
                onward = onward.header(name, value);
            }
        }
        let answer = match onward.body(Full::default()) {
            Ok(onward) => self.http.send(onward).await,
            Err(error) => Err(error.into()),
        };
        match answer {
            Ok(response) => {
                let (mut parts, body) = response.into_parts();
                for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
                    parts.headers.remove(name);
                }
                Response::from_parts(parts, Full::from(body))
            }
            Err(failure) => {
                let mut response = Response::new(Full::from(failure.to_string()));
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                response
            }
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
