//! Cases about what comes in, is looked at, and taken out again.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::stage::{
    Act, Factory, QUEUE, Script, Worker, bury, clock, enqueue_all, id, job, one_at_a_time, open, options,
    owner, within, work,
};
use crate::kit::queue::{
    Cancel, ConsumeOptions, Enqueued, Failure, JobCursor, JobFilter, JobKind, JobState, NewJob, QueueError,
    QueueOptions,
};

pub(crate) async fn an_accepted_job_reads_back_as_it_was_sent(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    let traceparent = Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned());
    let payload = "{\"text\":\"naïve ☕ \\u0000 'quoted'\"}".to_owned();
    let sent = NewJob {
        priority: 7,
        traceparent: traceparent.clone(),
        max_attempts: Some(9),
        payload: payload.clone(),
        ..job(1)
    };

    assert_eq!(queue.enqueue(sent).await.unwrap(), Enqueued::Created);

    let read = queue.get(id(1), Some(owner(1))).await.unwrap().unwrap();
    assert_eq!((read.id, &*read.queue, read.kind.as_str()), (id(1), QUEUE, "test"));
    assert_eq!((read.payload, read.owner, read.traceparent), (payload, owner(1), traceparent));
    assert_eq!((read.state, read.priority), (JobState::Waiting, 7));
    assert_eq!((read.attempts, read.max_attempts, read.progress.get()), (0, 9, 0));
    assert_eq!(read.last_error, None);
    factory.close(queue).await;
}

pub(crate) async fn the_same_id_twice_is_one_job(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [1]).await;

    let other = NewJob { payload: "{}".to_owned(), owner: owner(2), priority: 9, ..job(1) };
    assert_eq!(queue.enqueue(other).await.unwrap(), Enqueued::Existing);
    let at_once = futures_util::future::join_all((0..40).map(|n| queue.enqueue(job(2 + n % 4)))).await;
    let created = at_once.into_iter().filter(|done| matches!(done, Ok(Enqueued::Created))).count();

    assert_eq!(created, 4);
    let kept = queue.get(id(1), None).await.unwrap().unwrap();
    assert_eq!((kept.payload, kept.owner, kept.priority), (job(1).payload, owner(1), 0));
    assert_eq!(queue.depth(QUEUE).await.unwrap().waiting, 5);
    factory.close(queue).await;
}

pub(crate) async fn somebody_elses_job_is_not_found(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [1]).await;

    assert!(queue.get(id(1), Some(owner(2))).await.unwrap().is_none());
    assert!(matches!(queue.cancel(id(1), Some(owner(2))).await.unwrap(), Cancel::NotFound));
    assert!(queue.get(id(1), Some(owner(1))).await.unwrap().is_some());
    assert!(queue.get(id(1), None).await.unwrap().is_some());
    assert!(queue.get(id(2), None).await.unwrap().is_none());
    factory.close(queue).await;
}

pub(crate) async fn a_job_that_waits_can_be_cancelled(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [1, 2]).await;

    let Cancel::Removed(was) = queue.cancel(id(1), Some(owner(1))).await.unwrap() else {
        panic!("not removed")
    };
    assert_eq!((was.id, was.state), (id(1), JobState::Waiting));
    assert!(matches!(queue.cancel(id(1), None).await.unwrap(), Cancel::NotFound));

    let handler = Script::new(|_| Act::Done);
    work(&queue, &handler, 1).await;
    assert_eq!(handler.begun(), [(id(2), 1)]);
    factory.close(queue).await;
}

pub(crate) async fn a_delayed_job_can_be_cancelled(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    queue.enqueue(NewJob { delay: Some(Duration::from_hours(1)), ..job(1) }).await.unwrap();

    let Cancel::Removed(was) = queue.cancel(id(1), Some(owner(1))).await.unwrap() else {
        panic!("not removed")
    };
    assert_eq!(was.state, JobState::Delayed);
    assert_eq!(queue.depth(QUEUE).await.unwrap().delayed, 0);
    factory.close(queue).await;
}

