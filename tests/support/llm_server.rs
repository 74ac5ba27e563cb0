//! A language-model server on loopback that answers as Groq does, and misbehaves on request.
//!
//! It stands alone (no item of this crate), so that unit tests and the integration binary share it:
//! tell it with [`LlmServer::script`] what to do with the next requests, and look at
//! [`LlmServer::requests`] for what it was sent.

#![allow(dead_code, reason = "each of the two test binaries uses a part of it")]

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What to do with one request for a completion.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// A completion whose content is this JSON.
    Answer(Value),
    /// A completion whose content is this text.
    Says(String),
    /// 429 as Groq's, with this `retry-after` if any.
    RateLimited { retry_after: Option<String> },
    /// This status with an error body of its kind.
    Status(u16),
    /// This status, these headers, this body.
    Raw { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// Accepts the request and never answers.
    Hang,
    /// Closes the connection in the middle of a reply.
    HalfReply,
    /// A completion whose content is not JSON.
    InvalidJson,
    /// A completion whose content is JSON of another shape.
    BreaksSchema,
    /// A completion with no choices.
    NoChoices,
    /// A completion that ran into the token limit.
    CutOff,
    /// 400 `model_decommissioned`.
    Decommissioned,
    /// 404 `model_not_found`.
    ModelNotFound,
    /// 400 when the request asks for a `json_schema`, otherwise the default answer.
    RejectsSchema,
    /// 400 whenever the request has a `response_format`, otherwise the default answer.
    RejectsFormat,
    /// 401, quoting the key that was sent.
    Unauthorized,
    /// 200 with a body of this many bytes.
    HugeReply(usize),
    /// 200 with bytes that are no JSON.
    Garbage,
}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its method.
    pub method: Method,
    /// Its path with the query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; null when it has none or it is not JSON.
    pub body: Value,
}

/// The running server; it stops when dropped.
#[derive(Debug)]
pub struct LlmServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    script: Mutex<Script>,
    received: watch::Sender<Vec<Received>>,
}

#[derive(Debug)]
struct Script {
    next: VecDeque<Behaviour>,
    otherwise: Behaviour,
    models: Vec<String>,
}

/// The content of a completion when nothing else was asked for.
pub fn default_answer() -> Value {
    json!({
        "intent": "get_grades",
        "confidence": 0.93,
        "entities": [{"entity": "course", "value": "Mathematics", "text": "math"}],
        "reply": "Which of your math grades would you like to hear?",
    })
}

impl LlmServer {
    /// Starts on a free port of the loopback interface; every request gets [`default_answer`].
    ///
    /// # Errors
    ///
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script: Mutex::new(Script {
                next: VecDeque::new(),
                otherwise: Behaviour::Answer(default_answer()),
                models: vec!["openai/gpt-oss-120b".to_owned(), "openai/gpt-oss-20b".to_owned()],
            }),
            received: watch::Sender::new(Vec::new()),
        });
        let router = Router::new().fallback(handle).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            // It ends with the task; an error then has nobody to tell.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, shared, task })
    }

    /// The `base_url` for a provider.
    pub fn base_url(&self) -> String {
        format!("http://{}/openai/v1", self.address)
    }

    /// What to do with the next requests for a completion, one each, after what was scripted before.
    pub fn script(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.shared.script().next.extend(behaviours);
    }

    /// What to do with requests when the script is over.
    pub fn otherwise(&self, behaviour: Behaviour) {
        self.shared.script().otherwise = behaviour;
    }

    /// The ids that `GET /models` lists.
    pub fn list_models(&self, ids: &[&str]) {
        self.shared.script().models = ids.iter().map(|id| (*id).to_owned()).collect();
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.received.borrow().clone()
    }

    /// The `model` of every request for a completion so far.
    pub fn models_asked(&self) -> Vec<String> {
        let model = |request: &Received| Some(request.body.get("model")?.as_str()?.to_owned());
        self.requests().iter().filter_map(model).collect()
    }

    /// Waits until `count` requests have arrived; `false` when they do not within ten seconds.
    pub async fn received(&self, count: usize) -> bool {
        let mut received = self.shared.received.subscribe();
        let enough = received.wait_for(|requests| requests.len() >= count);
        tokio::time::timeout(Duration::from_secs(10), enough).await.is_ok_and(|seen| seen.is_ok())
    }
}

