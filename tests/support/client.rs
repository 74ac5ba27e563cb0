//! A client as users write one.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::wait;

/// An answer, read whole.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub text: String,
}

impl Reply {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// This answer, if it has that status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The problem document that every error has to be (RFC 9457).
    #[track_caller]
    pub fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        for member in ["type", "title", "detail", "instance", "code", "requestId"] {
            let text = problem[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "`{member}` is missing: {self:?}");
        }
        assert_eq!(problem["status"], self.status, "{self:?}");
        assert_eq!(problem["requestId"].as_str(), self.header("x-request-id"), "{self:?}");
        problem
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        // Of an authority of the test's own; what is shown to clients has a test of its own.
        .tls_danger_accept_invalid_certs(true)
        .timeout(wait::DEADLINE + Duration::from_secs(30))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
}

/// A client of one server.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
}

impl Client {
    /// A client of the server at `base`.
    pub fn new(base: &str, key: Option<String>) -> Self {
        let http = builder().build().expect("an HTTP client");
        Self { http, base: base.to_owned(), key }
    }

    /// The same with a connection for each request.
    pub fn unpooled(&self) -> Self {
        let http = builder().pool_max_idle_per_host(0).build().expect("an HTTP client");
        Self { http, ..self.clone() }
    }

    /// The same without a key.
    pub fn anonymous(&self) -> Self {
        Self { key: None, ..self.clone() }
    }

    /// The same with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    /// Where the server is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request with the key.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.key {
            Some(key) => request.header("x-api-key", key),
            None => request,
        }
    }

    /// Sends a request; an error is one of the connection.
    pub async fn send(request: RequestBuilder) -> Result<Reply, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply { status, headers, text: response.text().await? })
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Reply {
        Self::send(self.request(Method::GET, path))
            .await
            .unwrap_or_else(|error| panic!("GET {path}: {error:?}"))
    }

    /// `GET` of a JSON document.
    pub async fn read(&self, path: &str) -> Value {
        self.get(path).await.expect(200).json()
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Reply {
        Self::send(self.request(Method::DELETE, path)).await.expect("an answer")
    }

    /// `POST` of JSON with further headers.
    pub async fn post(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Reply {
        self.try_post(path, body, headers).await.unwrap_or_else(|error| panic!("POST {path}: {error:?}"))
    }

    /// The same where the server may go away.
    pub async fn try_post(
        &self,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Result<Reply, reqwest::Error> {
        let request = self.request(Method::POST, path).json(body);
        Self::send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    /// Sends a command without waiting for its answer.
    pub async fn process(&self, text: &str) -> Reply {
        self.post("/api/voice/process", &json!({"command": text}), &[]).await
    }

    /// Sends a command; the id under which it was accepted.
    pub async fn accept(&self, text: &str) -> String {
        let reply = self.process(text).await.expect(202).json();
        reply["jobId"].as_str().expect("an id").to_owned()
    }

    /// Sends a command and waits for its answer, in the same request.
    pub async fn ask(&self, text: &str) -> Value {
        self.ask_as(&json!({"command": text})).await
    }

    /// The same with a whole body.
    pub async fn ask_as(&self, body: &Value) -> Value {
        let reply = self.post("/api/voice/process", body, &[("prefer", "wait=30")]).await.expect(200);
        reply.json()["result"].clone()
    }

    /// How a command stands.
    pub async fn status(&self, id: &str) -> Value {
        self.read(&format!("/api/voice/status/{id}")).await
    }

    /// Waits until a command is done.
    pub async fn settled(&self, id: &str) -> Value {
        wait::until("a command is done", async || {
            let status = self.status(id).await;
            matches!(status["status"].as_str(), Some("completed" | "failed")).then_some(status)
        })
        .await
    }

    /// The whole history, newest first, page by page; `query` starts with `&` or is empty.
    pub async fn history_where(&self, query: &str) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.read(&format!("/api/voice/history?limit=200{query}{cursor}")).await;
            all.extend(page["commands"].as_array().expect("a page").iter().cloned());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    /// The whole history, newest first.
    pub async fn history(&self) -> Vec<Value> {
        self.history_where("").await
    }

    /// How often each command stands in the history, by its text.
    pub async fn said(&self) -> BTreeMap<String, usize> {
        let mut said = BTreeMap::new();
        for command in self.history().await {
            *said.entry(command["command"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        said
    }

    /// The sum of a metric that counts over all its series that contain `label`.
    pub async fn metric(&self, name: &str, label: &str) -> u64 {
        let text = self.get("/metrics").await.expect(200).text;
        let of_this = |line: &&str| {
            line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])) && line.contains(label)
        };
        text.lines().filter(of_this).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }
}
