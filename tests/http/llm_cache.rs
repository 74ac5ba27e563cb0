//! Answers that are remembered: for whom, for what, and asked for only once.

use futures_util::future::join_all;
use serde_json::json;

use super::llm::{STRANGE, with_llm};
use crate::support::{Behaviour, LlmServer};

#[tokio::test]
async fn the_same_command_twice_is_answered_from_the_cache() {
    let llm = LlmServer::start().await.unwrap();
    let cluster = with_llm(&llm, &[]).await;
    let client = cluster.client();
    let first = client.ask(STRANGE).await;
    let second = client.ask(STRANGE).await;
    assert_eq!((&first["source"], &second["source"]), (&json!("llm"), &json!("cache")));
    for member in ["intent", "entities", "reply", "confidence", "language", "llmModel"] {
        assert_eq!(first[member], second[member], "{member}");
    }
    assert_eq!(llm.models_asked().len(), 1);
    assert_eq!(client.history().await.len(), 2, "a cached answer is a command of its own");
    assert_eq!(cluster.metric("voicera_voice_cache_requests_total", "outcome=\"hit\"").await, 1);
}

#[tokio::test]
async fn another_text_context_or_language_is_another_question() {
    let llm = LlmServer::start().await.unwrap();
    let cluster = with_llm(&llm, &[]).await;
    let client = cluster.client();
    let questions = [
        json!({"command": STRANGE}),
        json!({"command": format!("{STRANGE}!!")}),
        json!({"command": STRANGE, "context": {"page": "dashboard"}}),
        json!({"command": STRANGE, "context": {"page": "grades"}}),
        json!({"command": STRANGE, "language": "en"}),
        json!({"command": STRANGE, "language": "nl"}),
    ];
    for (number, question) in questions.iter().enumerate() {
        assert_eq!(client.ask_as(question).await["source"], "llm", "{question}");
        assert_eq!(llm.models_asked().len(), number + 1, "{question}");
    }
    for question in &questions {
        assert_eq!(client.ask_as(question).await["source"], "cache", "{question}");
    }
    let again = json!({"command": STRANGE, "sessionId": "another"});
    assert_eq!(client.ask_as(&again).await["source"], "cache", "the conversation's name changes no answer");
}

#[tokio::test]
async fn fifty_at_once_with_the_same_command_cost_one_request() {
    let llm = LlmServer::start().await.unwrap();
    let cluster = with_llm(&llm, &[]).await;
    let client = cluster.client();
    let results = join_all((0..50).map(|_| client.ask(STRANGE))).await;
    assert_eq!(llm.models_asked().len(), 1);
    let fresh = results.iter().filter(|result| result["source"] == "llm").count();
    let cached = results.iter().filter(|result| result["source"] == "cache").count();
    assert_eq!((fresh, cached), (1, 49));
    assert_eq!(client.history().await.len(), 50);
}

#[tokio::test]
async fn a_degraded_answer_is_not_remembered() {
    let llm = LlmServer::start().await.unwrap();
    llm.script([Behaviour::BreaksSchema, Behaviour::BreaksSchema]);
    let cluster = with_llm(&llm, &[("llm.max_attempts", "1")]).await;
    let client = cluster.client();
    let first = client.ask(STRANGE).await;
    assert_eq!(first["degraded"], true, "{first}");
    llm.script([]);
    let mut last = client.ask(STRANGE).await;
    if last["degraded"] == true {
        last = client.ask(STRANGE).await;
    }
    assert_eq!((&last["source"], &last["degraded"]), (&json!("llm"), &json!(false)));
}

#[tokio::test]
async fn what_depends_on_the_clock_is_worked_out_anew() {
    let llm = LlmServer::start().await.unwrap();
    let cluster = with_llm(&llm, &[]).await;
    let client = cluster.client();
    for _ in 0..2 {
        let result = client.ask("what is my schedule for tomorrow").await;
        assert_ne!(result["source"], "cache", "{result}");
    }
}

#[tokio::test]
async fn without_a_cache_every_command_is_a_question() {
    let llm = LlmServer::start().await.unwrap();
    let cluster = with_llm(&llm, &[("voice.cache.enabled", "false")]).await;
    let client = cluster.client();
    for _ in 0..3 {
        assert_eq!(client.ask(STRANGE).await["source"], "llm");
    }
    assert_eq!(llm.models_asked().len(), 3);
}
