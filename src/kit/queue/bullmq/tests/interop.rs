//! Node's BullMQ on the other side: its workers do Voicera's jobs, Voicera does its producers' jobs.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Below, on, open, within};
use crate::kit::queue::conformance::{
    Act, Event, QUEUE, Script, Worker, clock, enqueue_all, id, job, one_at_a_time, options, owner,
};
use crate::kit::queue::{ConsumeOptions, JobFilter, JobState, NewJob, QueueOptions};
use crate::peers::Peer;
use crate::servers::REDIS;

async fn peer(script: &str, prefix: &str, mut options: Value) -> Peer {
    options["prefix"] = json!(prefix);
    options["queue"] = json!(QUEUE);
    let mut peer = Peer::start(script, REDIS.port(), options);
    peer.says("ready").await;
    peer
}

fn soon() -> ConsumeOptions {
    ConsumeOptions { lease: Duration::from_millis(500), ..ConsumeOptions::default() }
}

/// A job as a Node service adds it: owner 1's, with these options.
fn added(number: u128, options: Value) -> Value {
    let mut opts = options;
    opts["jobId"] = json!(id(number).to_string());
    let data = json!({"owner": owner(1), "payload": {"number": number.to_string()}});
    json!({"add": {"name": "test", "data": data, "opts": opts}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_worker_does_voiceras_job_and_its_answer_comes_back() {
    let Below { prefix } = Below::new();
    let queue = on(REDIS.port(), &prefix);
    let work = json!({"work": {"progress": [30, 60], "value": {"answer": 42}, "fail": 1}});
    let mut node = peer("worker.mjs", &prefix, work).await;
    let traceparent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    queue.enqueue(NewJob { traceparent: traceparent.clone(), ..job(1) }).await.unwrap();

    let begun = node.says("begun").await;
    assert_eq!(begun["name"], "test");
    assert_eq!(begun["data"]["payload"], json!({"number": 1}));
    assert_eq!(begun["data"]["owner"], owner(1).to_string());
    assert_eq!(begun["data"]["traceparent"].as_str(), traceparent.as_deref());
    let again = node.until("the second attempt", |line| line["attempt"] == 2).await;
    assert_eq!(again["begun"], begun["begun"]);
    node.says("completed").await;
    // Done, but not written down yet: for whoever asks it is being worked on.
    let there = queue.get(id(1), Some(owner(1))).await.unwrap().unwrap();
    assert_eq!((there.state, there.progress.get()), (JobState::Active, 60));
    assert!(queue.get(id(1), Some(owner(2))).await.unwrap().is_none());

    let handler = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    let told = Event::Elsewhere(id(1), r#"{"answer":42}"#.to_owned());
    handler.until("the answer is collected", |events| events.contains(&told)).await;
    within("the job is removed", async {
        while queue.get(id(1), None).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    worker.stop().await;
    assert_eq!(handler.events(), [told], "and not done again");
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_a_node_worker_gives_up_is_reported_and_can_be_retried() {
    let Below { prefix } = Below::new();
    let queue = on(REDIS.port(), &prefix);
    let mut node = peer("worker.mjs", &prefix, json!({"work": {"fail": 9}})).await;
    queue.enqueue(NewJob { max_attempts: Some(2), ..job(1) }).await.unwrap();
    node.until("the last attempt fails", |line| line["reason"] == "attempt 2 failed on Node").await;
    drop(node);

    let handler = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    handler.exhausted_times(1).await;
    assert_eq!(handler.events(), [Event::Exhausted(id(1), "attempt 2 failed on Node".to_owned())]);
    let dead = queue.get(id(1), None).await.unwrap().unwrap();
    assert_eq!((dead.state, dead.attempts), (JobState::Failed, 2));
    assert!(queue.retry(id(1)).await.unwrap());
    handler.ended_times(1).await;
    worker.stop().await;
    assert_eq!(handler.begun(), [(id(1), 1)]);
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn voicera_does_a_node_producers_job_and_answers_it() {
    let Below { prefix } = Below::new();
    let queue = on(REDIS.port(), &prefix);
    let mut node = peer("producer.mjs", &prefix, json!({})).await;
    let handler = Script::new(|job| {
        job.progress.set(40);
        job.return_value.set(&json!({"done": job.id, "payload": job.payload})).unwrap();
        Act::Take(Duration::from_millis(600))
    });
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    node.tell(&added(1, json!({})));
    node.tell(&added(2, json!({"removeOnComplete": {"age": 3600}})));

    for number in [1, 2] {
        let this = id(number).to_string();
        let progress = node.until("progress", |line| line["progress"] == this.as_str()).await;
        assert_eq!(progress["percent"], 40);
        let completed = node.until("the answer", |line| line["completed"] == this.as_str()).await;
        let payload = format!(r#"{{"number":"{number}"}}"#);
        assert_eq!(completed["value"], json!({"done": this, "payload": payload}));
    }
    // The first is gone; the second stays for its producer, and is none of Voicera's business any more.
    for (number, state) in [(1, Value::Null), (2, json!("completed"))] {
        node.tell(&json!({"state": id(number).to_string()}));
        assert_eq!(node.says("state").await["state"], state);
        assert!(queue.get(id(number), None).await.unwrap().is_none());
    }
    worker.stop().await;
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_node_producer_says_about_order_and_pauses_holds() {
    let Below { prefix } = Below::new();
    let slow = QueueOptions { backoff_initial: Duration::from_mins(5), ..options() };
    let queue = open(REDIS.port(), &prefix, slow, clock());
    let mut node = peer("producer.mjs", &prefix, json!({})).await;
    let backoff = json!({"attempts": 3, "backoff": {"type": "exponential", "delay": 200}});
    for (number, options) in [
        (1, json!({"priority": 9})),
        (2, json!({"priority": 2})),
        (3, json!({"delay": 700})),
        (4, json!({})),
        (5, backoff),
    ] {
        node.tell(&added(number, options));
        node.says("added").await;
    }
    let failing = id(5);
    let times = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let begun = std::sync::Arc::clone(&times);
    let handler = Script::new(move |job| {
        if job.id == failing {
            begun.lock().unwrap().push(tokio::time::Instant::now());
        }
        if job.id == failing && job.attempts < 3 { Act::Retry } else { Act::Done }
    });
    let listed = queue.get(id(3), None).await.unwrap().unwrap();
    assert_eq!(listed.state, JobState::Delayed);
    assert_eq!((listed.run_at.duration_since(listed.created_at)).as_millis(), 700);
    let worker = Worker::start(&queue, &handler, one_at_a_time());
    handler.ended_times(7).await;
    worker.stop().await;

    let order: Vec<_> = handler.begun().into_iter().map(|(id, _)| id.uuid().as_u128()).collect();
    assert_eq!(order[..4], [4, 5, 2, 1], "no priority first, then the urgent");
    assert!(order.contains(&3));
    let times = times.lock().unwrap().clone();
    for (gap, pause) in times.windows(2).map(|two| two[1] - two[0]).zip([200, 400]) {
        let pause = Duration::from_millis(pause);
        assert!(gap >= pause && gap < pause * 5, "{gap:?} instead of {pause:?}");
    }
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_fails_for_good_tells_its_node_producer_why() {
    let Below { prefix } = Below::new();
    let queue = on(REDIS.port(), &prefix);
    let mut node = peer("producer.mjs", &prefix, json!({})).await;
    let handler = Script::new(|_| Act::Fatal);
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    node.tell(&added(1, json!({"attempts": 5})));
    assert_eq!(node.says("failed").await["reason"], "cannot ever work");
    node.tell(&json!({"add": {"name": "test", "data": {"payload": 1}, "opts": {}}}));
    let refused = node.says("failed").await;
    assert!(refused["reason"].as_str().unwrap().contains("{owner, payload}"), "{refused}");
    handler.exhausted_times(1).await;
    worker.stop().await;
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_four_times_longer_than_the_lock_run_once_wherever_they_run() {
    let Below { prefix } = Below::new();
    let queue = on(REDIS.port(), &prefix);
    let options = json!({"concurrency": 8, "lockDuration": 500, "work": {"take": 2_000}});
    let mut node = peer("worker.mjs", &prefix, options).await;
    let handler = Script::new(|_| Act::Take(Duration::from_secs(2)));
    let worker = Worker::start(&queue, &handler, ConsumeOptions { concurrency: 8, ..soon() });
    enqueue_all(&queue, 0..16).await;
    let done = |events: &[Event]| {
        events.iter().filter(|event| matches!(event, Event::Ended(_) | Event::Elsewhere(..))).count()
    };
    handler.until("all are done here or there", |events| done(events) >= 16).await;
    worker.stop().await;

    let here: Vec<String> = handler.begun().into_iter().map(|(id, _)| id.to_string()).collect();
    let there = node.rest().into_iter().filter_map(|line| line["begun"].as_str().map(str::to_owned));
    let there: Vec<String> = there.collect();
    assert!(!here.is_empty() && !there.is_empty(), "both have worked: {} and {}", here.len(), there.len());
    let mut all: Vec<String> = here.into_iter().chain(there).collect();
    all.sort();
    let wanted: Vec<String> = (0..16).map(|number| id(number).to_string()).collect();
    assert_eq!(all, wanted, "each once");
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn voicera_takes_over_the_job_of_a_node_worker_that_is_killed() {
    let Below { prefix } = Below::new();
    let queue = on(REDIS.port(), &prefix);
    let mut node = peer("worker.mjs", &prefix, json!({"lockDuration": 500, "work": {"take": 60_000}})).await;
    enqueue_all(&queue, [1]).await;
    node.says("begun").await;
    node.kill9();

    let handler = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &handler, soon());
    handler.ended_times(1).await;
    worker.stop().await;
    assert_eq!(handler.begun(), [(id(1), 2)]);
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bull_board_shows_what_either_side_added() {
    let Below { prefix } = Below::new();
    let queue = on(REDIS.port(), &prefix);
    enqueue_all(&queue, [1]).await;
    let mut node = peer("producer.mjs", &prefix, json!({})).await;
    node.tell(&added(2, json!({})));
    node.says("added").await;
    node.tell(&json!({"add": {"name": "test", "data": {"owner": owner(1), "payload": {}}}}));
    let numbered = node.says("added").await["added"].as_str().unwrap().to_owned();

    let options = json!({"prefix": prefix, "queues": [QUEUE]});
    let mut board = Peer::start("board.mjs", REDIS.port(), options);
    let port = board.says("listening").await["listening"].clone();
    let url = format!("http://127.0.0.1:{port}/api/queues?activeQueue={QUEUE}&status=waiting&page=1");
    let shown: Value =
        within("the board", async { reqwest::get(url).await.unwrap().json().await }).await.unwrap();

    let ids = shown["queues"][0]["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap());
    let mut ids: Vec<String> = ids.map(str::to_owned).collect();
    ids.sort();
    let mut wanted = vec![id(1).to_string(), id(2).to_string(), numbered.clone()];
    wanted.sort();
    assert_eq!(ids, wanted);
    let listed = queue.list(JobFilter::of(QUEUE)).await.unwrap().jobs;
    assert_eq!(listed.len(), 3, "and so does Voicera");
    let by_number =
        listed.iter().find(|job| job.id.to_string().starts_with("00000000-0000-8000-8000")).unwrap();
    assert!(
        queue.get(by_number.id, None).await.unwrap().is_some(),
        "also by the id that stands for {numbered}"
    );
    queue.close().await;
}