pub(crate) async fn a_dead_job_cannot_be_cancelled(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    bury(&queue, 1).await;

    assert!(matches!(queue.cancel(id(1), Some(owner(1))).await.unwrap(), Cancel::Dead));
    assert!(matches!(queue.cancel(id(1), Some(owner(2))).await.unwrap(), Cancel::NotFound));
    assert_eq!(queue.depth(QUEUE).await.unwrap().failed, 1);
    assert!(queue.retry(id(1)).await.unwrap(), "it is still there");
    factory.close(queue).await;
}

pub(crate) async fn a_job_being_worked_on_cannot_be_cancelled(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [1]).await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let handler = Script::new(move |_| Act::Hold(Arc::clone(&held)));
    let worker = Worker::start(&queue, &handler, ConsumeOptions::default());
    handler.begun_times(1).await;

    assert!(matches!(queue.cancel(id(1), Some(owner(1))).await.unwrap(), Cancel::Active));
    assert!(matches!(queue.cancel(id(1), Some(owner(2))).await.unwrap(), Cancel::NotFound));

    gate.add_permits(1);
    worker.stop().await;
    assert_eq!(handler.begun().len(), 1);
    assert!(queue.get(id(1), None).await.unwrap().is_none());
    factory.close(queue).await;
}

pub(crate) async fn an_owners_jobs_can_be_erased_but_those_being_worked_on(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    bury(&queue, 1).await;
    enqueue_all(&queue, [2]).await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let handler = Script::new(move |_| Act::Hold(Arc::clone(&held)));
    let worker = Worker::start(&queue, &handler, one_at_a_time());
    handler.begun_times(1).await;
    enqueue_all(&queue, [3]).await;
    queue.enqueue(NewJob { delay: Some(Duration::from_hours(1)), ..job(4) }).await.unwrap();
    queue.enqueue(NewJob { owner: owner(2), ..job(5) }).await.unwrap();

    assert_eq!(queue.erase("another", owner(1)).await.unwrap(), 0);
    assert_eq!(queue.erase(QUEUE, owner(1)).await.unwrap(), 3);
    for gone in [1, 3, 4] {
        assert!(queue.get(id(gone), None).await.unwrap().is_none(), "{gone}");
    }
    let depth = queue.depth(QUEUE).await.unwrap();
    assert_eq!((depth.waiting, depth.active, depth.delayed, depth.failed), (1, 1, 0, 0));

    gate.add_permits(2);
    handler.ended_times(2).await;
    worker.stop().await;
    assert_eq!(handler.begun(), [(id(2), 1), (id(5), 1)]);
    factory.close(queue).await;
}

pub(crate) async fn a_full_queue_says_so_until_there_is_room(factory: Arc<impl Factory>) {
    let few = QueueOptions { max_waiting: 3, full_retry_after: Duration::from_secs(7), ..options() };
    let queue = factory.open(few, clock()).await;
    enqueue_all(&queue, [1, 2, 3]).await;

    let Err(QueueError::Full { retry_after, .. }) = queue.enqueue(job(4)).await else { panic!("not full") };
    assert_eq!(retry_after, Duration::from_secs(7));
    assert!(queue.get(id(4), None).await.unwrap().is_none());

    queue.cancel(id(2), None).await.unwrap();
    let both = tokio::join!(queue.enqueue(job(5)), queue.enqueue(job(6)));
    let full = [both.0, both.1].iter().filter(|done| matches!(done, Err(QueueError::Full { .. }))).count();
    assert_eq!(full, 1, "one place, one job");
    work(&queue, &Script::new(|_| Act::Done), 3).await;
    enqueue_all(&queue, [7, 8, 9]).await;
    factory.close(queue).await;
}

