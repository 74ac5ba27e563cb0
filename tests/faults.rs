//! A production installation while parts of it die, stop and come back: what was accepted with a 202 is
//! answered, and stands in the history once.

use std::time::{Duration, Instant};

use crate::support::Role::{Gateway, Voice};
use crate::support::backends::Backends;
use crate::support::cluster::PRODUCTION;
use crate::support::load::{Load, all_are_answered_once};
use crate::support::node::Part;
use crate::support::{Behaviour, Cluster, LlmServer, wait};

/// Commands that each of these tests has accepted.
const COMMANDS: usize = 2_000;
/// How many are accepted when the fault begins.
const BEFORE: usize = 400;
/// How long a part that is stopped stands still.
const PAUSE: Duration = Duration::from_secs(10);
/// The second process of voice.
const OTHER_VOICE: Part = Part { role: Voice, number: 2 };

async fn production() -> Cluster {
    Cluster::production(Backends::own().await, &[]).await
}

/// Has [`COMMANDS`] accepted while `fault` happens and is undone, then sees that none is lost.
async fn under_load(mut cluster: Cluster, fault: impl AsyncFnOnce(&mut Cluster)) {
    let client = cluster.client();
    let load = Load::until_accepted(&client, "f", COMMANDS);
    load.reached(BEFORE).await;
    fault(&mut cluster).await;
    cluster.ready().await;
    let sent = load.sent().await;
    assert!(sent.accepted.len() >= COMMANDS);
    all_are_answered_once(&client, &sent.accepted).await;
}

#[tokio::test]
async fn a_voice_process_is_killed() {
    under_load(production().await, async |cluster| {
        cluster.node(OTHER_VOICE).kill9();
        cluster.launch(OTHER_VOICE).await;
    })
    .await;
}

#[tokio::test]
async fn the_jobs_of_a_voice_process_that_is_killed_for_good_are_taken_over() {
    const HELD: usize = 8;
    let llm = LlmServer::start().await.unwrap();
    llm.script((0..HELD).map(|_| Behaviour::Hang));
    let mut cluster = Cluster::to_be_launched(
        Backends::own().await,
        &[
            ("llm.base_url", &llm.base_url()),
            ("llm.deadline", "2m"),
            ("llm.attempt_timeout", "2m"),
            ("voice.understanding.mode", "llm_first"),
            ("voice.queue.concurrency", &HELD.to_string()),
        ],
    );
    for part in PRODUCTION.into_iter().filter(|part| *part != Part::first(Voice)) {
        cluster.launch(part).await;
    }
    cluster.ready().await;
    let client = cluster.client();
    let accepted = Load::until_accepted(&client, "t", COMMANDS).sent().await.accepted;
    wait::until("the one process holds all that it can", async || {
        (llm.models_asked().len() == HELD).then_some(())
    })
    .await;
    cluster.launch(Voice).await;
    let answered = async |count: usize| {
        wait::until("commands are answered", async || {
            (client.read("/api/voice/stats").await["total"].as_u64()? >= count as u64).then_some(())
        })
        .await;
    };
    answered(accepted.len() - HELD).await;

    cluster.node(OTHER_VOICE).kill9();
    let killed = Instant::now();
    answered(accepted.len()).await;
    let took = killed.elapsed();
    assert!(took < Duration::from_secs(30), "taken over after {took:?}");
    all_are_answered_once(&client, &accepted).await;
}

#[tokio::test]
async fn the_gateway_is_killed() {
    under_load(production().await, async |cluster| {
        cluster.node(Gateway).kill9();
        cluster.launch(Gateway).await;
    })
    .await;
}

#[tokio::test]
async fn redis_is_killed_and_started_again() {
    under_load(production().await, async |cluster| {
        cluster.backends().redis().kill9();
        cluster.backends().redis().start();
    })
    .await;
}

#[tokio::test]
async fn mongodb_is_killed_and_started_again() {
    under_load(production().await, async |cluster| {
        cluster.backends().mongod().kill9();
        cluster.backends().mongod().start();
    })
    .await;
}

#[tokio::test]
async fn a_voice_process_stands_still_for_ten_seconds() {
    under_load(production().await, async |cluster| {
        cluster.node(Voice).signal("STOP");
        wait::time(PAUSE).await;
        cluster.node(Voice).signal("CONT");
    })
    .await;
}

