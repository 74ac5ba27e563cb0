//! Against a real server: alone, lost and back, behind a Sentinel and in a Cluster.

use std::time::Duration;

use deadpool_redis::redis::cmd;

use super::*;
use crate::kit::health::Status;
use crate::servers;
use stage::{at, cluster, fresh, open, until};

#[tokio::test]
async fn commands_and_scripts_are_answered() {
    let redis = fresh();
    let key = redis.key("room", "name", "part");
    assert!(key.ends_with(":room:{name}:part"), "{key}");
    redis.query::<()>(cmd("SET").arg(&key).arg(41)).await.unwrap();
    let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    for expected in [42, 43] {
        assert_eq!(redis.run::<i64>(&script, std::slice::from_ref(&key), 1).await.unwrap(), expected);
    }
    assert_eq!(redis.health().await.status, Status::Up);
}

#[tokio::test]
async fn a_script_that_the_server_has_forgotten_is_sent_again() {
    let server = servers::redis();
    let redis = at(&server);
    let script = Script::new("return ARGV[1]");
    for _ in 0..2 {
        assert_eq!(redis.run::<String>(&script, &[], "here").await.unwrap(), "here");
        redis.query::<()>(cmd("SCRIPT").arg("FLUSH")).await.unwrap();
    }
}

#[tokio::test]
async fn it_opens_without_a_server_and_finds_it_later() {
    let mut server = servers::redis();
    server.kill9();
    let redis = at(&server);
    assert!(matches!(redis.ping().await, Err(RedisError::Unavailable { .. })));
    assert_eq!(redis.health().await.status, Status::Degraded);
    server.start();
    until("it is found", async || redis.ping().await.ok()).await;
}

#[tokio::test]
async fn a_server_that_dies_is_missed_at_once_and_found_when_it_is_back() {
    let mut server = servers::redis();
    let redis = at(&server);
    futures_util::future::join_all((0..8).map(|_| redis.ping())).await;
    server.kill9();
    let begun = Instant::now();
    for _ in 0..1_000 {
        redis.ping().await.unwrap_err();
    }
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    server.start();
    until("it is found", async || redis.ping().await.ok()).await;
}

#[tokio::test]
async fn a_server_that_hangs_costs_one_deadline_and_not_one_for_each_call() {
    let server = servers::redis();
    let redis = at(&server);
    futures_util::future::join_all((0..8).map(|_| redis.ping())).await;
    server.pause();
    let begun = Instant::now();
    for _ in 0..1_000 {
        let error = redis.query::<()>(&cmd("PING")).await.unwrap_err();
        assert!(matches!(error, RedisError::Timeout { .. }), "{error}");
    }
    server.resume();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    until("it is found", async || redis.ping().await.ok()).await;
}

#[tokio::test]
async fn a_user_is_known_by_name_and_password() {
    let server = servers::redis();
    let admin = at(&server);
    let rules = ["SETUSER", "ada", "on", ">p@ss", "~*", "&*", "+@all", "-flushall"];
    admin.query::<()>(cmd("ACL").arg(&rules)).await.unwrap();
    let url = |user: &str| format!("redis://{user}@127.0.0.1:{}", server.port());
    let ada = open(&url("ada:p%40ss"));
    ada.ping().await.unwrap();
    let forbidden = ada.query::<()>(&cmd("FLUSHALL")).await.unwrap_err();
    assert!(matches!(forbidden, RedisError::Refused { .. }), "{forbidden}");
    let stranger = open(&url("ada:hunter2"));
    let refused = stranger.ping().await.unwrap_err();
    assert!(matches!(refused, RedisError::Refused { .. }), "{refused}");
    assert!(!format!("{refused} {refused:?} {stranger:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_full_server_says_so_and_goes_on_reading() {
    let server = servers::redis();
    let redis = at(&server);
    redis.query::<()>(cmd("CONFIG").arg("SET").arg("maxmemory").arg(1)).await.unwrap();
    let full = redis.query::<()>(cmd("SET").arg("a").arg("b")).await.unwrap_err();
    assert!(matches!(full, RedisError::Full { .. }), "{full}");
    redis.ping().await.unwrap();
}

#[tokio::test]
async fn an_answer_of_another_kind_is_an_error_that_does_not_show_it() {
    let redis = fresh();
    let key = redis.key("room", "name", "part");
    redis.query::<()>(cmd("SET").arg(&key).arg("hunter2")).await.unwrap();
    let error = redis.query::<i64>(cmd("GET").arg(&key)).await.unwrap_err();
    assert!(matches!(error, RedisError::Answer { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
}

#[test]
fn options_that_can_never_work_are_refused() {
    let open = |options| Redis::open(options).unwrap_err().to_string();
    assert!(open(RedisOptions::at("localhost")).contains("it does not begin with redis://"));
    let prefix = RedisOptions { prefix: "a{b}".to_owned(), ..RedisOptions::at("redis://a") };
    assert!(open(prefix).contains("`a{b}` cannot begin a key"));
}

#[tokio::test]
async fn a_cluster_takes_commands_and_scripts() {
    let (mut node, redis) = cluster();
    let script = Script::new("redis.call('SET', KEYS[1], ARGV[1]) return redis.call('INCR', KEYS[2])");
    for name in ["ada", "bob", "eve"] {
        let keys = ["one", "two"].map(|part| redis.key("room", name, part));
        assert_eq!(redis.run::<i64>(&script, &keys, 7).await.unwrap(), 1);
    }
    node.kill9();
    redis.ping().await.unwrap_err();
    node.start();
    until("it is found", async || redis.ping().await.ok()).await;
}

#[tokio::test]
async fn behind_sentinels_commands_go_to_whoever_is_the_primary() {
    let mut primary = servers::redis();
    let replica = servers::redis_replica(primary.port());
    let follows = cmd("INFO").arg("replication").to_owned();
    let replica_alone = at(&replica);
    until("the replica follows", async || {
        let info = replica_alone.query::<String>(&follows).await.ok()?;
        info.contains("master_link_status:up").then_some(())
    })
    .await;
    let sentinel = servers::sentinel(primary.port());
    let redis = open(&format!("redis-sentinel://127.0.0.1:{}/primary", sentinel.port()));
    redis.query::<()>(cmd("SET").arg("name").arg("ada")).await.unwrap();
    let known = cmd("SENTINEL").arg("REPLICAS").arg("primary").to_owned();
    let watch = at(&sentinel);
    until("the Sentinel knows the replica", async || {
        let known = watch.query::<Vec<Vec<String>>>(&known).await.ok()?;
        (!known.is_empty()).then_some(())
    })
    .await;
    primary.kill9();
    until("the replica has taken over", async || {
        redis.query::<()>(cmd("SET").arg("name").arg("bob")).await.ok()
    })
    .await;
    let name = replica_alone.query::<String>(cmd("GET").arg("name")).await.unwrap();
    assert_eq!(name, "bob");
}
