//! A service behind the gateway: tells what it was asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// Answers every request with its own head and body, as JSON; `/held` only once it is let go.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    asked: Arc<Notify>,
    held: Arc<Notify>,
}

#[derive(Clone)]
struct Telling {
    name: &'static str,
    asked: Arc<Notify>,
    held: Arc<Notify>,
}

impl Service {
    pub async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let telling = Telling { name, asked: Arc::default(), held: Arc::default() };
        let (asked, held) = (Arc::clone(&telling.asked), Arc::clone(&telling.held));
        let router = Router::new().fallback(tell).with_state(telling);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, asked, held }
    }

    /// `[upstreams.NAME]` and a route that leads there.
    pub fn routed(&self, prefix: &str, more: &str) -> String {
        let address = self.address;
        format!(
            "[upstreams.own]\naddresses = [\"http://{address}\"]\nhealth.path = \"\"\n\n\
             [routes.own]\nprefix = \"{prefix}\"\nupstream = \"own\"\n{more}\n"
        )
    }

    /// Once `/held` is asked for.
    pub async fn asked(&self) {
        tokio::time::timeout(Duration::from_secs(30), self.asked.notified()).await.expect("a request");
    }

    /// Answers who asked for `/held`.
    pub fn let_go(&self) {
        self.held.notify_one();
    }
}

async fn tell(State(telling): State<Telling>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    if head.uri.path().ends_with("/held") {
        telling.asked.notify_one();
        telling.held.notified().await;
    }
    let headers = head.headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), Value::from(String::from_utf8_lossy(value.as_bytes())))
    });
    let told = json!({
        "service": telling.name,
        "method": head.method.as_str(),
        "uri": head.uri.to_string(),
        "headers": headers.collect::<serde_json::Map<_, _>>(),
        "body": String::from_utf8_lossy(&body),
    });
    axum::Json(told).into_response()
}
