//! Cases about time: by the machine's clock where all implementations have it, or moved by hand.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::stage::{
    Act, Factory, QUEUE, Script, Worker, clock, enqueue_all, id, job, one_at_a_time, options, within,
};
use crate::kit::clock::{Clock, ManualClock};
use crate::kit::queue::{ConsumeOptions, JobState, NewJob, Queue, QueueOptions};

fn noon() -> ManualClock {
    ManualClock::at(Timestamp::from_second(1_800_000_000).unwrap())
}

/// Once the queue counts a delayed job, whatever put it there is committed.
async fn delayed(queue: &Arc<dyn Queue>) {
    let there = async {
        while queue.depth(QUEUE).await.unwrap().delayed == 0 {
            tokio::task::yield_now().await;
        }
    };
    within("a delayed job", there).await;
}

pub(crate) async fn an_idle_consumer_is_woken_though_the_clock_stands_still(factory: Arc<impl Factory>) {
    let queue = factory.open(options(), Arc::new(noon())).await;
    let handler = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &handler, one_at_a_time());
    for number in 1..=50_u32 {
        enqueue_all(&queue, [u128::from(number)]).await;
        handler.ended_times(number as usize).await;
    }
    worker.stop().await;
    factory.close(queue).await;
}

pub(crate) async fn a_delayed_job_runs_when_its_time_has_come(factory: Arc<impl Factory>) {
    let clock = noon();
    let queue = factory.open(options(), Arc::new(clock.clone())).await;
    let handler = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &handler, one_at_a_time());
    for (number, minutes) in [(1, 10), (2, 5)] {
        let delay = Some(Duration::from_secs(60 * minutes));
        queue.enqueue(NewJob { delay, ..job(number) }).await.unwrap();
    }
    let read = queue.get(id(1), None).await.unwrap().unwrap();
    assert_eq!(read.state, JobState::Delayed);
    assert_eq!(read.run_at, clock.now() + SignedDuration::from_mins(10));

    clock.advance(SignedDuration::from_secs(299));
    enqueue_all(&queue, [3]).await;
    handler.ended_times(1).await;
    clock.advance(SignedDuration::from_secs(1));
    handler.ended_times(2).await;
    clock.advance(SignedDuration::from_secs(300));
    handler.ended_times(3).await;

    worker.stop().await;
    assert_eq!(handler.begun(), [(id(3), 1), (id(2), 1), (id(1), 1)]);
    factory.close(queue).await;
}

pub(crate) async fn a_failed_attempt_pauses_before_the_next(factory: Arc<impl Factory>) {
    let clock = noon();
    let pauses = QueueOptions {
        max_attempts: 4,
        backoff_initial: Duration::from_secs(10),
        backoff_max: Duration::from_secs(15),
        ..options()
    };
    let queue = factory.open(pauses, Arc::new(clock.clone())).await;
    enqueue_all(&queue, [1]).await;
    let handler = Script::new(|job| if job.attempts < 4 { Act::Retry } else { Act::Done });
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    for (attempt, bound) in [(1, 10), (2, 15), (3, 15)] {
        handler.ended_times(attempt).await;
        delayed(&queue).await;
        let job = queue.get(id(1), None).await.unwrap().unwrap();
        let pause = job.run_at.duration_since(clock.now());
        assert!(pause > SignedDuration::ZERO && pause <= SignedDuration::from_secs(bound), "{pause}");
        assert_eq!(handler.begun().len(), attempt);
        clock.advance(pause);
    }
    handler.ended_times(4).await;
    worker.stop().await;
    assert!(queue.get(id(1), None).await.unwrap().is_none());
    factory.close(queue).await;
}

pub(crate) async fn the_oldest_waiting_is_known_across_priorities(factory: Arc<impl Factory>) {
    let queue = factory.open(options(), clock()).await;
    let mut since = Vec::new();
    for (number, priority) in [(1, 9), (2, 3), (3, 0), (4, 3)] {
        queue.enqueue(NewJob { priority, ..job(number) }).await.unwrap();
        since.push(queue.get(id(number), None).await.unwrap().unwrap().run_at);
        // So that the next one is younger, also by a clock of milliseconds.
        let next = since[since.len() - 1].saturating_add(Duration::from_millis(2)).unwrap();
        clock().sleep_until(next).await;
    }

    for (number, oldest) in [(1, Some(0)), (3, Some(1)), (2, Some(1)), (4, Some(3))] {
        let depth = queue.depth(QUEUE).await.unwrap();
        assert_eq!(depth.oldest_waiting, oldest.map(|index: usize| since[index]), "before {number}");
        queue.cancel(id(number), None).await.unwrap();
    }
    assert_eq!(queue.depth(QUEUE).await.unwrap().oldest_waiting, None);
    factory.close(queue).await;
}

pub(crate) async fn delayed_jobs_run_in_their_order_and_not_before(factory: Arc<impl Factory>) {
    let queue = factory.open(options(), clock()).await;
    let handler = Script::new(|job| if clock().now() < job.run_at { Act::Fatal } else { Act::Done });
    let worker = Worker::start(&queue, &handler, one_at_a_time());
    for (number, millis) in [(1, 400), (2, 200), (3, 0)] {
        let delay = Some(Duration::from_millis(millis));
        queue.enqueue(NewJob { delay, ..job(number) }).await.unwrap();
    }
    let read = queue.get(id(1), None).await.unwrap().unwrap();
    assert_eq!(read.state, JobState::Delayed);
    assert_eq!(read.run_at.duration_since(read.created_at), SignedDuration::from_millis(400));
    handler.ended_times(3).await;
    worker.stop().await;

    assert_eq!(handler.begun(), [(id(3), 1), (id(2), 1), (id(1), 1)]);
    assert_eq!(queue.depth(QUEUE).await.unwrap().failed, 0, "none came early");
    factory.close(queue).await;
}

pub(crate) async fn a_pause_is_drawn_from_below_its_bound(factory: Arc<impl Factory>) {
    let pauses = QueueOptions {
        backoff_initial: Duration::from_mins(10),
        backoff_max: Duration::from_mins(15),
        ..options()
    };
    let queue = factory.open(pauses, clock()).await;
    let begun = clock().now();
    enqueue_all(&queue, 1..=8).await;
    let handler = Script::new(|_| Act::Retry);
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    handler.ended_times(8).await;
    worker.stop().await;

    let mut pauses = Vec::new();
    for number in 1..=8 {
        let job = queue.get(id(number), None).await.unwrap().unwrap();
        assert_eq!((job.state, job.attempts), (JobState::Delayed, 1));
        pauses.push(job.run_at.duration_since(begun));
    }
    // From the first job to the last of them no minute goes by.
    assert!(pauses.iter().all(|pause| *pause <= SignedDuration::from_mins(11)), "{pauses:?}");
    let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
    assert!(*most - *least > SignedDuration::from_secs(10), "they do not come back together: {pauses:?}");
    factory.close(queue).await;
}
