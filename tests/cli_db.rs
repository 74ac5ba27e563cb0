//! An embedded installation carried to production.

use std::fmt::Write as _;

use serde_json::json;

use crate::support::backends::Backends;
use crate::support::command::run;
use crate::support::{Cluster, Role};

/// A configuration file for these servers.
fn configuration(backends: &Backends) -> String {
    let mut text = String::new();
    for (key, value) in backends.settings() {
        writeln!(text, "{key} = {value:?}").unwrap();
    }
    text
}

#[tokio::test]
async fn what_was_said_is_there_after_the_copy_and_once_however_often_it_is_made() {
    let mut cluster = Cluster::single().await;
    let client = cluster.client();
    for number in 0..5 {
        let body = json!({ "command": format!("what is due in class {number}") });
        client.post("/api/voice/process", &body, &[("prefer", "wait=30")]).await.expect(200);
    }
    let folder = cluster.folder(Role::All).display().to_string();
    let home = tempfile::tempdir().unwrap();
    let backends = Backends::shared().await;
    let file = home.path().join("production.toml");
    std::fs::write(&file, configuration(&backends)).unwrap();
    let copy = ["db", "copy", "--from", &folder, "--to", "production.toml"];

    let refused = run(home.path(), &copy).expect(1);
    assert!(refused.err.contains("is running on it"), "{refused:#?}");
    cluster.all().stop().await;
    for _ in 0..2 {
        let done = run(home.path(), &copy).expect(0);
        assert!(done.out.starts_with("history: 5 in the data folder, 5 there now\ncounters: "), "{done:#?}");
    }
    let elsewhere = ["db", "copy", "--from", "nowhere", "--to", "production.toml"];
    let refused = run(home.path(), &elsewhere).expect(1);
    assert!(refused.err.contains("there is no installation in it"), "{refused:#?}");
    assert!(!home.path().join("nowhere").exists());
}

#[test]
fn files_are_no_place_to_carry_files_to() {
    let home = tempfile::tempdir().unwrap();
    run(home.path(), &["migrate"]).expect(0);
    std::fs::write(home.path().join("embedded.toml"), "").unwrap();
    let refused = run(home.path(), &["db", "copy", "--from", "data", "--to", "embedded.toml"]).expect(1);
    assert!(refused.err.contains("storage.kind = \"mongodb\""), "{refused:#?}");
}