pub(crate) async fn jobs_are_listed_by_age_a_page_at_a_time(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    bury(&queue, 9).await;
    enqueue_all(&queue, [5, 4, 3]).await;
    queue.enqueue(NewJob { queue: "analytics", ..job(6) }).await.unwrap();
    queue.enqueue(NewJob { priority: 0, delay: Some(Duration::from_mins(1)), ..job(7) }).await.unwrap();
    queue.enqueue(NewJob { priority: 9, ..job(2) }).await.unwrap();
    let numbers = async |filter: JobFilter| -> Vec<_> {
        let mut filter = filter;
        let mut all = Vec::new();
        loop {
            let page = queue.list(filter.clone()).await.unwrap();
            assert!(filter.limit == 0 || page.jobs.len() <= filter.limit);
            all.extend(page.jobs.into_iter().map(|job| job.id.uuid().as_u128()));
            let Some(next) = page.next else { return all };
            filter.after = Some(next.to_string().parse().unwrap());
        }
    };
    let in_state = |state| JobFilter { state: Some(state), ..JobFilter::of(QUEUE) };

    for limit in [0, 1, 2, 6] {
        let page = |filter: JobFilter| JobFilter { limit, ..filter };
        assert_eq!(numbers(page(JobFilter::of(QUEUE))).await, [9, 5, 4, 3, 7, 2]);
        assert_eq!(numbers(page(in_state(JobState::Waiting))).await, [5, 4, 3, 2]);
        assert_eq!(numbers(page(in_state(JobState::Delayed))).await, [7]);
        assert_eq!(numbers(page(in_state(JobState::Failed))).await, [9]);
        assert_eq!(numbers(page(in_state(JobState::Active))).await, []);
        assert_eq!(numbers(page(JobFilter::of("analytics"))).await, [6]);
    }
    factory.close(queue).await;
}

pub(crate) async fn a_list_goes_on_where_it_was_though_the_job_there_is_gone(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    enqueue_all(&queue, [3, 2, 1]).await;
    let first = queue.list(JobFilter { limit: 1, ..JobFilter::of(QUEUE) }).await.unwrap();
    queue.cancel(id(3), None).await.unwrap();

    let rest = queue.list(JobFilter { after: first.next, ..JobFilter::of(QUEUE) }).await.unwrap();

    assert_eq!(rest.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [id(2), id(1)]);
    for text in ["", "x", "+00000000000000f", "00000000000000001", &id(1).to_string()] {
        assert!(text.parse::<JobCursor>().is_err(), "{text}");
    }
    let beyond = "ffffffffffffffff".parse().ok();
    let none = queue.list(JobFilter { after: beyond, ..JobFilter::of(QUEUE) }).await.unwrap();
    assert!(none.jobs.is_empty() && none.next.is_none());
    factory.close(queue).await;
}

struct Greeting;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Greeted {
    name: String,
    times: u8,
}

impl JobKind for Greeting {
    const KIND: &'static str = "greeting";
    type Payload = Greeted;
}

pub(crate) async fn a_typed_payload_comes_back_and_a_bad_one_says_where(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    let greeted = Greeted { name: "Ada".to_owned(), times: 3 };
    queue.enqueue(NewJob::of::<Greeting>(id(1), QUEUE, owner(1), &greeted).unwrap()).await.unwrap();
    let bad = r#"{"name":"secret","times":"private words"}"#.to_owned();
    queue.enqueue(NewJob { kind: "greeting".to_owned(), payload: bad, ..job(2) }).await.unwrap();
    enqueue_all(&queue, [3]).await;

    let read = async |number| queue.get(id(number), None).await.unwrap().unwrap().decode::<Greeting>();
    assert_eq!(read(1).await.unwrap(), greeted);
    let bad = read(2).await.unwrap_err();
    assert!(bad.to_string().contains("times"), "{bad}");
    assert!(!bad.to_string().contains("private"), "{bad}");
    assert!(read(3).await.unwrap_err().to_string().contains("expected a job of kind greeting"));
    assert!(matches!(Failure::from(bad), Failure::Fatal(_)));
    factory.close(queue).await;
}

pub(crate) async fn a_caller_that_gives_up_breaks_nothing(factory: Arc<impl Factory>) {
    let queue = open(&factory).await;
    for number in 0..200 {
        let mut enqueue = queue.enqueue(job(number));
        // Polled once, so that it is on its way, and dropped.
        let _ = futures_util::poll!(&mut enqueue);
    }
    within("a later job", queue.enqueue(job(1_000))).await.unwrap();

    let there = usize::try_from(queue.depth(QUEUE).await.unwrap().waiting).unwrap();
    let handler = Script::new(|_| Act::Done);
    work(&queue, &handler, there).await;
    assert_eq!(handler.begun().len(), there, "what is counted is there");
    assert!(handler.begun().contains(&(id(1_000), 1)));
    factory.close(queue).await;
}
