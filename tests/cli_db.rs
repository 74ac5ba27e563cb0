//! An embedded installation carried to production.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;
use voicera::kit::clock::{Clock as _, SharedClock, SystemClock};
use voicera::kit::storage::portable::Portable as _;
use voicera::kit::storage::sqlite::Options;
use voicera::voice::api::{Command, CommandError, Status};
use voicera::voice::store::{CommandStore as _, sqlite::SqliteCommands};

use crate::support::backends::Backends;
use crate::support::command::{Finished, run, run_with};
use crate::support::node::voicera;
use crate::support::{Client, Cluster, Reply, Role, wait};

const PASSWORD: &str = "correct horse battery staple";

/// A configuration file for these servers, but for the keys that are left `out`.
fn configuration(backends: &Backends, home: &Path, out: &[&str]) {
    let mut text = String::new();
    for (key, value) in backends.settings() {
        if !out.contains(&key.as_str()) {
            writeln!(text, "{key} = {value:?}").unwrap();
        }
    }
    std::fs::write(home.join("production.toml"), text).unwrap();
}

fn copy(home: &Path, from: &str) -> Finished {
    run(home, &["db", "copy", "--from", from, "--to", "production.toml"])
}

/// An account made on the command line.
fn account(home: &Path, email: &str, where_: &[&str]) {
    let arguments = [&["user", "create", email, "--name", "Ada", "--role", "admin"], where_].concat();
    run_with(home, &arguments, &[], &format!("{PASSWORD}\n")).expect(0);
}

async fn ask(client: &Client, method: Method, path: &str, access: &str, body: Option<&Value>) -> Reply {
    let request = client.anonymous().request(method, path).bearer_auth(access);
    Client::send(body.into_iter().fold(request, reqwest::RequestBuilder::json)).await.unwrap()
}

fn text(reply: &Value, name: &str) -> String {
    reply[name].as_str().unwrap_or_else(|| panic!("no {name} in {reply}")).to_owned()
}

/// What an authenticator shows that was set up with `uri`, so many half minutes from now.
fn code(uri: &str, steps: u64) -> String {
    let now = SystemClock.now().as_second().unsigned_abs() + 30 * steps;
    totp_rs::Totp::from_url(uri).expect("a second factor").generate(now).to_string()
}

#[tokio::test]
async fn an_embedded_installation_goes_on_in_production_with_its_accounts() {
    let mut cluster = Cluster::single().await;
    let client = cluster.client();
    let key = cluster.key().unwrap();
    let folder = cluster.folder(Role::All).display().to_string();
    let home = tempfile::tempdir().unwrap();
    account(home.path(), "ada@example.org", &["--data-dir", &folder]);
    for number in 0..5 {
        let body = json!({ "command": format!("what is due in class {number}") });
        client.post("/api/voice/process", &body, &[("prefer", "wait=30")]).await.expect(200);
    }
    let login = json!({ "email": "ada@example.org", "password": PASSWORD });
    let session = client.anonymous().post("/api/auth/login", &login, &[]).await.expect(200).json();
    let (access, refresh) = (text(&session, "accessToken"), text(&session, "refreshToken"));
    let proof = json!({ "password": PASSWORD });
    let begun = ask(&client, Method::POST, "/api/auth/totp", &access, Some(&proof)).await.expect(200).json();
    let uri = text(&begun, "uri");
    let confirmation = json!({ "token": begun["token"], "code": code(&uri, 0) });
    let confirm = "/api/auth/totp/confirm";
    ask(&client, Method::POST, confirm, &access, Some(&confirmation)).await.expect(200);
    let account = ask(&client, Method::GET, "/api/auth/me", &access, None).await.expect(200);
    let etag = |reply: &Reply| reply.header("etag").map(str::to_owned);

    let backends = Backends::shared().await;
    configuration(&backends, home.path(), &[]);
    let refused = copy(home.path(), &folder).expect(1);
    assert!(refused.err.contains("is running on it"), "{refused:#?}");
    cluster.all().stop().await;
    for _ in 0..2 {
        let done = copy(home.path(), &folder).expect(0);
        let lines =
            "accounts: 2 in the data folder, 2 there now\nhistory: 5 in the data folder, 5 there now\n";
        assert!(done.out.starts_with(lines), "{done:#?}");
    }

    let production = Cluster::production(backends, &[]).await;
    assert_eq!(production.key(), None, "no first key is made where there was one");
    let client = production.client().with_key(&key);
    assert_eq!(client.history().await.len(), 5);
    assert_eq!(client.read("/api/auth/me").await["name"], "owner");
    let there = ask(&client, Method::GET, "/api/auth/me", &access, None).await.expect(200);
    assert_eq!(there.json()["account"]["email"], "ada@example.org");
    assert_eq!(etag(&there), etag(&account));
    let renewed = json!({ "refreshToken": refresh });
    client.anonymous().post("/api/auth/refresh", &renewed, &[]).await.expect(200);
    let wrong = json!({ "email": "ada@example.org", "password": "wrong horse battery staple" });
    client.anonymous().post("/api/auth/login", &wrong, &[]).await.expect(401).problem();
    let challenge = client.anonymous().post("/api/auth/login", &login, &[]).await.expect(202).json();
    let answer = json!({ "challenge": challenge["challenge"], "code": code(&uri, 1) });
    client.anonymous().post("/api/auth/login/second-factor", &answer, &[]).await.expect(200);
    let trail = client.read("/api/users/audit?action=totp.enable").await;
    assert_eq!(trail["entries"].as_array().map(Vec::len), Some(1), "{trail}");
}

