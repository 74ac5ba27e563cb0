//! An accepted command is never lost, and is in the history once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::support::load::all_are_answered_once;
use crate::support::{Behaviour, Client, Cluster, LlmServer, Role, command, wait};

/// Senders that go on until the server is gone or everything is sent.
struct Load {
    accepted: Arc<AtomicUsize>,
    senders: JoinHandle<Vec<String>>,
}

impl Load {
    /// Sends `texts`, 64 at a time.
    fn start(client: &Client, texts: Vec<String>) -> Self {
        let accepted = Arc::new(AtomicUsize::new(0));
        let gone = Arc::new(AtomicBool::new(false));
        let (client, counter) = (client.clone(), Arc::clone(&accepted));
        let senders = tokio::spawn(async move {
            let send = |text: String| {
                let (client, counter, gone) = (client.clone(), Arc::clone(&counter), Arc::clone(&gone));
                async move {
                    if gone.load(Ordering::Relaxed) {
                        return None;
                    }
                    let reply = client.try_post("/api/voice/process", &json!({"command": text}), &[]).await;
                    let Ok(reply) = reply else {
                        gone.store(true, Ordering::Relaxed);
                        return None;
                    };
                    reply.expect(202);
                    counter.fetch_add(1, Ordering::Relaxed);
                    Some(text)
                }
            };
            stream::iter(texts).map(send).buffer_unordered(64).filter_map(async |sent| sent).collect().await
        });
        Self { accepted, senders }
    }

    async fn reached(&self, count: usize) {
        wait::until("enough commands are accepted", async || {
            (self.accepted.load(Ordering::Relaxed) >= count).then_some(())
        })
        .await;
    }

    /// What was accepted.
    async fn accepted(self) -> Vec<String> {
        self.senders.await.expect("the senders end")
    }
}

fn texts(wave: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("show my grades {wave}{number}")).collect()
}

#[tokio::test]
async fn killed_in_the_middle_of_two_thousand_accepted_commands_it_answers_each_of_them_once() {
    // A language model that answers the first three hundred and then hangs holds the batch in the
    // middle: some are done, some are being answered, most wait.
    let llm = LlmServer::start().await.unwrap();
    llm.script((0..300).map(|_| Behaviour::Answer(crate::support::llm_server::default_answer())));
    llm.otherwise(Behaviour::Hang);
    let mut cluster = Cluster::single_with(&[
        ("llm.base_url", &llm.base_url()),
        ("llm.attempt_timeout", "2m"),
        ("llm.deadline", "2m"),
        ("voice.understanding.mode", "llm_first"),
    ])
    .await;
    let client = cluster.client();
    let load = Load::start(&client, texts("a", 2_000));
    load.reached(2_000).await;
    let accepted = load.accepted().await;
    wait::until("the batch is in the middle", async || (llm.requests().len() > 320).then_some(())).await;
    let before = client.history().await.len();
    cluster.all().kill9();
    assert!((250..=300).contains(&before), "{before} were answered before the kill");

    cluster.configure(&[("voice.understanding.mode", "local_only")]);
    cluster.launch(Role::All).await;
    let client = cluster.client();
    all_are_answered_once(&client, &accepted).await;
    assert_eq!(client.history().await.len(), 2_000);
    assert_eq!(client.read("/api/voice/stats").await["total"], 2_000);
}

#[tokio::test]
async fn killed_twice_under_load_it_loses_nothing() {
    let mut cluster = Cluster::single().await;
    let mut accepted = Vec::new();
    for wave in ["a", "b"] {
        let load = Load::start(&cluster.client(), texts(wave, 3_000));
        load.reached(300).await;
        cluster.all().kill9();
        accepted.extend(load.accepted().await);
        cluster.launch(Role::All).await;
    }
    assert!(accepted.len() >= 600);
    all_are_answered_once(&cluster.client(), &accepted).await;
}

#[tokio::test]
async fn told_to_stop_under_load_it_finishes_what_it_accepted_and_exits_with_zero() {
    let mut cluster = Cluster::single().await;
    let load = Load::start(&cluster.client(), texts("a", 5_000));
    load.reached(300).await;
    cluster.all().stop().await;
    let accepted = load.accepted().await;
    assert!((300..5_000).contains(&accepted.len()), "{} were accepted", accepted.len());
    cluster.launch(Role::All).await;
    all_are_answered_once(&cluster.client(), &accepted).await;
}

#[tokio::test]
async fn a_second_process_on_the_same_folder_is_refused_and_told_who_has_it() {
    let mut cluster = Cluster::single().await;
    let pid = cluster.all().pid();
    let folder = cluster.folder(Role::All);
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir", folder.to_str().unwrap()];
    let refused = command::run(cluster.home(), &arguments).expect(1);
    assert!(refused.err.contains(&format!("process {pid}")), "{}", refused.err);
    assert!(refused.err.contains("--data-dir"), "it says what to do: {}", refused.err);
    cluster.client().get("/health/ready").await.expect(200);
}
