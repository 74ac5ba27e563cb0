//! The provider against a server that answers, and fails, as Groq does.

mod breaker;
mod fallback;
mod replies;
mod requests;
mod retries;
mod secrets;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::llm_server::{Behaviour, LlmServer, Received, default_answer};
use super::*;
use crate::kit::clock::ManualClock;
use crate::kit::ids::Entropy;

const KEY: &str = "gsk_t0ps3cr3tT0PS3CR3T";
const FIRST: &str = "openai/gpt-oss-120b";
const SECOND: &str = "openai/gpt-oss-20b";

/// Longer than any test needs, shorter than anybody wants to wait.
const PLENTY: Duration = Duration::from_secs(10);

/// A provider, its server, and its clock.
struct World {
    server: LlmServer,
    provider: Provider,
    clock: ManualClock,
    intents: Vec<IntentHint>,
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut ProviderSettings)) -> Self {
        let server = LlmServer::start().await.unwrap();
        let mut settings = ProviderSettings {
            base_url: server.base_url(),
            api_key: Some(KEY.into()),
            deadline: PLENTY,
            attempt_timeout: PLENTY,
            ..ProviderSettings::default()
        };
        change(&mut settings);
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let provider = Provider::new(settings, Arc::new(clock.clone()), Entropy::seeded(1)).unwrap();
        Self { server, provider, clock, intents: intents() }
    }

    /// Asks about one utterance.
    async fn ask(&self, text: &str) -> Result<Answer, ProviderError> {
        self.ask_within(text, PLENTY).await
    }

    async fn ask_within(&self, text: &str, deadline: Duration) -> Result<Answer, ProviderError> {
        self.provider.understand(&question(text, &self.intents, &Value::Null), deadline).await
    }

    /// The answer, or the error, to a server that does these things in turn.
    async fn after(&self, behaviours: impl IntoIterator<Item = Behaviour>) -> Result<Answer, ProviderError> {
        self.server.script(behaviours);
        self.ask("what is my math grade").await
    }
}

fn question<'a>(text: &'a str, intents: &'a [IntentHint], context: &'a Value) -> Question<'a> {
    let now = "2026-11-22T09:30:00+01:00[Europe/Berlin]".parse().unwrap();
    Question { text, language: "en", intents, guess: Some(("get_grades", 0.41)), context, now }
}

fn intents() -> Vec<IntentHint> {
    let hint = |name: &str, description: &str, examples: &[&str], entities: &[&str]| IntentHint {
        name: name.to_owned(),
        description: description.to_owned(),
        examples: examples.iter().map(|&example| example.to_owned()).collect(),
        entities: entities.iter().map(|&entity| entity.to_owned()).collect(),
    };
    vec![
        hint("get_grades", "Asks for grades.", &["my grades", "how did I do", "a", "fourth"], &["course"]),
        hint("get_schedule", "Asks when something is.", &["when is class"], &["course", "date"]),
        hint("greeting", "", &[], &[]),
    ]
}