/// Commands that somebody said long ago.
async fn said_long_ago(file: &Path, many: u64) {
    let clock: SharedClock = Arc::new(SystemClock);
    let store = SqliteCommands::open(&Options::new(file), &clock, &|_| ()).await.unwrap();
    let at = "2026-01-05T08:00:00Z".parse().unwrap();
    let commands = (1..=many).map(|number| Command {
        job_id: Uuid::from_u128(number.into()).into(),
        user_id: Uuid::from_u128(1).into(),
        session_id: None,
        command: format!("command {number}"),
        status: Status::Failed,
        created_at: at,
        completed_at: at,
        result: None,
        error: Some(CommandError { code: "failed".to_owned(), message: "no".to_owned() }),
        fingerprint: [7; 32],
    });
    store.import(commands.collect()).await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn a_copy_that_is_killed_goes_on_and_ends_with_each_entry_once() {
    let home = tempfile::tempdir().unwrap();
    account(home.path(), "ada@example.org", &["--data-dir", "data"]);
    account(home.path(), "grace@example.org", &["--data-dir", "data"]);
    let folder = home.path().join("data");
    said_long_ago(&folder.join("voice.db"), 10_000).await;
    let backends = Backends::shared().await;
    configuration(&backends, home.path(), &[]);

    let noted = folder.join("copied.json");
    let reached = |what: &str| {
        let text = std::fs::read_to_string(&noted).ok()?;
        let reached: Value = serde_json::from_str(&text).ok()?;
        (!reached[what].is_null()).then_some(())
    };
    for what in ["accounts", "history"] {
        let mut copying = voicera(home.path())
            .args(["db", "copy", "--from", "data", "--to", "production.toml"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait::until("some of it is there", async || reached(what)).await;
        copying.kill().unwrap();
        let status = copying.wait().unwrap();
        assert!(!status.success(), "it was in the middle of it");
        assert!(noted.is_file());
    }
    let lines =
        "accounts: 2 in the data folder, 2 there now\nhistory: 10000 in the data folder, 10000 there now\n";
    let done = copy(home.path(), "data").expect(0);
    assert_eq!(done.out, lines, "{done:#?}");
    assert!(!noted.exists());
    assert_eq!(copy(home.path(), "data").expect(0).out, lines);
    let listed = run(home.path(), &["user", "list", "--json", "--config", "production.toml"]).expect(0);
    assert_eq!(listed.out.lines().count(), 2, "{listed:#?}");
}

#[tokio::test]
async fn what_is_in_the_way_of_accounts_is_said_and_nothing_is_lost() {
    let home = tempfile::tempdir().unwrap();
    account(home.path(), "ada@example.org", &["--data-dir", "data"]);
    let backends = Backends::shared().await;
    let production = ["--config", "production.toml", "--data-dir", "production"];

    // The secret of what is not there yet has to be known.
    configuration(&backends, home.path(), &["users.seal_key"]);
    let file = home.path().join("production.toml");
    let more = |line: &str| {
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}{line}\n")).unwrap();
    };
    more("server.data_dir = \"production\"");
    let refused = copy(home.path(), "data").expect(1);
    assert!(refused.err.contains("set users.seal_key"), "{refused:#?}");

    // Somebody has the address there already.
    configuration(&backends, home.path(), &[]);
    account(home.path(), "ADA@example.org", &production);
    let refused = copy(home.path(), "data").expect(1);
    let word = "another account there has the address ada@example.org";
    assert!(refused.err.contains(word), "{refused:#?}");

    // It was begun with another secret than is named here.
    configuration(&backends, home.path(), &["users.seal_key"]);
    more("users.seal_key = \"another-one-than-its-processes-run-with\"");
    let refused = copy(home.path(), "data").expect(1);
    assert!(refused.err.contains("another secret than its configuration names"), "{refused:#?}");

    for (arguments, there) in
        [(&["--data-dir", "data"][..], "ada@example.org"), (&production, "ADA@example.org")]
    {
        configuration(&backends, home.path(), &[]);
        let listed = run(home.path(), &[&["user", "list"], arguments].concat()).expect(0);
        assert!(listed.out.lines().count() == 1 && listed.out.contains(there), "{listed:#?}");
    }
}

#[test]
fn files_are_no_place_to_carry_files_to() {
    let home = tempfile::tempdir().unwrap();
    run(home.path(), &["migrate"]).expect(0);
    std::fs::write(home.path().join("embedded.toml"), "").unwrap();
    let refused = run(home.path(), &["db", "copy", "--from", "data", "--to", "embedded.toml"]).expect(1);
    assert!(refused.err.contains("storage.kind = \"mongodb\""), "{refused:#?}");
}

#[tokio::test]
async fn where_there_is_nothing_nothing_is_carried() {
    let home = tempfile::tempdir().unwrap();
    let backends = Backends::shared().await;
    configuration(&backends, home.path(), &[]);
    let refused = copy(home.path(), "nowhere").expect(1);
    assert!(refused.err.contains("there is no installation in it"), "{refused:#?}");
    assert!(!home.path().join("nowhere").exists());
}
