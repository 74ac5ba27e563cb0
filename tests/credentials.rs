//! Servers that know who comes: what is said to whom they do not let in, and that what the documentation has
//! them permit is enough.

use mongodb::Client;
use mongodb::bson::{Document, doc};
use serde_json::json;

use crate::support::Cluster;
use crate::support::Role::Users;
use crate::support::backends::{Backends, initiate};
use crate::support::command::{Finished, run_with};
use crate::support::servers::{self, ask};

/// What stands between the fences of the block of documentation that begins like this.
fn documented(page: &str, beginning: &str) -> String {
    let text = std::fs::read_to_string(format!("{}/docs/{page}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let start = text.find(beginning).unwrap_or_else(|| panic!("{page} has no `{beginning}`"));
    text[start..].split("```").next().unwrap().trim().to_owned()
}

/// A start that fails.
fn serve(settings: &[(&str, &str)]) -> Finished {
    let home = tempfile::tempdir().unwrap();
    run_with(home.path(), &["serve", "--listen", "127.0.0.1:0"], settings, "").expect(1)
}

#[test]
fn a_redis_that_does_not_know_who_comes_is_told_at_the_start_and_no_password_with_it() {
    let redis = servers::redis();
    assert_eq!(ask(&redis, "CONFIG SET requirepass the-right-one"), "+OK");
    for user in ["", ":hunter2@", "ada:hunter2@"] {
        let url = format!("redis://{user}127.0.0.1:{}", redis.port());
        let failed = serve(&[("VOICERA_REDIS__URL", &url)]);
        assert!(failed.err.contains("Redis refuses this user"), "{user}: {failed:#?}");
        assert!(failed.err.contains("fix: correct redis.url"), "{user}: {failed:#?}");
        assert!(!(failed.err + &failed.out).contains("hunter2"), "{user}");
    }
}

#[tokio::test]
async fn a_mongodb_that_does_not_know_who_comes_is_told_at_the_start_and_no_password_with_it() {
    let mongod = servers::mongod_with_users();
    let admin = with_an_administrator(&mongod).await;
    admin.shutdown().await;
    for user in ["", "ada:hunter2@", "root:hunter2@"] {
        let url = format!("mongodb://{user}127.0.0.1:{}/?replicaSet=rs0", mongod.port());
        let settings = [("VOICERA_STORAGE__KIND", "mongodb"), ("VOICERA_STORAGE__MONGODB__URL", &url)];
        let failed = serve(&settings);
        assert!(failed.err.contains("not allowed"), "{user}: {failed:#?}");
        assert!(failed.err.contains("check the user, the password and authSource"), "{user}: {failed:#?}");
        assert!(!(failed.err + &failed.out).contains("hunter2"), "{user}");
    }
}

#[tokio::test]
async fn what_the_documentation_permits_a_user_of_redis_is_enough_for_all_of_it() {
    let mut backends = Backends::own().await;
    let rules = documented("REDIS.md", "ACL SETUSER voicera on").replace("\\\n", " ");
    let rules = rules.replace("PASSWORD", "hunter2");
    for rule in rules.lines() {
        assert_eq!(ask(backends.redis(), rule), "+OK", "{rule}");
    }
    let url = format!("redis://voicera:hunter2@127.0.0.1:{}", backends.redis().port());
    let settings = [("redis.url", url.as_str()), ("redis.prefix", "voicera"), ("voice.queue.prefix", "bull")];
    let mut cluster = Cluster::production(backends, &settings).await;
    let client = cluster.client();
    assert_eq!(client.ask("show my grades").await["source"], "local");
    assert_eq!(client.ask("show my grades").await["source"], "cache");
    let accepted = client.accept("hello").await;
    assert_eq!(client.settled(&accepted).await["status"], "completed");
    client.post("/api/voice/skills/reload", &json!({}), &[]).await.expect(200);
    let stranger = json!({"email": "ada@example.org", "password": "not hers"});
    client.anonymous().post("/api/auth/login", &stranger, &[]).await.expect(401);
    client.get("/api/voice/jobs?state=failed").await.expect(200);
    client.delete("/api/voice/jobs/019bb0a3-3c00-7000-8000-000000000001").await.expect(404);
    cluster.stop().await;
    let log: Vec<_> = cluster.log().into_iter().filter(|line| line.contains("NOPERM")).collect();
    assert!(log.is_empty(), "{log:#?}");
    assert_eq!(ask(cluster.backends().redis(), "ACL LOG"), "*0", "nothing that it wanted was refused");
}

/// The first user of a server that has none; a client of that user.
async fn with_an_administrator(mongod: &servers::Server) -> Client {
    let nobody = initiate(mongod, "").await;
    let root = doc! { "createUser": "root", "pwd": "the-right-one", "roles": ["root"] };
    nobody.database("admin").run_command(root).await.unwrap();
    nobody.shutdown().await;
    as_user(mongod, "root", "the-right-one").await
}

async fn as_user(mongod: &servers::Server, name: &str, password: &str) -> Client {
    let port = mongod.port();
    Client::with_uri_str(format!("mongodb://{name}:{password}@127.0.0.1:{port}/?replicaSet=rs0"))
        .await
        .unwrap()
}

/// A value of MongoDB's shell that is written as JSON.
fn in_json(text: &str) -> Document {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn a_user_with_the_documented_role_adds_to_the_trail_and_can_neither_change_nor_remove() {
    let mongod = servers::mongod_with_users();
    let admin = with_an_administrator(&mongod).await;
    let role = documented("MONGODB.md", "{ \"createRole\": \"voiceraUsers\"");
    admin.database("admin").run_command(in_json(&role)).await.unwrap();
    let on_all = ["voicera_voice", "voicera_users", "voicera_analytics"]
        .into_iter()
        .flat_map(|db| ["readWrite", "dbAdmin"].map(|role| doc! { "role": role, "db": db }));
    let documented = doc! { "role": "voiceraUsers", "db": "admin" };
    for (name, roles) in [("operator", on_all.collect()), ("voicera", vec![documented])] {
        let user = doc! { "createUser": name, "pwd": "hunter2", "roles": roles };
        admin.database("admin").run_command(user).await.unwrap();
    }
    let url = |user: &str| format!("mongodb://{user}:hunter2@127.0.0.1:{}/?replicaSet=rs0", mongod.port());
    let home = tempfile::tempdir().unwrap();
    let operator = url("operator");
    let settings =
        [("VOICERA_STORAGE__KIND", "mongodb"), ("VOICERA_STORAGE__MONGODB__URL", operator.as_str())];
    let migrated = run_with(home.path(), &["migrate"], &settings, "").expect(0);
    assert!(migrated.out.contains("users: applied 0001 accounts"), "{migrated:#?}");

    let url = url("voicera");
    let cluster = Cluster::start_with(
        &[Users],
        &[
            ("storage.kind", "mongodb"),
            ("storage.mongodb.url", &url),
            ("users.seal_key", "what-all-users-processes-of-the-test-share"),
        ],
    )
    .await;
    cluster.ready().await;
    let client = cluster.client_of(Users);
    let password = "a tall ship and a star to steer her by";
    let ada = json!({"name": "ada", "email": "ada@example.org", "password": password});
    let id = client.post("/api/users", &ada, &[]).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    let login = json!({"email": "ada@example.org", "password": password});
    let tokens = client.anonymous().post("/api/auth/login", &login, &[]).await.expect(200).json();
    let refresh = json!({"refreshToken": tokens["refreshToken"]});
    client.anonymous().post("/api/auth/refresh", &refresh, &[]).await.expect(200);
    let key = client.post("/api/users/keys", &json!({"name": "a key"}), &[]).await.expect(201).json();
    let key = key["id"].as_str().unwrap().to_owned();
    let revoked = client.delete(&format!("/api/users/keys/{key}")).await;
    assert!(revoked.status < 300, "{revoked:?}");
    let erased = client.delete(&format!("/api/users/{id}")).await;
    assert!(erased.status < 300, "{erased:?}");
    let entries = client.read("/api/users/audit").await["entries"].as_array().unwrap().len();
    assert!(entries >= 4, "{entries}");

    let voicera = as_user(&mongod, "voicera", "hunter2").await;
    let trail = voicera.database("voicera_users").collection::<Document>("audit");
    assert!(trail.find_one(doc! {}).await.unwrap().is_some());
    let forged = doc! { "$set": { "outcome": "refused" } };
    let changed = trail.update_many(doc! {}, forged.clone()).await.unwrap_err().to_string();
    let replaced = trail.find_one_and_update(doc! {}, forged).await.unwrap_err().to_string();
    let removed = trail.delete_many(doc! {}).await.unwrap_err().to_string();
    let dropped = trail.drop().await.unwrap_err().to_string();
    for refused in [changed, replaced, removed, dropped] {
        assert!(refused.contains("not authorized"), "{refused}");
    }
    let looser = doc! { "collMod": "audit", "validator": {}, "validationLevel": "off" };
    voicera.database("voicera_users").run_command(looser).await.unwrap_err();
}
