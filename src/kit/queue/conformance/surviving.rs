//! Cases about ends, clean and otherwise.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::Semaphore;

use super::stage::{
    Act, Event, Factory, QUEUE, Script, Worker, bury, enqueue_all, id, job, one_at_a_time, open, options,
    within, work,
};
use crate::kit::clock::{ManualClock, SharedClock};
use crate::kit::queue::{ConsumeOptions, Depth, JobState, NewJob, QueueOptions};

/// Plays `scene` in a runtime of its own, and kills that with all that it runs when the scene is over,
/// without a word to anybody.
pub(crate) async fn killed<S: Future<Output = ()> + Send + 'static>(scene: S) {
    let died = tokio::task::spawn_blocking(|| {
        let process =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        process.block_on(async { within("the scene", tokio::spawn(scene)).await }).unwrap();
        process.shutdown_timeout(Duration::from_secs(5));
    });
    within("the kill", died).await.unwrap();
}

/// A consumer whose death is noticed soon.
pub(crate) fn soon_missed() -> ConsumeOptions {
    ConsumeOptions { lease: Duration::from_millis(500), ..ConsumeOptions::default() }
}

pub(crate) async fn jobs_outlive_a_clean_restart(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    bury(&queue, 1).await;
    enqueue_all(&queue, [2]).await;
    queue.enqueue(NewJob { delay: Some(Duration::from_hours(1)), ..job(3) }).await.unwrap();
    factory.close(queue).await;

    let queue = open(&factory).await;
    let depth = queue.depth(QUEUE).await.unwrap();
    assert_eq!((depth.waiting, depth.delayed, depth.active, depth.failed), (1, 1, 0, 1));
    let handler = Script::new(|_| Act::Done);
    work(&queue, &handler, 1).await;
    assert_eq!(handler.begun(), [(id(2), 1)]);
    factory.close(queue).await;
}

pub(crate) async fn a_killed_process_loses_no_job(factory: Arc<impl Factory>) {
    let first = Script::new(|job| {
        if job.id.uuid().as_u128() % 10 == 0 { Act::Hold(Arc::new(Semaphore::new(0))) } else { Act::Done }
    });
    let (handler, store) = (Arc::clone(&first), Arc::clone(&factory));
    killed(async move {
        let queue = open(&store).await;
        enqueue_all(&queue, 0..200).await;
        let options = ConsumeOptions { concurrency: 16, ..soon_missed() };
        let _worker = Worker::start(&queue, &handler, options);
        handler.ended_times(100).await;
    })
    .await;
    // What is known at the moment of death: begun, and for some also ended.
    let mut attempts: HashMap<_, u32> = HashMap::new();
    for (id, _) in first.begun() {
        *attempts.entry(id).or_default() += 1;
    }

    let queue = open(&factory).await;
    let depth = queue.depth(QUEUE).await.unwrap();
    // A server does not know yet that the process is dead.
    let left = usize::try_from(depth.waiting + depth.active).unwrap();
    assert!((10..=110).contains(&left), "{left}");
    let second = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &second, soon_missed());
    second.ended_times(left).await;
    worker.stop().await;

    for (id, attempt) in second.begun() {
        let before = attempts.get(&id).copied().unwrap_or(0);
        assert!(attempt <= before + 1, "attempt {attempt} of {id} was begun {before} times before");
    }
    let ended = |script: &Script, wanted| script.events().contains(&Event::Ended(id(wanted)));
    assert!((0..200).all(|number| ended(&first, number) || ended(&second, number)));
    assert!(
        (0..200)
            .step_by(10)
            .filter(|number| attempts.contains_key(&id(*number)))
            .all(|number| second.begun().contains(&(id(number), 1))),
        "several were in flight, so the attempt is forgiven"
    );
    assert_eq!(queue.depth(QUEUE).await.unwrap(), Depth::default());
    factory.close(queue).await;
}

pub(crate) async fn a_job_that_kills_its_process_is_not_tried_for_ever(factory: Arc<impl Factory>) {
    for life in 1..=2 {
        let store = Arc::clone(&factory);
        killed(async move {
            let queue = open(&store).await;
            queue.enqueue(NewJob { max_attempts: Some(2), ..job(1) }).await.unwrap();
            let handler = Script::new(|_| Act::Hold(Arc::new(Semaphore::new(0))));
            let _worker = Worker::start(&queue, &handler, soon_missed());
            handler.begun_times(1).await;
            assert_eq!(handler.begun(), [(id(1), life)]);
        })
        .await;
    }

    let queue = open(&factory).await;
    let handler = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &handler, soon_missed());
    handler.exhausted_times(1).await;
    worker.stop().await;
    assert_eq!(handler.begun(), []);
    let dead = queue.get(id(1), None).await.unwrap().unwrap();
    assert_eq!((dead.state, dead.attempts), (JobState::Failed, 2));
    factory.close(queue).await;
}

