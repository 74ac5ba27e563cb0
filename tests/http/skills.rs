//! Skills of one's own: loaded at the start, learnt anew while commands are answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::{Client, Cluster, wait};

/// A pack with one intent, answered by its name.
fn pack(intent: &str) -> String {
    format!(
        "version: \"3.1\"\nlanguage: en\nnlu:\n- intent: {intent}\n  examples: |\n    - light the beacon\n    - the beacon shall burn\n    - set the beacon alight\n    - kindle the beacon on the hill\n    - burn the beacon tonight\nresponses:\n  utter_{intent}:\n  - text: \"This is {intent}.\"\n"
    )
}

async fn beacons() -> (Cluster, tempfile::TempDir) {
    let skills = tempfile::tempdir().unwrap();
    std::fs::write(skills.path().join("beacons.yml"), pack("first_beacon")).unwrap();
    let cluster = Cluster::installation_with(&[
        ("voice.skills", skills.path().to_str().unwrap()),
        ("voice.builtin_skills", "false"),
    ])
    .await;
    (cluster, skills)
}

/// What a process says of its model.
async fn version(client: &Client) -> Value {
    client.read("/api/voice/skills").await["modelVersion"].clone()
}

/// Waits until every process that answers commands has the same new model.
async fn all_have_learnt(cluster: &Cluster, before: &Value) -> Value {
    let mut versions = Vec::new();
    for part in cluster.workers() {
        let client = cluster.client_of(part);
        let has_learnt = wait::until("a process has learnt", async || {
            Some(version(&client).await).filter(|version| version != before)
        });
        versions.push(has_learnt.await);
    }
    versions.dedup();
    assert_eq!(versions.len(), 1, "{versions:?}");
    versions.remove(0)
}

#[tokio::test]
async fn skills_are_listed_with_what_can_be_said() {
    let (cluster, _skills) = beacons().await;
    let client = cluster.client();
    let skills = client.read("/api/voice/skills").await;
    let beacon = skills["intents"].as_array().unwrap().iter().find(|intent| intent["name"] == "first_beacon");
    assert_eq!(beacon.unwrap()["examples"], 5);
    let suggested = client.read("/api/voice/suggestions/en").await;
    let sentences = suggested["suggestions"].as_array().unwrap();
    assert!(sentences.iter().any(|sentence| sentence.as_str().unwrap().contains("beacon")), "{suggested}");
    client.get("/api/voice/suggestions/tlh").await.expect(404);
    assert_eq!(client.ask("light the beacon").await["reply"], "This is first_beacon.");
}

#[tokio::test]
async fn a_reload_learns_the_new_skills_while_commands_are_answered() {
    let (cluster, skills) = beacons().await;
    let client = cluster.client();
    let before = version(&client).await;
    let done = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn({
        let (client, done) = (client.clone(), Arc::clone(&done));
        async move {
            let mut answered = 0;
            while !done.load(Ordering::Relaxed) {
                let intent = client.ask("light the beacon").await["intent"].as_str().unwrap().to_owned();
                assert!(intent.ends_with("_beacon"), "{intent}");
                answered += 1;
            }
            answered
        }
    });

    std::fs::write(skills.path().join("beacons.yml"), pack("second_beacon")).unwrap();
    let reloaded = client.post("/api/voice/skills/reload", &json!({}), &[]).await.expect(200).json();
    assert_eq!(reloaded["changed"], true);
    assert_eq!(reloaded["modelVersion"], all_have_learnt(&cluster, &before).await);
    assert_eq!(client.ask("light the beacon").await["intent"], "second_beacon");
    done.store(true, Ordering::Relaxed);
    assert!(asking.await.unwrap() > 0);

    let again = client.post("/api/voice/skills/reload", &json!({}), &[]).await.expect(200).json();
    assert_eq!(again, json!({"changed": false, "modelVersion": reloaded["modelVersion"]}));
}

#[tokio::test]
async fn broken_skills_are_refused_line_by_line_and_the_old_ones_stay() {
    let (cluster, skills) = beacons().await;
    let client = cluster.client();
    std::fs::write(skills.path().join("broken.yml"), "version: \"3.1\"\nnlu:\n- intent: [\n").unwrap();
    let problem = client.post("/api/voice/skills/reload", &json!({}), &[]).await.expect(422).problem();
    assert!(problem["errors"][0]["message"].as_str().unwrap().contains("broken.yml:"), "{problem}");
    assert_eq!(client.ask("light the beacon").await["intent"], "first_beacon");
}

#[tokio::test]
async fn a_hangup_signal_has_a_process_learn_anew() {
    let (mut cluster, skills) = beacons().await;
    let before = version(&cluster.client()).await;
    std::fs::write(skills.path().join("beacons.yml"), pack("second_beacon")).unwrap();
    for part in cluster.workers() {
        cluster.node(part).signal("HUP");
    }
    all_have_learnt(&cluster, &before).await;
    assert_eq!(cluster.client().ask("set the beacon alight").await["intent"], "second_beacon");
}

#[tokio::test]
async fn the_next_start_knows_what_was_learnt() {
    let (mut cluster, skills) = beacons().await;
    std::fs::write(skills.path().join("beacons.yml"), pack("second_beacon")).unwrap();
    cluster.restart().await;
    assert_eq!(cluster.client().ask("light the beacon").await["intent"], "second_beacon");
}
