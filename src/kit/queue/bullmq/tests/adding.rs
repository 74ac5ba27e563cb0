//! Jobs that go in by Voicera's own script, beside the same jobs added by BullMQ's port.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bullmq::options::RedisConnectionOptions;
use bullmq::redis_connection::RedisConnection;
use bullmq::types::BackoffStrategy;
use bullmq::{JobOptions, QueueOptions as PortOptions};
use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{Client, FromRedisValue, cmd};
use futures_util::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Below, on, open};
use crate::kit::clock::{Clock as _, ManualClock};
use crate::kit::queue::conformance::{QUEUE, clock, id, job, options, owner};
use crate::kit::queue::{Enqueued, NewJob, QueueError, QueueOptions};
use crate::servers::REDIS;

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// What both sides are given.
fn jobs() -> Vec<NewJob> {
    vec![
        job(1),
        NewJob {
            kind: "voice.process".to_owned(),
            payload: r#"{"text":"naïve ☕ \u0000 'quoted' a/b","n":[1.5,{}]}"#.to_owned(),
            traceparent: Some(TRACEPARENT.to_owned()),
            max_attempts: Some(9),
            ..job(2)
        },
        NewJob { owner: owner(2), ..job(3) },
    ]
}

/// One of [`jobs`] as another producer would add it.
fn by_hand(job: &NewJob) -> (Value, JobOptions) {
    let mut data =
        json!({"owner": job.owner, "payload": serde_json::from_str::<Value>(&job.payload).unwrap()});
    data["by"] = json!("voicera");
    if let Some(traceparent) = &job.traceparent {
        data["traceparent"] = json!(traceparent);
    }
    let options = JobOptions {
        job_id: Some(job.id.to_string()),
        attempts: Some(job.max_attempts.unwrap_or(3)),
        ..JobOptions::default()
    };
    (data, options.backoff(BackoffStrategy::Exponential(1)))
}

struct Server(MultiplexedConnection);

impl Server {
    async fn connect() -> Self {
        let client = Client::open(format!("redis://127.0.0.1:{}", REDIS.port())).unwrap();
        Self(client.get_multiplexed_async_connection().await.unwrap())
    }

    async fn run<T: FromRedisValue>(&mut self, command: &str) -> T {
        let mut words = command.split(' ');
        let mut command = cmd(words.next().unwrap());
        for word in words {
            command.arg(word);
        }
        command.query_async(&mut self.0).await.unwrap()
    }

    /// All that BullMQ keeps of the queue below `prefix`, but for the times in the stream of events.
    async fn kept(&mut self, prefix: &str) -> BTreeMap<String, Value> {
        let below = format!("{prefix}:{QUEUE}:");
        let keys: Vec<String> = self.run(&format!("KEYS {below}*")).await;
        let mut kept = BTreeMap::new();
        for key in keys.iter().filter(|key| !key.contains(":voicera:")) {
            let kind: String = self.run(&format!("TYPE {key}")).await;
            let value = match kind.as_str() {
                "string" => json!(self.run::<String>(&format!("GET {key}")).await),
                "list" => json!(self.run::<Vec<String>>(&format!("LRANGE {key} 0 -1")).await),
                "zset" => json!(self.run::<Vec<String>>(&format!("ZRANGE {key} 0 -1 WITHSCORES")).await),
                "hash" => json!(self.hash(key).await),
                "stream" => {
                    let events: Vec<(String, Vec<String>)> = self.run(&format!("XRANGE {key} - +")).await;
                    json!(events.into_iter().map(|(_, fields)| fields).collect::<Vec<_>>())
                }
                other => panic!("{key} is a {other}"),
            };
            kept.insert(key.trim_start_matches(&below).to_owned(), value);
        }
        kept
    }

