//! Commands by the thousand, and what became of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt as _, stream};
use serde_json::json;
use tokio::task::JoinHandle;

use super::wait;
use super::{Client, Reply};

/// Requests under way at a time.
const AT_ONCE: usize = 64;

/// Senders that go on, whatever they are answered, until enough commands were accepted.
#[derive(Debug)]
pub struct Load {
    accepted: Arc<AtomicUsize>,
    senders: JoinHandle<Sent>,
}

/// What came of a load.
#[derive(Debug, Default)]
pub struct Sent {
    /// The commands that were accepted.
    pub accepted: Vec<String>,
    /// What the others were answered, or how their connections ended.
    pub failures: Vec<String>,
}

impl Load {
    /// Sends commands of `wave`, each another, until `count` were accepted.
    pub fn until_accepted(client: &Client, wave: &str, count: usize) -> Self {
        let accepted = Arc::new(AtomicUsize::new(0));
        let (client, counter, wave) = (client.clone(), Arc::clone(&accepted), wave.to_owned());
        let senders = tokio::spawn(async move {
            let enough = || counter.load(Ordering::Relaxed) >= count;
            let texts = stream::iter(0_u32..)
                .take_while(|_| std::future::ready(!enough()))
                .map(|number| format!("show my grades {wave}{number}"));
            let outcomes = texts.map(|text| {
                let (client, counter) = (&client, &counter);
                async move {
                    let body = json!({"command": text});
                    let failure = match client.try_post("/api/voice/process", &body, &[]).await {
                        Ok(Reply { status: 202, .. }) => {
                            counter.fetch_add(1, Ordering::Relaxed);
                            return Ok(text);
                        }
                        Ok(reply) => format!("{}: {}", reply.status, reply.text),
                        Err(error) => format!("{error:?}"),
                    };
                    // Who is refused tries again in a moment, as a client does.
                    wait::moment().await;
                    Err(failure)
                }
            });
            let mut sent = Sent::default();
            let mut outcomes = std::pin::pin!(outcomes.buffer_unordered(AT_ONCE));
            while let Some(outcome) = outcomes.next().await {
                match outcome {
                    Ok(text) => sent.accepted.push(text),
                    Err(failure) => sent.failures.push(failure),
                }
            }
            sent
        });
        Self { accepted, senders }
    }

    /// Waits until so many were accepted.
    pub async fn reached(&self, count: usize) {
        wait::until("enough commands are accepted", async || {
            (self.accepted.load(Ordering::Relaxed) >= count).then_some(())
        })
        .await;
    }

    /// Waits until the senders are done.
    pub async fn sent(self) -> Sent {
        let done = tokio::time::timeout(wait::DEADLINE, self.senders).await;
        done.expect("the load is over in time").expect("the senders end")
    }
}

/// All of `accepted` are in the history, completed, and nothing is there twice.
pub async fn all_are_answered_once(client: &Client, accepted: &[String]) {
    let expected: BTreeSet<&str> = accepted.iter().map(String::as_str).collect();
    let said = wait::until("every accepted command is answered", async || {
        let said = client.said().await;
        expected.iter().all(|text| said.contains_key(*text)).then_some(said)
    })
    .await;
    let twice: Vec<_> = said.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "more than once in the history: {twice:?}");
    for command in client.history().await {
        assert_eq!(command["status"], "completed", "{command}");
    }
}
