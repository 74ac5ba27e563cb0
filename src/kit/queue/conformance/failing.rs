//! Cases about attempts that fail.

use std::sync::Arc;

use super::stage::{Act, Event, Factory, QUEUE, Script, Worker, bury, enqueue_all, id, job, open, work};
use crate::kit::queue::{ConsumeOptions, Depth, JobFilter, JobState, NewJob};

pub(crate) async fn a_failed_attempt_is_repeated(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [1]).await;
    let handler = Script::new(|job| if job.attempts < 3 { Act::Retry } else { Act::Done });
    work(&queue, &handler, 3).await;

    assert_eq!(handler.begun(), [(id(1), 1), (id(1), 2), (id(1), 3)]);
    let last = handler.seen.lock().unwrap().pop().unwrap();
    assert_eq!(last.last_error.as_deref(), Some("attempt 2 failed"));
    assert_eq!(queue.depth(QUEUE).await.unwrap(), Depth::default());
    factory.close(queue).await;
}

pub(crate) async fn used_up_attempts_make_a_dead_job_after_its_handler_was_told(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    queue.enqueue(NewJob { max_attempts: Some(2), ..job(1) }).await.unwrap();
    let handler = Script::new(|_| Act::Retry);
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    handler.exhausted_times(1).await;
    worker.stop().await;

    assert_eq!(handler.begun(), [(id(1), 1), (id(1), 2)]);
    let dead = queue.get(id(1), None).await.unwrap().unwrap();
    assert_eq!((dead.state, dead.attempts), (JobState::Failed, 2));
    assert_eq!(dead.last_error.as_deref(), Some("attempt 2 failed"));
    let listed =
        queue.list(JobFilter { state: Some(JobState::Failed), ..JobFilter::of(QUEUE) }).await.unwrap();
    assert_eq!(listed.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [id(1)]);
    factory.close(queue).await;
}

pub(crate) async fn a_fatal_failure_is_not_repeated(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [1]).await;
    let handler = Script::new(|_| Act::Fatal);
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    handler.exhausted_times(1).await;
    worker.stop().await;

    let reason = "cannot ever work".to_owned();
    assert_eq!(
        handler.events(),
        [Event::Begun(id(1), 1), Event::Ended(id(1)), Event::Exhausted(id(1), reason)]
    );
    let dead = queue.get(id(1), None).await.unwrap().unwrap();
    assert_eq!((dead.state, dead.attempts), (JobState::Failed, 1));
    factory.close(queue).await;
}

pub(crate) async fn a_panic_is_a_failed_attempt(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [1, 2]).await;
    let always = id(2);
    let handler =
        Script::new(move |job| if job.id == always || job.attempts == 1 { Act::Panic } else { Act::Done });
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    handler.exhausted_times(1).await;
    handler.ended_times(5).await;
    worker.stop().await;

    assert!(queue.get(id(1), None).await.unwrap().is_none());
    let dead = queue.get(id(2), None).await.unwrap().unwrap();
    assert_eq!((dead.state, dead.attempts), (JobState::Failed, 3));
    assert_eq!(dead.last_error.as_deref(), Some("the handler panicked: a handler's mistake"));
    assert_eq!(queue.depth(QUEUE).await.unwrap().active, 0);
    factory.close(queue).await;
}

pub(crate) async fn a_handler_that_cannot_be_told_is_told_again(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [1]).await;
    let handler = Script::refusing(2, |_| Act::Fatal);
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    handler.exhausted_times(3).await;
    worker.stop().await;

    assert_eq!(handler.begun(), [(id(1), 1)], "told again, not tried again");
    let dead = queue.get(id(1), None).await.unwrap().unwrap();
    assert_eq!(dead.state, JobState::Failed);
    assert_eq!(dead.last_error.as_deref(), Some("cannot ever work"));
    factory.close(queue).await;
}

pub(crate) async fn a_dead_job_can_be_retried(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    bury(&queue, 1).await;
    enqueue_all(&queue, [2]).await;

    assert!(!queue.retry(id(2)).await.unwrap(), "it is not dead");
    assert!(!queue.retry(id(3)).await.unwrap(), "it is not there");
    assert!(queue.retry(id(1)).await.unwrap());
    let depth = queue.depth(QUEUE).await.unwrap();
    assert_eq!((depth.waiting, depth.failed), (2, 0));

    let handler = Script::new(|_| Act::Done);
    work(&queue, &handler, 2).await;
    assert!(handler.begun().contains(&(id(1), 1)), "all attempts are its again: {:?}", handler.begun());
    assert!(queue.get(id(1), None).await.unwrap().is_none());
    factory.close(queue).await;
}

pub(crate) async fn all_dead_jobs_of_a_queue_can_be_retried(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    for number in 1..=3 {
        bury(&queue, number).await;
    }
    let handler = Script::new(|_| Act::Done);
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());

    assert_eq!(queue.retry_all("analytics").await.unwrap(), 0);
    assert_eq!(queue.retry_all(QUEUE).await.unwrap(), 3);
    handler.ended_times(3).await;
    worker.stop().await;
    assert_eq!(queue.depth(QUEUE).await.unwrap(), Depth::default());
    factory.close(queue).await;
}
