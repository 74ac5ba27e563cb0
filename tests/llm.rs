//! What each process knows for itself of the language model: models that are gone, its breaker.

use crate::http::llm::{STRANGE, settings_with};
use crate::support::{Behaviour, Cluster, LlmServer, wait};

/// One process in front of a language model, with `settings` on top.
async fn with_llm(llm: &LlmServer, settings: &[(&str, &str)]) -> Cluster {
    Cluster::single_with(&settings_with(&llm.base_url(), settings)).await
}

#[tokio::test]
async fn a_model_that_is_gone_is_replaced_by_the_next_one() {
    for gone in [Behaviour::Decommissioned, Behaviour::ModelNotFound] {
        let llm = LlmServer::start().await.unwrap();
        let cluster = with_llm(&llm, &[]).await;
        let client = cluster.client();
        llm.script([gone]);
        let result = client.ask(STRANGE).await;
        assert_eq!(result["source"], "llm");
        assert_eq!(result["llmModel"], "second-model");
        assert_eq!(llm.models_asked(), ["first-model", "second-model"]);
        client.ask(&format!("{STRANGE} again")).await;
        assert_eq!(
            llm.models_asked().last().unwrap(),
            "second-model",
            "the one that is gone is not asked for a while"
        );
    }
}

#[tokio::test]
async fn the_breaker_opens_when_the_server_fails_and_closes_when_it_is_back() {
    let llm = LlmServer::start().await.unwrap();
    llm.otherwise(Behaviour::Status(500));
    let cluster = with_llm(
        &llm,
        &[("llm.breaker.minimum_calls", "4"), ("llm.breaker.open_for", "300ms"), ("llm.max_attempts", "1")],
    )
    .await;
    let client = cluster.client();
    let state = async || client.read("/health").await["checks"]["voice.llm"]["status"].clone();
    assert_eq!(state().await, "up");
    for number in 0..6 {
        client.ask(&format!("{STRANGE} {number}")).await;
    }
    assert_eq!(state().await, "degraded");
    client.get("/health/ready").await.expect(200);
    assert_eq!(client.metric("voicera_llm_breaker_state", "").await, 2, "2 is open");

    llm.otherwise(Behaviour::Answer(crate::support::llm_server::default_answer()));
    let mut number = 100;
    wait::until("the breaker closes", async || {
        number += 1;
        let result = client.ask(&format!("{STRANGE} {number}")).await;
        (result["source"] == "llm").then_some(())
    })
    .await;
    assert_eq!(state().await, "up");
    assert_eq!(client.metric("voicera_llm_breaker_state", "").await, 0, "0 is closed");
}
