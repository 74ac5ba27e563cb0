//! Accounts and keys from the command line, on the store itself.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::command::{Finished, run, run_with};
use crate::support::{Cluster, Role, wait};

const PASSWORD: &str = "correct horse battery staple";

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// `voicera …` with the password on standard input.
fn with_password(home: &Path, arguments: &[&str]) -> Finished {
    run_with(home, arguments, &[], &format!("{PASSWORD}\n"))
}

/// An installation with one administrator.
fn begun() -> TempDir {
    let home = home();
    let arguments = ["user", "create", "ada@example.org", "--name", "Ada Lovelace", "--role", "admin"];
    let made = with_password(home.path(), &arguments).expect(0);
    assert!(made.err.contains("there was no installation in data: it has been made"), "{made:#?}");
    assert!(made.out.starts_with("created ") && made.out.contains("ada@example.org"), "{made:#?}");
    home
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_command_explains_itself_with_an_example() {
    for command in [
        &["user"][..],
        &["user", "create"],
        &["user", "list"],
        &["user", "set-role"],
        &["user", "set-status"],
        &["user", "reset-password"],
        &["user", "reset-second-factor"],
        &["key"],
        &["key", "create"],
        &["key", "list"],
        &["key", "revoke"],
        &["signing-key"],
        &["signing-key", "rotate"],
        &["signing-key", "list"],
    ] {
        let help = run(home().path(), &[command, &["--help"]].concat()).expect(0).out;
        let (_, examples) = help.split_once("Example").unwrap();
        assert!(examples.contains(&["voicera", &command.join(" ")].join(" ")), "{command:?}: {help}");
    }
}

#[test]
fn nothing_but_making_an_account_begins_an_installation() {
    let home = home();
    for arguments in [
        &["user", "list"][..],
        &["user", "set-role", "ada@example.org", "admin"],
        &["user", "reset-password", "ada@example.org", "--generate"],
        &["key", "create", "--service", "importer", "--everything"],
        &["key", "list"],
        &["signing-key", "rotate"],
    ] {
        let refused = run(home.path(), arguments).expect(1);
        assert!(
            refused.err.contains("no installation in data") && refused.err.contains("fix:"),
            "{refused:#?}"
        );
        assert!(!home.path().join("data").exists(), "{arguments:?}");
    }
    with_password(home.path(), &["user", "create", "nowhere"]).expect(2);
    run(home.path(), &["user", "create", "ada@example.org"]).expect(2);
    assert!(!home.path().join("data").exists(), "nor does what cannot be an account");
}

#[test]
fn accounts_are_made_listed_and_changed() {
    let home = begun();
    let home = home.path();
    let arguments =
        ["user", "create", "grace@example.org", "--role", "teacher", "--institution", "navy", "--generate"];
    let made = run(home, &arguments).expect(0).out;
    assert!(made.contains("password: ") && made.contains("(shown this once)"), "{made}");

    let listed = lines(&run(home, &["user", "list", "--json"]).expect(0).out);
    let names: Vec<_> = listed.iter().map(|account| account["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["grace", "Ada Lovelace"]);
    assert_eq!(listed[0]["institution"], "navy");
    let shown = run(home, &["user", "list", "--role", "teacher"]).expect(0).out;
    assert!(shown.contains("grace@example.org") && shown.lines().count() == 1, "{shown}");
    assert_eq!(run(home, &["user", "list", "--search", "nobody"]).expect(0).out.trim(), "no such accounts");

    let changed = run(home, &["user", "set-role", "grace@example.org", "institution_admin"]).expect(0).out;
    assert!(changed.contains("institution_admin of navy"), "{changed}");
    let id = listed[0]["id"].as_str().unwrap();
    let changed = run(home, &["user", "set-status", id, "suspended"]).expect(0).out;
    assert!(changed.contains("suspended"), "{changed}");
    let reset = run(home, &["user", "reset-password", id, "--generate"]).expect(0).out;
    assert!(reset.contains("password: "), "{reset}");
}

#[test]
fn what_cannot_be_done_is_said_with_the_right_status() {
    let home = begun();
    let home = home.path();
    for (arguments, status, word) in [
        (&["user", "create", "ada@example.org", "--generate"][..], 1, "has an account already"),
        (&["user", "create", "nowhere", "--generate"], 2, "e-mail address"),
        (&["user", "create", "eve@example.org", "--role", "emperor", "--generate"], 2, "institution_admin"),
        (&["user", "create", "eve@example.org", "--password-file", "absent"], 2, "cannot be read"),
        (&["user", "create", "eve@example.org"], 2, "no password was given"),
        (&["user", "set-role", "ada@example.org", "student"], 1, "last active administrator"),
        (&["user", "set-role", "eve@example.org", "student"], 1, "there is no account"),
        (&["user", "set-status", "ada@example.org", "asleep"], 2, "possible values"),
        (&["key", "create", "--user", "ada@example.org"], 2, "--scope"),
        (&["key", "create", "--service", "x", "--scope", "voice:all"], 2, "voice:process"),
        (&["key", "create", "--service", "x", "--scope", "users:admin"], 1, "does not permit"),
        (&["key", "create", "--service", "x", "--everything", "--expires", "90"], 2, "unit"),
        (&["key", "list", "--service", "y"], 1, "no service"),
        (&["key", "revoke", "nonsense"], 2, "a key's id"),
    ] {
        let refused = run(home, arguments).expect(status);
        assert!(refused.err.contains(word), "{arguments:?}: {refused:#?}");
    }
    let weak = run_with(home, &["user", "create", "eve@example.org"], &[], "password1\n").expect(2);
    assert!(weak.err.contains("easy to guess") && !weak.err.contains("password1"), "{weak:#?}");
}

#[test]
fn a_key_is_shown_once_and_listed_by_its_beginning() {
    let home = begun();
    let home = home.path();
    let scopes = ["--scope", "voice:process", "--scope", "voice:read", "--expires", "90d"];
    let made = run(home, &[&["key", "create", "--service", "importer"], &scopes[..]].concat()).expect(0).out;
    let key = made.lines().next().unwrap().strip_prefix("API key: vk_").unwrap();
    let listed = run(home, &["key", "list", "--json"]).expect(0).out;
    assert!(!listed.contains(key));
    let listed = lines(&listed);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["user"], "importer");
    assert_eq!(listed[0]["scopes"], serde_json::json!(["voice:process", "voice:read"]));
    assert_eq!(listed[0]["prefix"], format!("vk_{}", &key[..8]));
    assert!(listed[0]["expiresAt"].is_string());

    let id = listed[0]["id"].as_str().unwrap();
    assert_eq!(run(home, &["key", "revoke", id]).expect(0).out, "revoked\n");
    run(home, &["key", "revoke", id]).expect(1);
    let shown = run(home, &["key", "list", "--service", "importer"]).expect(0).out;
    assert!(shown.contains("revoked") && shown.contains("voice:process,voice:read"), "{shown}");
}

#[test]
fn signing_keys_are_rotated_with_an_overlap_or_at_once() {
    let home = begun();
    let home = home.path();
    let states = || -> Vec<String> {
        let keys = lines(&run(home, &["signing-key", "list", "--json"]).expect(0).out);
        keys.iter().map(|key| key["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(), ["signs"]);
    run(home, &["signing-key", "rotate"]).expect(0);
    assert_eq!(states(), ["signs", "next"]);
    run(home, &["signing-key", "rotate", "--at-once"]).expect(0);
    assert_eq!(states(), ["signs"]);
    assert!(run(home, &["signing-key", "list"]).expect(0).out.contains("signs since"));
}

#[cfg(unix)]
#[test]
fn what_the_command_line_begins_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = begun();
    let mode = |path: &str| std::fs::metadata(home.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("data"), mode("data/users.db"), mode("data/seal-key")), (0o700, 0o600, 0o600));
}

#[tokio::test]
async fn a_server_that_starts_later_knows_the_accounts_that_were_made() {
    let mut cluster = Cluster::single().await;
    cluster.all().stop().await;
    let create = ["user", "create", "ada@example.org", "--role", "admin", "--data-dir", Role::All.as_str()];
    with_password(cluster.home(), &create).expect(0);
    cluster.launch(Role::All).await;
    let body = serde_json::json!({ "email": "ada@example.org", "password": PASSWORD });
    let reply = cluster.client().post("/api/auth/login", &body, &[]).await.expect(200);
    assert_eq!(reply.json()["user"]["role"], "admin");
}

#[tokio::test]
async fn a_running_server_refuses_the_key_of_a_suspended_account_within_two_seconds() {
    let cluster = Cluster::single().await;
    let folder = ["--data-dir", Role::All.as_str()];
    let command =
        |arguments: &[&str]| with_password(cluster.home(), &[arguments, &folder].concat()).expect(0).out;
    command(&["user", "create", "ada@example.org"]);
    let made = command(&["key", "create", "--user", "ada@example.org", "--scope", "voice:read"]);
    let key = made.lines().next().unwrap().strip_prefix("API key: ").unwrap().to_owned();
    let client = cluster.client().with_key(&key);
    client.get("/api/auth/me").await.expect(200);

    command(&["user", "set-status", "ada@example.org", "suspended"]);
    let suspended = Instant::now();
    wait::until("the key is refused", async || {
        (client.get("/api/auth/me").await.status == 401).then_some(())
    })
    .await;
    assert!(suspended.elapsed() < Duration::from_secs(2), "{:?}", suspended.elapsed());

    command(&["user", "set-status", "ada@example.org", "active"]);
    wait::until("the key is good again", async || {
        (client.get("/api/auth/me").await.status == 200).then_some(())
    })
    .await;
}