pub(crate) async fn the_neighbours_of_a_job_that_kills_its_process_are_spared(factory: Arc<impl Factory>) {
    let time = Arc::new(ManualClock::at("2026-11-23T08:00:00Z".parse().unwrap()));
    let twice = QueueOptions { max_attempts: 2, ..options() };
    for life in 1..=4 {
        let (store, options) = (Arc::clone(&factory), twice.clone());
        let time = Arc::clone(&time);
        killed(async move {
            let queue = store.open(options, Arc::clone(&time) as SharedClock).await;
            if life == 1 {
                enqueue_all(&queue, 1..=4).await;
            }
            let handler = Script::new(|_| Act::Hold(Arc::new(Semaphore::new(0))));
            let _worker = Worker::start(&queue, &handler, ConsumeOptions::default());
            // Twice all are in flight; then they are tried apart, and the first does it again.
            match life {
                1 | 2 => handler.begun_times(4).await,
                3 => {
                    time.advance(SignedDuration::from_secs(2));
                    handler.begun_times(1).await;
                    assert_eq!(handler.begun(), [(id(1), 1)]);
                }
                _ => {
                    handler.begun_times(1).await;
                    assert_eq!(handler.begun(), [(id(1), 2)]);
                }
            }
        })
        .await;
    }

    let queue = factory.open(twice, Arc::clone(&time) as SharedClock).await;
    let handler = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    handler.exhausted_times(1).await;
    time.advance(SignedDuration::from_secs(10));
    handler.ended_times(3).await;
    worker.stop().await;
    for neighbour in 2..=4 {
        assert!(handler.begun().contains(&(id(neighbour), 1)), "{:?}", handler.begun());
    }
    assert_eq!(queue.get(id(1), None).await.unwrap().unwrap().state, JobState::Failed);
    factory.close(queue).await;
}

pub(crate) async fn jobs_that_only_ever_crash_together_are_not_tried_for_ever(factory: Arc<impl Factory>) {
    let time = Arc::new(ManualClock::at("2026-11-23T08:00:00Z".parse().unwrap()));
    let once = QueueOptions { max_attempts: 1, ..options() };
    let lives = Arc::new(AtomicUsize::new(0));
    loop {
        let (store, options) = (Arc::clone(&factory), once.clone());
        let (time, count) = (Arc::clone(&time), Arc::clone(&lives));
        let told = Arc::new(AtomicUsize::new(0));
        let dead = Arc::clone(&told);
        killed(async move {
            let queue = store.open(options, Arc::clone(&time) as SharedClock).await;
            if count.fetch_add(1, Ordering::SeqCst) == 0 {
                enqueue_all(&queue, [1, 2]).await;
            }
            time.advance(SignedDuration::from_mins(1));
            let handler = Script::new(|_| Act::Hold(Arc::new(Semaphore::new(0))));
            let _worker = Worker::start(&queue, &handler, ConsumeOptions::default());
            handler.until("both begun or given up", |events| events.len() >= 2).await;
            dead.store(2 - handler.begun().len(), Ordering::SeqCst);
        })
        .await;
        if told.load(Ordering::SeqCst) == 2 {
            break;
        }
        assert!(lives.load(Ordering::SeqCst) < 10);
    }
    assert_eq!(lives.load(Ordering::SeqCst), 5, "three are forgiven, one counts, then they are told");
}

pub(crate) async fn the_shutdown_lets_jobs_finish(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [1, 2]).await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let handler = Script::new(move |_| Act::Hold(Arc::clone(&held)));
    let worker = Worker::start(&queue, &handler, one_at_a_time());
    handler.begun_times(1).await;

    worker.ask();
    gate.add_permits(1);
    worker.stop().await;

    assert_eq!(handler.begun(), [(id(1), 1)], "nothing is begun after the shutdown");
    assert!(queue.get(id(1), None).await.unwrap().is_none());
    let next = queue.get(id(2), None).await.unwrap().unwrap();
    assert_eq!((next.state, next.attempts), (JobState::Waiting, 0));
    factory.close(queue).await;
}

pub(crate) async fn the_shutdown_hands_back_what_does_not_finish(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [1]).await;
    let handler = Script::new(|_| Act::Hold(Arc::new(Semaphore::new(0))));
    let options = ConsumeOptions { grace: Duration::from_millis(50), ..ConsumeOptions::default() };
    let worker = Worker::start(&queue, &handler, options);
    handler.begun_times(1).await;
    worker.stop().await;

    let back = queue.get(id(1), None).await.unwrap().unwrap();
    assert_eq!((back.state, back.attempts), (JobState::Waiting, 0));
    let next = Script::new(|_| Act::Done);
    work(&queue, &next, 1).await;
    assert_eq!(next.begun(), [(id(1), 1)], "at once, not when the lease would have been over");
    factory.close(queue).await;
}

pub(crate) async fn a_job_longer_than_its_lease_runs_once(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    let handler = Script::new(|_| Act::Take(Duration::from_millis(1_200)));
    let options = ConsumeOptions { lease: Duration::from_millis(300), ..ConsumeOptions::default() };
    // The second has nothing better to do than to take what the first loses.
    let workers = [(); 2].map(|()| Worker::start(&queue, &handler, options.clone()));
    enqueue_all(&queue, [1]).await;
    handler.ended_times(1).await;
    for worker in workers {
        worker.stop().await;
    }

    assert_eq!(handler.begun(), [(id(1), 1)]);
    assert!(queue.get(id(1), None).await.unwrap().is_none());
    factory.close(queue).await;
}

pub(crate) async fn the_jobs_of_a_dropped_consumer_are_taken_over(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [1]).await;
    let options = ConsumeOptions { lease: Duration::from_millis(200), ..ConsumeOptions::default() };
    let first = Script::new(|_| Act::Hold(Arc::new(Semaphore::new(0))));
    let dropped = Worker::start(&queue, &first, options.clone());
    first.begun_times(1).await;
    let second = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &second, options);
    dropped.drop_in_flight().await;

    second.ended_times(1).await;
    worker.stop().await;
    assert_eq!(second.begun(), [(id(1), 2)]);
    assert!(queue.get(id(1), None).await.unwrap().is_none());
    factory.close(queue).await;
}
