//! The two doors at the browser's end of the link: one to the site, one to the provider. What comes in is noted, and
//! takes as long as the link says.

use std::{
    convert::Infallible,
    net::Ipv4Addr,
    pin::Pin,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as Waker, Poll},
};

use http_body_util::{BodyExt, Full};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body, Bytes, Frame, Incoming},
    header::{ACCEPT_ENCODING, CONNECTION, CONTENT_LENGTH, HOST, HeaderMap, HeaderValue, TRANSFER_ENCODING},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use polar_signin_e2e::{Context, Result, http::Http};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, sleep_until},
};

use crate::{
    clients::Client,
    link::Link,
    log::{Exchange, Log, now},
    site::Site,
};

/// Where pages send what they have measured. It takes no link.
pub(crate) const REPORT: &str = "/bench/report";

/// What is behind the doors.
#[derive(Debug)]
pub(crate) struct Doors {
    /// The link.
    pub(crate) link: Link,
    /// What went over it.
    pub(crate) log: Log,
    /// How many answers have not arrived yet.
    pending: AtomicUsize,
    site: Site,
    provider: std::sync::Mutex<String>,
    http: Http,
    reports: UnboundedSender<Value>,
}

impl Doors {
    /// Opens both. The reports of pages come out of the second value.
    ///
    /// # Errors
    /// If a port is taken.
    pub(crate) async fn open(site: Site, port: u16) -> Result<(Arc<Self>, UnboundedReceiver<Value>)> {
        let (reports, arriving) = unbounded_channel();
        let doors = Arc::new(Self {
            link: Link::default(),
            log: Log::default(),
            pending: AtomicUsize::new(0),
            site,
            provider: std::sync::Mutex::default(),
            http: Http::default(),
            reports,
        });
        for (port, to_site) in [(port, true), (port + 1, false)] {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
            let listener = listener.context(format!("port {port} (another one: --port)"))?;
            tokio::spawn(serve(listener, doors.clone(), to_site));
        }
        Ok((doors, arriving))
    }

    /// Which provider is behind its door.
    pub(crate) fn lead_to(&self, origin: &str) {
        origin.clone_into(&mut self.provider.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// How many answers have not arrived yet.
    pub(crate) fn under_way(&self) -> usize {
        self.pending.load(Ordering::Relaxed)
    }

    /// What a client's files weigh, each as it is sent.
    pub(crate) fn weight(&self, client: &Client) -> Vec<(String, usize)> {
        self.site.weight(&format!("/{}/", client.folder))
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>, to_site: bool) -> Response<Arriving> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        if to_site && path == REPORT {
            let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let _ = self.reports.send(serde_json::from_slice(&body).unwrap_or_default());
            return Response::new(Arriving::default());
        }
        let begin = now();
        let pending = Pending::new(self.clone());
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        self.link.up().await;
        let answer = if to_site {
            let accepts = parts.headers.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
            self.site.answer(&path, accepts)
        } else {
            let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
            self.ask_provider(&parts.method, target, &parts.headers, body).await
        };
        let (parts_back, body) = answer.into_parts();
        let head: usize = parts_back.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        let exchange = Exchange {
            site: to_site,
            method: parts.method.to_string(),
            path,
            status: parts_back.status.as_u16(),
            begin,
            end: begin,
            // The status line, the date, and the empty line.
            bytes: head + body.len() + 56,
        };
        let (pieces, mut arriving) = unbounded_channel();
        tokio::spawn(self.clone().send(pending, head + 56, body, exchange, pieces));
        // The head comes with the first piece.
        let first = match arriving.recv().await {
            Some((bytes, at)) => {
                sleep_until(at).await;
                bytes
            }
            None => Bytes::new(),
        };
        Response::from_parts(parts_back, Arriving { first: Some(first), pieces: Some(arriving), next: None })
    }

    /// Sends an answer over the link, piece by piece.
    async fn send(
        self: Arc<Self>,
        _pending: Pending,
        head: usize,
        mut body: Bytes,
        mut exchange: Exchange,
        pieces: UnboundedSender<(Bytes, Instant)>,
    ) {
        let mut head = head;
        loop {
            let piece = body.split_to(self.link.piece().min(body.len()));
            let at = self.link.down(piece.len() + head).await;
            head = 0;
            let _ = pieces.send((piece, at));
            if body.is_empty() {
                drop(pieces);
                sleep_until(at).await;
                exchange.end = now();
                return self.log.note(exchange);
            }
        }
    }

    async fn ask_provider(&self, method: &Method, target: &str, headers: &HeaderMap, body: Bytes) -> Response<Bytes> {
        let provider = self.provider.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut onward = Request::builder().method(method).uri(format!("{provider}{}", translated(target)));
        for (name, value) in headers {
            if *name != HOST && *name != CONNECTION && *name != CONTENT_LENGTH {
                onward = onward.header(name, value);
            }
        }
        let answer = match onward.body(Full::from(body)) {
            Ok(onward) => self.http.send(onward).await,
            Err(error) => Err(error.into()),
        };
        let mut answer = answer.unwrap_or_else(|failure| {
            let mut response = Response::new(Bytes::from(failure.to_string()));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        });
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            answer.headers_mut().remove(name);
        }
        // Some clients add headers of their own, which their providers know.
        if method == Method::OPTIONS
            && let Some(wanted) = headers.get("access-control-request-headers")
        {
            answer.headers_mut().insert("access-control-allow-headers", wanted.clone());
        }
        // One sends its token requests with credentials, which Polar's `*` does not let through.
        if let Some(origin) = headers.get("origin") {
            answer.headers_mut().insert("access-control-allow-origin", origin.clone());
            answer.headers_mut().insert("access-control-allow-credentials", HeaderValue::from_static("true"));
        }
        answer.headers_mut().entry("cache-control").or_insert(HeaderValue::from_static("no-store"));
        answer
    }
}