#[tokio::test]
async fn the_gateway_stands_still_for_ten_seconds() {
    under_load(production().await, async |cluster| {
        cluster.node(Gateway).signal("STOP");
        wait::time(PAUSE).await;
        cluster.node(Gateway).signal("CONT");
    })
    .await;
}

#[tokio::test]
async fn redis_stands_still_for_ten_seconds() {
    under_load(production().await, async |cluster| {
        cluster.backends().redis().pause();
        wait::time(PAUSE).await;
        cluster.backends().redis().resume();
    })
    .await;
}

#[tokio::test]
async fn mongodb_stands_still_for_ten_seconds() {
    under_load(production().await, async |cluster| {
        cluster.backends().mongod().pause();
        wait::time(PAUSE).await;
        cluster.backends().mongod().resume();
    })
    .await;
}

#[tokio::test]
async fn everything_is_started_in_the_wrong_order() {
    let mut backends = Backends::own().await;
    backends.redis().kill9();
    backends.mongod().kill9();
    let mut cluster = Cluster::to_be_launched(backends, &[]);
    for part in PRODUCTION.into_iter().rev() {
        cluster.launch(part).await;
        let client = cluster.client_of(part).anonymous();
        client.get("/health/live").await.expect(200);
        client.get("/health/ready").await.expect(503);
    }
    cluster.backends().mongod().start();
    cluster.backends().redis().start();
    cluster.ready().await;
    under_load(cluster, async |_| {}).await;
}

#[tokio::test]
async fn both_voice_processes_are_replaced_and_no_request_fails() {
    // A balancer has to see that a process is leaving before it leaves.
    let settings = [("server.shutdown_delay", "3s")];
    let mut cluster = Cluster::production(Backends::own().await, &settings).await;
    let client = cluster.client();
    let load = Load::until_accepted(&client, "r", 2 * COMMANDS);
    load.reached(BEFORE).await;
    for part in [Part::first(Voice), OTHER_VOICE] {
        cluster.node(part).stop().await;
        cluster.launch(part).await;
        cluster.ready().await;
    }
    let sent = load.sent().await;
    assert_eq!(sent.failures, Vec::<String>::new());
    all_are_answered_once(&client, &sent.accepted).await;
}

#[tokio::test]
async fn a_full_queue_turns_commands_away_until_the_language_model_is_back() {
    let llm = LlmServer::start().await.unwrap();
    llm.otherwise(Behaviour::Hang);
    let settings = [
        ("llm.base_url", &*llm.base_url()),
        ("llm.deadline", "30s"),
        ("llm.attempt_timeout", "30s"),
        // The breaker would have the trained model answer, and the queue would drain.
        ("llm.breaker.minimum_calls", "10000"),
        ("voice.understanding.mode", "llm_first"),
        ("voice.queue.max_waiting", &COMMANDS.to_string()),
    ];
    let cluster = Cluster::production(Backends::shared().await, &settings).await;
    let client = cluster.client();
    let accepted = Load::until_accepted(&client, "b", COMMANDS).sent().await.accepted;
    let mut more = Vec::new();
    let refused = loop {
        let text = format!("show my grades more{}", more.len());
        match client.process(&text).await {
            reply if reply.status == 202 => more.push(text),
            reply => break reply.expect(503),
        }
    };
    assert_eq!(refused.problem()["code"], "unavailable");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");

    let full = memory(&cluster).await;
    let mut turned_away = 0;
    while turned_away < COMMANDS {
        let text = format!("show my grades again{turned_away}-{}", more.len());
        match client.process(&text).await {
            // The model's deadline lets a few through to the history.
            reply if reply.status == 202 => more.push(text),
            reply => turned_away += usize::from(reply.expect(503).status == 503),
        }
    }
    let after = memory(&cluster).await;
    assert!(after < full + (32 << 20), "from {full} to {after} bytes while the queue was full");

    llm.otherwise(Behaviour::Answer(crate::support::llm_server::default_answer()));
    let accepted: Vec<String> = accepted.into_iter().chain(more).collect();
    all_are_answered_once(&client, &accepted).await;
    let id = client.accept("there is room again").await;
    client.settled(&id).await;
}

/// What the processes that commands go through have in memory, in bytes.
async fn memory(cluster: &Cluster) -> u64 {
    let mut bytes = 0;
    for part in [Part::first(Gateway), Part::first(Voice), OTHER_VOICE] {
        bytes += cluster.client_of(part).metric("process_resident_memory_bytes", "").await;
    }
    bytes
}
