//! The provider's figures. Models are labelled by their configured name, so the labels are bounded.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use super::answer::Usage;
use super::breaker::BreakerState;

const CALLS: &str = "voicera_llm_calls_total";
const DURATION: &str = "voicera_llm_call_duration_seconds";
const TOKENS: &str = "voicera_llm_tokens_total";
const RETRIES: &str = "voicera_llm_retries_total";
const BREAKER: &str = "voicera_llm_breaker_state";

/// Registers the help texts; call it once, after the recorder is installed.
pub fn describe() {
    describe_counter!(CALLS, "Requests to a language model, by model and outcome");
    describe_histogram!(DURATION, Unit::Seconds, "How long a request to a language model took, by model");
    describe_counter!(TOKENS, "Tokens used, by model and kind (prompt, completion)");
    describe_counter!(RETRIES, "Requests that were repeated, by reason");
    describe_gauge!(BREAKER, "The language model's circuit breaker: 0 closed, 1 half-open, 2 open");
}

/// One request ended; `took` is `None` when the breaker let none out.
pub(super) fn call(model: &str, outcome: &'static str, took: Option<Duration>) {
    counter!(CALLS, "model" => model.to_owned(), "outcome" => outcome).increment(1);
    if let Some(took) = took {
        histogram!(DURATION, "model" => model.to_owned()).record(took.as_secs_f64());
    }
}

pub(super) fn tokens(model: &str, usage: Usage) {
    let count = |kind: &'static str, tokens: u64| {
        counter!(TOKENS, "model" => model.to_owned(), "kind" => kind).increment(tokens);
    };
    count("prompt", usage.prompt_tokens);
    count("completion", usage.completion_tokens);
}

pub(super) fn retry(reason: &'static str) {
    counter!(RETRIES, "reason" => reason).increment(1);
}

pub(super) fn breaker(state: BreakerState) {
    gauge!(BREAKER).set(match state {
        BreakerState::Closed => 0.0,
        BreakerState::HalfOpen => 1.0,
        BreakerState::Open => 2.0,
    });
}