/// Counts an answer as long as it has not arrived, or nobody waits for it any more.
struct Pending(Arc<Doors>);

impl Pending {
    fn new(doors: Arc<Doors>) -> Self {
        doors.pending.fetch_add(1, Ordering::Relaxed);
        Self(doors)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.pending.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The endpoints that a client without discovery has in its code.
fn translated(target: &str) -> String {
    for (theirs, ours) in [
        ("/authorize", "/oauth2/authorize"),
        ("/oauth/token", "/v1/oauth2/token"),
        ("/userinfo", "/v1/oauth2/userinfo"),
    ] {
        if let Some(rest) = target.strip_prefix(theirs)
            && (rest.is_empty() || rest.starts_with('?'))
        {
            return format!("{ours}{rest}");
        }
    }
    target.to_owned()
}

async fn serve(listener: TcpListener, doors: Arc<Doors>, to_site: bool) {
    while let Ok((stream, _)) = listener.accept().await {
        // Small answers go at once.
        let _ = stream.set_nodelay(true);
        let doors = doors.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| {
                let doors = doors.clone();
                async move { Ok::<_, Infallible>(doors.answer(request, to_site).await) }
            });
            // A browser may close a connection whenever it likes.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// A body whose pieces are handed on when their time has come.
#[derive(Default)]
struct Arriving {
    first: Option<Bytes>,
    pieces: Option<UnboundedReceiver<(Bytes, Instant)>>,
    next: Option<(Pin<Box<tokio::time::Sleep>>, Bytes)>,
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, waker: &mut Waker<'_>) -> Poll<Option<Piece>> {
        if let Some(first) = self.first.take().filter(|first| !first.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        loop {
            if let Some((time, _)) = &mut self.next {
                if time.as_mut().poll(waker).is_pending() {
                    return Poll::Pending;
                }
                let piece = self.next.take().map(|(_, piece)| Ok(Frame::data(piece)));
                return Poll::Ready(piece);
            }
            let Some(pieces) = &mut self.pieces else { return Poll::Ready(None) };
            match pieces.poll_recv(waker) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Ready(Some((piece, at))) => self.next = Some((Box::pin(sleep_until(at)), piece)),
            }
        }
    }
}

type Piece = std::result::Result<Frame<Bytes>, Infallible>;
