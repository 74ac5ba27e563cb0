//! Cases about jobs that go well.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::stage::{
    Act, Factory, QUEUE, Script, Worker, bury, enqueue_all, id, job, one_at_a_time, open, work,
};
use crate::kit::queue::{ConsumeOptions, Depth, JobState, NewJob};

pub(crate) async fn thirty_two_producers_lose_nothing_and_nothing_runs_twice(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    let handler = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    let producers = (0..32_u128).map(|producer| {
        let queue = Arc::clone(&queue);
        tokio::spawn(async move { enqueue_all(&queue, (0..50).map(|n| producer * 100 + n)).await })
    });
    for producer in producers.collect::<Vec<_>>() {
        producer.await.unwrap();
    }

    handler.ended_times(1_600).await;
    worker.stop().await;
    let begun = handler.begun();
    assert_eq!((begun.len(), begun.iter().collect::<HashSet<_>>().len()), (1_600, 1_600));
    assert!(begun.iter().all(|(_, attempt)| *attempt == 1));
    assert_eq!(queue.depth(QUEUE).await.unwrap(), Depth::default());
    factory.close(queue).await;
}

pub(crate) async fn a_completed_job_is_gone(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [1]).await;
    let handler = Script::new(|_| Act::Done);
    work(&queue, &handler, 1).await;

    let seen = handler.seen.lock().unwrap().pop().unwrap();
    assert_eq!((seen.state, seen.attempts, seen.payload), (JobState::Active, 1, job(1).payload));
    assert!(queue.get(id(1), None).await.unwrap().is_none());
    assert_eq!(queue.depth(QUEUE).await.unwrap(), Depth::default());
    factory.close(queue).await;
}

pub(crate) async fn urgent_jobs_go_first_and_then_the_oldest(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    for (number, priority) in [(1, 5), (2, 5), (3, 0), (4, 9), (5, 0), (6, 5)] {
        queue.enqueue(NewJob { priority, ..job(number) }).await.unwrap();
    }
    let handler = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &handler, one_at_a_time());
    handler.ended_times(6).await;
    worker.stop().await;

    let order: Vec<_> = handler.begun().into_iter().map(|(id, _)| id.uuid().as_u128()).collect();
    assert_eq!(order, [3, 5, 1, 2, 6, 4]);
    factory.close(queue).await;
}

pub(crate) async fn no_more_run_at_once_than_asked_for(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let handler = Script::new(move |_| Act::Hold(Arc::clone(&held)));
    let options = ConsumeOptions { concurrency: 4, ..ConsumeOptions::default() };
    let worker = Worker::start(&queue, &handler, options);
    enqueue_all(&queue, 0..20).await;
    handler.begun_times(4).await;
    gate.add_permits(20);
    handler.ended_times(20).await;
    worker.stop().await;

    assert_eq!(handler.most_at_once.load(Ordering::SeqCst), 4);
    factory.close(queue).await;
}

pub(crate) async fn progress_is_seen_from_outside(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [1]).await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let handler = Script::new(move |job| {
        job.progress.set(40);
        Act::Hold(Arc::clone(&held))
    });
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    handler.begun_times(1).await;
    // The plan is asked right after the attempt has begun.
    let reported = async {
        loop {
            let job = queue.get(id(1), None).await.unwrap().unwrap();
            if job.progress.get() == 40 {
                return job;
            }
            tokio::task::yield_now().await;
        }
    };
    let seen = super::stage::within("the progress", reported).await;

    assert_eq!((seen.state, seen.attempts), (JobState::Active, 1));
    gate.add_permits(1);
    worker.stop().await;
    factory.close(queue).await;
}

pub(crate) async fn queues_do_not_mix(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    queue.enqueue(NewJob { queue: "analytics", ..job(1) }).await.unwrap();
    enqueue_all(&queue, [2]).await;
    let handler = Script::new(|_| Act::Done);
    work(&queue, &handler, 1).await;

    assert_eq!(handler.begun(), [(id(2), 1)]);
    assert_eq!(queue.depth("analytics").await.unwrap().waiting, 1);
    assert_eq!(queue.depth("unheard-of").await.unwrap(), Depth::default());
    factory.close(queue).await;
}

pub(crate) async fn the_depth_counts_every_state(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    bury(&queue, 1).await;
    queue.enqueue(NewJob { delay: Some(Duration::from_hours(1)), ..job(2) }).await.unwrap();
    enqueue_all(&queue, 3..=6).await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let handler = Script::new(move |_| Act::Hold(Arc::clone(&held)));
    let worker = Worker::start(&queue, &handler, one_at_a_time());
    handler.begun_times(1).await;

    let depth = queue.depth(QUEUE).await.unwrap();
    assert_eq!((depth.waiting, depth.delayed, depth.active, depth.failed), (3, 1, 1, 1));
    assert_eq!(depth.oldest_waiting, Some(queue.get(id(4), None).await.unwrap().unwrap().run_at));

    gate.add_permits(4);
    handler.ended_times(4).await;
    worker.stop().await;
    let depth = queue.depth(QUEUE).await.unwrap();
    let left = Depth { delayed: 1, failed: 1, ..Depth::default() };
    assert_eq!(depth, left);
    factory.close(queue).await;
}

pub(crate) async fn two_consumers_share_the_work(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let handler = Script::new(move |_| Act::Hold(Arc::clone(&held)));
    let workers = [(); 2].map(|()| Worker::start(&queue, &handler, one_at_a_time()));
    enqueue_all(&queue, 1..=10).await;

    handler.begun_times(2).await;
    gate.add_permits(10);
    handler.ended_times(10).await;
    for worker in workers {
        worker.stop().await;
    }
    assert_eq!(handler.begun().len(), 10);
    assert_eq!(handler.most_at_once.load(Ordering::SeqCst), 2);
    factory.close(queue).await;
}
