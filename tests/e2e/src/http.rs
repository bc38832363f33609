//! Plain requests to this machine, for what the tests do beside the browser.

use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, body::Bytes, header::CONTENT_TYPE};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::time::timeout;

use crate::{Context, Failure, Result};

const PATIENCE: Duration = Duration::from_secs(20);

/// A client for plain requests.
#[derive(Clone, Debug)]
pub struct Http(Client<HttpConnector, Full<Bytes>>);

impl Default for Http {
    fn default() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }
}

impl Http {
    /// Sends a request as it is.
    ///
    /// # Errors
    /// If no complete answer comes.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<hyper::Response<Bytes>> {
        let doing = format!("{} {}", request.method(), request.uri());
        let answer = async {
            let (parts, body) = self.0.request(request).await?.into_parts();
            Ok::<_, Failure>(hyper::Response::from_parts(parts, body.collect().await?.to_bytes()))
        };
        timeout(PATIENCE, answer).await.context(&doing)?.context(doing)
    }

    /// GET, JSON back.
    ///
    /// # Errors
    /// If there is no answer, another status than 2xx, or no JSON.
    pub async fn get(&self, url: &str) -> Result<Value> {
        self.json(Method::GET, url, None).await
    }

    /// POST of JSON, JSON back; null if the answer is empty.
    ///
    /// # Errors
    /// As for [`Http::get`].
    pub async fn post(&self, url: &str, body: &Value) -> Result<Value> {
        self.json(Method::POST, url, Some(body)).await
    }

    /// DELETE, JSON back; null if the answer is empty.
    ///
    /// # Errors
    /// As for [`Http::get`].
    pub async fn delete(&self, url: &str) -> Result<Value> {
        self.json(Method::DELETE, url, None).await
    }

    async fn json(&self, method: Method, url: &str, body: Option<&Value>) -> Result<Value> {
        let doing = format!("{method} {url}");
        let mut request = Request::builder().method(method).uri(url);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let response = self.send(request.body(Full::from(body))?).await?;
        let (status, body) = (response.status(), response.into_body());
        if !status.is_success() {
            return Err(Failure::new(format!("{doing}: {status}: {}", String::from_utf8_lossy(&body))));
        }
        if body.is_empty() || status == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).context(doing)
    }
}
