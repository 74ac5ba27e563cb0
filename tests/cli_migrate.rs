//! The schemas of an installation from the command line.

use mongodb::bson::{Document, doc};
use serde_json::Value;

use crate::support::backends::Backends;
use crate::support::command::{run, run_with};
use crate::support::node::variable;
use crate::support::{Cluster, Role};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn embedded_stores_are_looked_at_and_then_made() {
    let home = tempfile::tempdir().unwrap();
    let intended = run(home.path(), &["migrate", "--dry-run"]).expect(0).out;
    assert!(intended.contains("voice: would apply 0001 commands (data/voice.db)"), "{intended}");
    let pending = lines(&run(home.path(), &["migrate", "status", "--json"]).expect(0).out);
    assert!(pending.iter().all(|step| step["appliedAt"].is_null()), "{pending:?}");
    assert!(!home.path().join("data").exists(), "looking makes nothing");

    let applied = run(home.path(), &["migrate"]).expect(0).out;
    assert_eq!(applied.replace("applied", "would apply"), intended);
    let status = lines(&run(home.path(), &["migrate", "status", "--json"]).expect(0).out);
    assert_eq!(status.len(), pending.len());
    assert!(status.iter().all(|step| step["appliedAt"].is_string()), "{status:?}");
    let stores: std::collections::BTreeSet<_> =
        status.iter().filter_map(|step| step["store"].as_str()).collect();
    assert_eq!(stores, ["analytics", "queue", "users", "voice"].into());
    let again = run(home.path(), &["migrate"]).expect(0).out;
    assert!(
        again.lines().count() == 4 && again.lines().all(|line| line.contains(": up to date (")),
        "{again}"
    );
}

#[tokio::test]
async fn databases_on_a_server_are_looked_at_and_then_made() {
    let home = tempfile::tempdir().unwrap();
    let backends = Backends::shared().await;
    let settings = backends.settings();
    let settings: Vec<_> = settings.iter().map(|(key, value)| (variable(key), value.as_str())).collect();
    let settings: Vec<_> = settings.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let voicera = |arguments: &[&str]| run_with(home.path(), arguments, &settings, "").expect(0).out;

    let intended = voicera(&["migrate", "--dry-run"]);
    assert!(intended.contains("voice: would apply 0001 commands (database t"), "{intended}");
    assert!(!intended.contains("queue:"), "BullMQ's is not ours: {intended}");
    let applied = voicera(&["migrate"]);
    assert_eq!(applied.replace("applied", "would apply"), intended);
    let status = voicera(&["migrate", "status"]);
    assert!(status.contains("  0001 commands         applied 20") && !status.contains("pending"), "{status}");
    for store in ["voice", "users", "analytics"] {
        assert!(applied.contains(&format!("{store}: applied 0001 ")), "{applied}");
    }
    let again = voicera(&["migrate"]);
    assert!(
        again.lines().count() == 3 && again.lines().all(|line| line.contains(": up to date (database t")),
        "{again}"
    );
}

#[tokio::test]
async fn a_database_of_a_newer_voicera_is_refused_and_the_others_are_brought_up_to_date() {
    let home = tempfile::tempdir().unwrap();
    let backends = Backends::shared().await;
    let settings = backends.settings();
    let value = |wanted: &str| settings.iter().find(|(key, _)| key == wanted).unwrap().1.clone();
    let variables: Vec<_> = settings.iter().map(|(key, value)| (variable(key), value.as_str())).collect();
    let variables: Vec<_> = variables.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let migrate = || run_with(home.path(), &["migrate"], &variables, "");
    migrate().expect(0);

    let server = mongodb::Client::with_uri_str(value("storage.mongodb.url")).await.unwrap();
    let name = format!("{}_users", value("storage.mongodb.database_prefix"));
    let ledger = server.database(&name).collection::<Document>("migrations");
    let mut newer = ledger.find_one(doc! {}).sort(doc! { "_id": -1 }).await.unwrap().unwrap();
    newer.insert("_id", 999);
    ledger.insert_one(newer).await.unwrap();
    let refused = migrate().expect(1);
    let wanted = format!("users: database {name} on 127.0.0.1:");
    assert!(
        refused.err.contains(&wanted) && refused.err.contains("written by a newer Voicera"),
        "{refused:#?}"
    );
    assert!(
        refused.out.contains("voice: up to date") && refused.out.contains("analytics: up to date"),
        "{refused:#?}"
    );

    let served = run_with(home.path(), &["serve", "--listen", "127.0.0.1:0"], &variables, "").expect(1);
    assert!(served.err.contains("written by a newer Voicera"), "{served:#?}");
}

#[tokio::test]
async fn files_that_a_server_has_open_are_looked_at_and_left_alone() {
    let cluster = Cluster::single().await;
    let folder = cluster.folder(Role::All).display().to_string();
    let home = tempfile::tempdir().unwrap();
    let refused = run(home.path(), &["migrate", "--data-dir", &folder]).expect(1);
    assert!(refused.err.contains("is running on it"), "{refused:#?}");
    let status = run(home.path(), &["migrate", "--dry-run", "--data-dir", &folder]).expect(0).out;
    assert!(status.lines().all(|line| line.contains("up to date")), "{status}");
}

#[test]
fn a_server_that_is_away_is_named() {
    let home = tempfile::tempdir().unwrap();
    let settings = [
        ("VOICERA_STORAGE__KIND", "mongodb"),
        ("VOICERA_STORAGE__MONGODB__URL", "mongodb://ada:secret@127.0.0.1:9/"),
        ("VOICERA_STORAGE__MONGODB__SERVER_SELECTION_TIMEOUT", "200ms"),
    ];
    let failed = run_with(home.path(), &["migrate", "status"], &settings, "").expect(1);
    assert!(
        failed.err.contains("voice: database voicera_voice on 127.0.0.1:9: cannot be reached"),
        "{failed:#?}"
    );
    assert!(!failed.err.contains("secret"), "{failed:#?}");
}
