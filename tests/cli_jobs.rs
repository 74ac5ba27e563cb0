//! Dead jobs: seen, and tried again, from the command line.

use sqlx::Connection as _;

use crate::support::command::{Finished, run_with};
use crate::support::{Behaviour, Cluster, LlmServer, Role, wait};

fn jobs(cluster: &Cluster, arguments: &[&str]) -> Finished {
    let base = cluster.client().base().to_owned();
    let arguments = [&["jobs"], arguments, &["--data-dir", Role::All.as_str()]].concat();
    run_with(cluster.home(), &arguments, &[("VOICERA_SERVER", &base)], "")
}

/// Changes the queue's file while no server has it open.
async fn in_the_queue(cluster: &Cluster, statement: &'static str) {
    let file = cluster.folder(Role::All).join("queue.db");
    let mut queue = sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    let changed = sqlx::query(statement).execute(&mut queue).await.unwrap().rows_affected();
    assert_eq!(changed, 1, "{statement}");
    queue.close().await.unwrap();
}

/// A server with one dead job: its command became unreadable on the disk while the server was down.
async fn one_dead_job() -> (Cluster, String) {
    let llm = LlmServer::start().await.unwrap();
    llm.otherwise(Behaviour::Hang);
    let mut cluster = Cluster::single_with(&[
        ("llm.base_url", &llm.base_url()),
        ("voice.understanding.mode", "llm_first"),
        ("llm.deadline", "2m"),
        ("llm.attempt_timeout", "2m"),
    ])
    .await;
    let id = cluster.client().accept("show my grades").await;
    cluster.all().kill9();
    cluster.configure(&[("voice.understanding.mode", "local_only")]);
    in_the_queue(&cluster, "UPDATE jobs SET payload = replace(payload, '{', '<')").await;
    cluster.launch(Role::All).await;
    (cluster, id)
}

#[tokio::test]
async fn a_job_that_cannot_be_done_is_dead_and_its_owner_is_told() {
    let (cluster, id) = one_dead_job().await;
    let client = cluster.client();
    let status = client.settled(&id).await;
    assert_eq!(status["status"], "failed");
    assert_eq!(status["error"]["code"], "failed");
    wait::until("the job is dead", async || {
        client.get("/health").await.text.contains("0 active, 0 delayed, 1 dead").then_some(())
    })
    .await;
    assert_eq!(client.metric("voicera_queue_jobs", "state=\"failed\"").await, 1);

    let listed = jobs(&cluster, &["list", "--state", "failed"]).expect(0).out;
    assert!(
        listed.contains(&id) && listed.contains("failed") && listed.contains("voice.process"),
        "{listed}"
    );
    assert!(!listed.contains("show my grades"), "what was said stays its owner's: {listed}");
    let listed = jobs(&cluster, &["list", "--json"]).expect(0).out;
    let job: serde_json::Value = serde_json::from_str(listed.trim()).unwrap();
    assert_eq!(job["jobId"], id.as_str());
    assert_eq!(
        jobs(&cluster, &["list", "--state", "waiting"]).expect(0).out.trim(),
        "no jobs that are waiting"
    );
}

#[tokio::test]
async fn a_dead_job_is_answered_once_the_cause_is_mended_and_it_is_tried_again() {
    let (mut cluster, id) = one_dead_job().await;
    cluster.client().settled(&id).await;
    cluster.all().stop().await;
    in_the_queue(&cluster, "UPDATE jobs SET payload = replace(payload, '<', '{')").await;
    cluster.launch(Role::All).await;
    assert_eq!(cluster.client().status(&id).await["status"], "failed", "nobody tried it again yet");

    assert_eq!(jobs(&cluster, &["retry", &id]).expect(0).out.trim(), "1 will be tried again");
    let client = cluster.client();
    let status = wait::until("it is answered", async || {
        let status = client.status(&id).await;
        (status["status"] == "completed").then_some(status)
    })
    .await;
    assert_eq!(status["result"]["intent"], "get_grades");
    let history = client.history().await;
    assert_eq!(history.len(), 1, "once in the history: {history:?}");
    assert_eq!(history[0]["status"], "completed");
    assert_eq!(history[0]["command"], "show my grades");
    let figures = client.read("/api/voice/stats").await;
    assert_eq!((&figures["completed"], &figures["failed"]), (&1.into(), &0.into()), "{figures}");
}

#[tokio::test]
async fn retrying_counts_what_there_was_to_retry() {
    let (cluster, id) = one_dead_job().await;
    cluster.client().settled(&id).await;
    wait::until("the job is dead", async || {
        cluster.client().get("/health").await.text.contains("1 dead").then_some(())
    })
    .await;
    assert_eq!(jobs(&cluster, &["retry", "--all"]).expect(0).out.trim(), "1 will be tried again");
    let unknown = jobs(&cluster, &["retry", crate::openapi::NOBODY]).expect(1);
    assert!(unknown.err.contains("404"), "{}", unknown.err);
}