    /// A hash, of which what is JSON is read: the order of its fields means nothing.
    async fn hash(&mut self, key: &str) -> BTreeMap<String, Value> {
        let fields: BTreeMap<String, String> = self.run(&format!("HGETALL {key}")).await;
        let read = |(name, text): (String, String)| {
            let json = name == "data" || name == "opts";
            let value = if json { serde_json::from_str(&text).unwrap() } else { json!(text) };
            (name, value)
        };
        fields.into_iter().map(read).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_kept_as_the_port_keeps_it_field_by_field_and_event_by_event() {
    let mut server = Server::connect().await;
    // How the queue is, and whether a worker is to be woken.
    let states: [(&[&str], bool); 5] = [
        (&[], true),
        (&["HSET {}meta paused 1"], false),
        (&["HSET {}meta concurrency 1", "RPUSH {}active another"], false),
        (&["HSET {}meta concurrency 2", "RPUSH {}active another"], true),
        (&["HSET {}meta opts.maxLenEvents 7"], true),
    ];
    for (state, woken) in states {
        let (ours, theirs) = (Below::new().prefix, Below::new().prefix);
        for prefix in [&ours, &theirs] {
            for command in state {
                let _: i64 = server.run(&command.replace("{}", &format!("{prefix}:{QUEUE}:"))).await;
            }
        }
        let clock = Arc::new(ManualClock::at("2026-11-23T08:00:00.123Z".parse().unwrap()));
        let now = u64::try_from(clock.now().as_millisecond()).unwrap();

        let queue = open(REDIS.port(), &ours, options(), clock);
        for added in join_all(jobs().into_iter().map(|job| queue.enqueue(job))).await {
            assert_eq!(added.unwrap(), Enqueued::Created);
        }
        let how = RedisConnectionOptions::default().host("127.0.0.1").port(REDIS.port());
        let connection = RedisConnection::new_managed_only(&how).await.unwrap();
        let below = PortOptions::default().prefix(theirs.as_str());
        let port = bullmq::Queue::with_connection(QUEUE, connection, below).await.unwrap();
        for job in jobs() {
            let (data, options) = by_hand(&job);
            let options = JobOptions { timestamp: Some(now), ..options };
            port.add(&job.kind, data).options(options).await.unwrap();
        }

        let (ours, theirs) = (server.kept(&ours).await, server.kept(&theirs).await);
        assert!(theirs["wait"].as_array().unwrap().len() == 3);
        assert_eq!(theirs["events"].as_array().unwrap().len(), 6);
        assert_eq!(theirs.contains_key("marker"), woken, "{state:?}");
        assert_eq!(ours, theirs, "{state:?}");
        queue.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stream_of_events_keeps_to_the_queues_limit() {
    let Below { prefix } = Below::new();
    let mut server = Server::connect().await;
    let _: i64 = server.run(&format!("HSET {prefix}:{QUEUE}:meta opts.maxLenEvents 10")).await;
    let queue = on(REDIS.port(), &prefix);
    for added in join_all((0..1_000).map(|number| queue.enqueue(job(number)))).await {
        added.unwrap();
    }
    let events: u64 = server.run(&format!("XLEN {prefix}:{QUEUE}:events")).await;
    // Redis cuts in pieces of about a hundred.
    assert!((10..400).contains(&events), "{events} of 2,000");
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_are_taken_than_may_wait_however_they_come() {
    let Below { prefix } = Below::new();
    let few = QueueOptions { max_waiting: 150, ..options() };
    let queue = open(REDIS.port(), &prefix, few, clock());
    let all = (0..900).map(|number| {
        let delay = (number % 7 == 0).then_some(Duration::from_hours(1));
        let priority = u8::from(number % 5 == 0);
        queue.enqueue(NewJob { priority, delay, ..job(number) })
    });
    let taken = join_all(all).await.into_iter().filter(|taken| match taken {
        Ok(taken) => *taken == Enqueued::Created,
        Err(error) => {
            assert!(matches!(error, QueueError::Full { .. }), "{error}");
            false
        }
    });
    assert_eq!(taken.count(), 150);
    let depth = queue.depth(QUEUE).await.unwrap();
    assert_eq!(depth.waiting + depth.delayed, 150);
    assert!(depth.delayed > 0);
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_sent_many_times_at_once_is_one_job_also_if_the_port_adds_it() {
    let Below { prefix } = Below::new();
    let queue = on(REDIS.port(), &prefix);
    let delay = Some(Duration::from_hours(1));
    let all = (0..600).map(|number| queue.enqueue(NewJob { delay, ..job(number % 4) }));
    let created = join_all(all).await.into_iter().filter(|done| matches!(done, Ok(Enqueued::Created)));
    assert_eq!(created.count(), 4);
    assert_eq!(queue.depth(QUEUE).await.unwrap().delayed, 4);
    assert!(queue.get(id(3), Some(owner(1))).await.unwrap().is_some());
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_stands_for_a_number_is_bullmqs_to_give() {
    let Below { prefix } = Below::new();
    let queue = on(REDIS.port(), &prefix);
    let number = Uuid::parse_str("00000000-0000-8000-8000-00000000002a").unwrap();
    let Err(QueueError::Refused { detail, .. }) = queue.enqueue(NewJob { id: number.into(), ..job(1) }).await
    else {
        panic!("accepted")
    };
    assert!(detail.contains("numbers"), "{detail}");
    assert_eq!(queue.depth(QUEUE).await.unwrap().waiting, 0);
    queue.close().await;
}
