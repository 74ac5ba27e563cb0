//! The server goes away and comes back.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::{on, within};
use crate::kit::queue::conformance::{Act, QUEUE, Script, Worker, enqueue_all, id, job};
use crate::kit::queue::{ConsumeOptions, Depth, Queue, QueueError};
use crate::servers;

/// What comes in while the server is away is refused; whoever sent it sends it again.
pub(super) async fn enqueue_until_it_is_taken(queue: &Arc<dyn Queue>, number: u128) {
    let taken = async {
        while let Err(error) = queue.enqueue(job(number)).await {
            assert!(matches!(error, QueueError::Unreachable { .. }), "{error}");
        }
    };
    within("a job is taken", taken).await;
}

/// Everything that was accepted is done, though nothing of it twice in a row of attempts.
pub(super) async fn all_done(queue: &Arc<dyn Queue>, handler: &Script, jobs: u128) {
    let all = |handler: &Script| handler.begun().into_iter().map(|(id, _)| id).collect::<HashSet<_>>();
    let empty = async {
        loop {
            let done = all(handler).len() as u128 == jobs;
            if done && queue.depth(QUEUE).await.is_ok_and(|depth| depth == Depth::default()) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    within("all jobs are done", empty).await;
    assert!((0..jobs).all(|number| all(handler).contains(&id(number))));
}

pub(super) fn soon() -> ConsumeOptions {
    ConsumeOptions { lease: Duration::from_secs(2), ..ConsumeOptions::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_and_comes_back_loses_no_job() {
    let mut server = servers::redis();
    let queue = on(server.port(), "bull");
    let handler = Script::new(|_| Act::Take(Duration::from_millis(1)));
    let worker = Worker::start(&queue, &handler, soon());
    let producer = tokio::spawn({
        let queue = Arc::clone(&queue);
        async move {
            for number in 0..3_000 {
                enqueue_until_it_is_taken(&queue, number).await;
            }
        }
    });
    for kills in 1..=2 {
        handler.ended_times(800 * kills).await;
        server.kill9();
        server.start();
    }
    within("the producer", producer).await.unwrap();

    all_done(&queue, &handler, 3_000).await;
    worker.stop().await;
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_for_ten_seconds_loses_no_job_and_no_lock() {
    let server = servers::redis();
    let queue = on(server.port(), "bull");
    // In flight for longer than the lock, the pause among it.
    let handler = Script::new(|job| {
        let long = job.id.uuid().as_u128() < 8;
        Act::Take(if long { Duration::from_secs(12) } else { Duration::from_millis(1) })
    });
    enqueue_all(&queue, 0..200).await;
    let worker = Worker::start(&queue, &handler, soon());
    handler.begun_times(20).await;
    server.pause();
    let late = queue.enqueue(job(1_000)).await;
    assert!(matches!(late, Err(QueueError::Unreachable { .. })), "{late:?}");
    // The fault itself takes this long.
    tokio::time::sleep(Duration::from_secs(10)).await;
    server.resume();
    enqueue_until_it_is_taken(&queue, 200).await;

    within("all have begun", async {
        while handler.begun().len() < 201 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    worker.stop().await;
    let begun = handler.begun();
    let long: Vec<_> = begun.iter().filter(|(job, _)| job.uuid().as_u128() < 8).collect();
    assert_eq!(long.len(), 8, "what was in flight is renewed before anybody takes it over: {long:?}");
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_yet_is_waited_for() {
    let mut server = servers::redis();
    server.kill9();
    let queue = on(server.port(), "bull");
    let handler = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &handler, soon());
    let refused = within("an answer", queue.enqueue(job(1))).await;
    assert!(matches!(refused, Err(QueueError::Unreachable { .. })), "{refused:?}");
    let refused = queue.depth(QUEUE).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("127.0.0.1:{}", server.port())), "{refused}");

    server.start();
    enqueue_until_it_is_taken(&queue, 1).await;
    handler.ended_times(1).await;
    worker.stop().await;
    queue.close().await;
    assert!(matches!(queue.depth(QUEUE).await, Err(QueueError::Closed)));
}