impl Drop for LlmServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 16 * 1024 * 1024).await.unwrap_or_default();
    let received = Received {
        method: parts.method.clone(),
        path: parts.uri.to_string(),
        headers: parts.headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    shared.received.send_modify(|all| all.push(received.clone()));
    match (parts.method, parts.uri.path()) {
        (Method::GET, "/openai/v1/models") => model_list(&shared.script().models),
        (Method::POST, "/openai/v1/chat/completions") => {
            let behaviour = {
                let mut script = shared.script();
                script.next.pop_front().unwrap_or_else(|| script.otherwise.clone())
            };
            behave(behaviour, &received).await
        }
        (method, path) => problem(
            404,
            &format!("Unknown request URL: {method} {path}. Please check the URL for typos."),
            "invalid_request_error",
            "unknown_url",
        ),
    }
}

async fn behave(behaviour: Behaviour, request: &Received) -> Response<Body> {
    let model = request.body["model"].as_str().unwrap_or_default();
    let format = request.body["response_format"]["type"].as_str().unwrap_or_default();
    let says = |content: &str| reply(200, &completion(model, content, "stop"));
    match behaviour {
        Behaviour::Answer(content) => says(&content.to_string()),
        Behaviour::Says(content) => says(&content),
        Behaviour::InvalidJson => says("Your math grade is an A, well done!"),
        Behaviour::BreaksSchema => says(r#"{"intention": "get_grades", "sure": true}"#),
        Behaviour::CutOff => reply(200, &completion(model, r#"{"intent": "get_gr"#, "length")),
        Behaviour::NoChoices => {
            let mut body = completion(model, "", "stop");
            body["choices"] = json!([]);
            reply(200, &body)
        }
        Behaviour::RejectsSchema if format == "json_schema" => problem(
            400,
            "This model does not support response format `json_schema`. See supported models at https://console.groq.com/docs/structured-outputs#supported-models",
            "invalid_request_error",
            "",
        ),
        Behaviour::RejectsFormat if !format.is_empty() => {
            problem(400, "unknown field: response_format", "invalid_request_error", "")
        }
        Behaviour::RejectsSchema | Behaviour::RejectsFormat => says(&default_answer().to_string()),
        Behaviour::RateLimited { retry_after } => {
            let body = json!({"error": {
                "message": format!("Rate limit reached for model `{model}` in organization `org_01` service tier `on_demand` on tokens per minute (TPM): Limit 8000, Used 7973, Requested 711. Please try again in 5.13s."),
                "type": "tokens",
                "code": "rate_limit_exceeded",
            }});
            let mut response = reply(429, &body);
            if let Some(value) = retry_after.and_then(|value| value.parse().ok()) {
                response.headers_mut().insert(header::RETRY_AFTER, value);
            }
            response
        }
        Behaviour::Status(status) => {
            let title = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
            problem(status, title.unwrap_or("Error"), "internal_server_error", "")
        }
        Behaviour::Raw { status, headers, body } => {
            let mut response = bytes(status, body.into_bytes());
            for (name, value) in headers {
                if let Ok(value) = value.parse() {
                    response.headers_mut().insert(name, value);
                }
            }
            response
        }
        Behaviour::Hang => std::future::pending().await,
        Behaviour::HalfReply => half(&completion(model, &default_answer().to_string(), "stop")),
        Behaviour::Decommissioned => problem(
            400,
            &format!(
                "The model `{model}` has been decommissioned and is no longer supported. Please refer to https://console.groq.com/docs/deprecations for a recommendation on which model to use instead."
            ),
            "invalid_request_error",
            "model_decommissioned",
        ),
        Behaviour::ModelNotFound => problem(
            404,
            &format!("The model `{model}` does not exist or you do not have access to it."),
            "invalid_request_error",
            "model_not_found",
        ),
        Behaviour::Unauthorized => {
            let sent = request.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let key = sent.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
            problem(401, &format!("Invalid API Key: {key}"), "invalid_request_error", "invalid_api_key")
        }
        Behaviour::HugeReply(size) => reply(200, &completion(model, &"x".repeat(size), "stop")),
        Behaviour::Garbage => bytes(200, b"<html>\xff\x00 maintenance".to_vec()),
    }
}

fn completion(model: &str, content: &str, finish_reason: &str) -> Value {
    json!({
        "id": "chatcmpl-7a6b1d0e-2f0c-4f44-9f5d-5f0a6e1c9b33",
        "object": "chat.completion",
        "created": 1_763_800_000,
        "model": model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": content, "reasoning": "The user asks for grades."},
            "logprobs": null,
            "finish_reason": finish_reason,
        }],
        "usage": {
            "queue_time": 0.037_493_756,
            "prompt_tokens": 418,
            "prompt_time": 0.000_680_594,
            "completion_tokens": 72,
            "completion_time": 0.463_333_333,
            "total_tokens": 490,
            "total_time": 0.464_013_927,
            "completion_tokens_details": {"reasoning_tokens": 21},
        },
        "usage_breakdown": null,
        "system_fingerprint": "fp_179b0f92c9",
        "x_groq": {"id": "req_01kan3g2qdfw2adyrt2az8hz4w"},
        "service_tier": "on_demand",
    })
}

fn model_list(ids: &[String]) -> Response<Body> {
    let model = |id: &String| {
        json!({
            "id": id, "object": "model", "created": 1_754_408_224, "owned_by": "OpenAI", "active": true,
            "context_window": 131_072, "public_apps": null, "max_completion_tokens": 65_536,
        })
    };
    reply(200, &json!({"object": "list", "data": ids.iter().map(model).collect::<Vec<_>>()}))
}

fn problem(status: u16, message: &str, kind: &str, code: &str) -> Response<Body> {
    let mut error = json!({"message": message, "type": kind});
    if !code.is_empty() {
        error["code"] = json!(code);
    }
    reply(status, &json!({"error": error}))
}

fn reply(status: u16, body: &Value) -> Response<Body> {
    bytes(status, body.to_string().into_bytes())
}

/// A reply with the headers that Groq always sends.
fn bytes(status: u16, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-groq-region", "fra"),
        ("x-request-id", "req_01kan3g2qdfw2adyrt2az8hz4w"),
        ("x-ratelimit-limit-requests", "14400"),
        ("x-ratelimit-limit-tokens", "18000"),
        ("x-ratelimit-remaining-requests", "14370"),
        ("x-ratelimit-remaining-tokens", "17997"),
        ("x-ratelimit-reset-requests", "2m59.56s"),
        ("x-ratelimit-reset-tokens", "7.66s"),
    ] {
        response.headers_mut().insert(name, header::HeaderValue::from_static(value));
    }
    response
}

/// The first half of a reply whose `content-length` promises all of it, and the end of the connection.
fn half(body: &Value) -> Response<Body> {
    let whole = body.to_string();
    let parts: [Result<String, io::Error>; 2] =
        [Ok(whole[..whole.len() / 2].to_owned()), Err(io::Error::other("the connection is cut here"))];
    let mut response = bytes(200, Vec::new());
    *response.body_mut() = Body::from_stream(futures_util::stream::iter(parts));
    response.headers_mut().insert(header::CONTENT_LENGTH, header::HeaderValue::from(whole.len()));
    response
}
