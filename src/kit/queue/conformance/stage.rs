//! What the cases are played with: a store, a scripted handler, a consumer in the background.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::kit::clock::{SharedClock, SystemClock};
use crate::kit::ids::{JobId, UserId};
use crate::kit::queue::{ConsumeOptions, Failure, Handler, Job, NewJob, Queue, QueueOptions};

/// Opens one and the same store, as often as asked.
#[async_trait]
pub(crate) trait Factory: Send + Sync + 'static {
    /// Opens the store. After a crash it is opened again without having been closed.
    async fn open(&self, options: QueueOptions, clock: SharedClock) -> Arc<dyn Queue>;

    /// Ends what `open` gave, as a clean exit of the process does.
    async fn close(&self, queue: Arc<dyn Queue>);
}

pub(crate) const QUEUE: &str = "voice";

/// How long anything may take before the case fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) fn clock() -> SharedClock {
    Arc::new(SystemClock)
}

/// Options under which failing jobs come back at once.
pub(crate) fn options() -> QueueOptions {
    QueueOptions {
        max_attempts: 3,
        backoff_initial: Duration::from_millis(1),
        backoff_max: Duration::from_millis(2),
        ..QueueOptions::default()
    }
}

pub(crate) async fn open(factory: &Arc<impl Factory>) -> Arc<dyn Queue> {
    factory.open(options(), clock()).await
}

pub(crate) fn id(number: u128) -> JobId {
    Uuid::from_u128(number).into()
}

pub(crate) fn owner(number: u128) -> UserId {
    Uuid::from_u128(number << 64).into()
}

/// A job with all that is optional left out, owner 1's.
pub(crate) fn job(number: u128) -> NewJob {
    NewJob {
        id: id(number),
        queue: QUEUE,
        kind: "test".to_owned(),
        payload: format!(r#"{{"number":{number}}}"#),
        owner: owner(1),
        priority: 0,
        delay: None,
        traceparent: None,
        max_attempts: None,
    }
}

pub(crate) async fn within<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(DEADLINE, work).await;
    done.unwrap_or_else(|late| panic!("{what}: not within {DEADLINE:?}: {late}"))
}

/// What a scripted handler does with an attempt.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Done,
    Retry,
    Fatal,
    Panic,
    /// Takes a permit first, then is done.
    Hold(Arc<Semaphore>),
    /// As long as this by the machine's clock, then done.
    Take(Duration),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Begun(JobId, u32),
    Ended(JobId),
    Exhausted(JobId, String),
    Elsewhere(JobId, String),
}

type Plan = Box<dyn Fn(&Job) -> Act + Send + Sync>;

/// Writes down what it is called for.
pub(crate) struct Script {
    plan: Plan,
    farewells_refused: AtomicUsize,
    events: watch::Sender<Vec<Event>>,
    pub(crate) seen: Mutex<Vec<Job>>,
    running: AtomicUsize,
    pub(crate) most_at_once: AtomicUsize,
}

impl Script {
    pub(crate) fn new(plan: impl Fn(&Job) -> Act + Send + Sync + 'static) -> Arc<Self> {
        Self::refusing(0, plan)
    }

    /// Its `exhausted` fails so many times.
    pub(crate) fn refusing(times: usize, plan: impl Fn(&Job) -> Act + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            plan: Box::new(plan),
            farewells_refused: AtomicUsize::new(times),
            events: watch::Sender::new(Vec::new()),
            seen: Mutex::default(),
            running: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
        })
    }

    fn note(&self, event: Event) {
        self.events.send_modify(|events| events.push(event));
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.events.borrow().clone()
    }

    /// The attempts begun, in order.
    pub(crate) fn begun(&self) -> Vec<(JobId, u32)> {
        let begun = self.events().into_iter().filter_map(|event| match event {
            Event::Begun(id, attempt) => Some((id, attempt)),
            _ => None,
        });
        begun.collect()
    }

    pub(crate) async fn until(&self, what: &str, enough: impl Fn(&[Event]) -> bool) {
        let mut events = self.events.subscribe();
        let waited = events.wait_for(|events| enough(events));
        let late = tokio::time::timeout(DEADLINE, waited).await.is_err();
        assert!(!late, "{what}: not within {DEADLINE:?}; so far {:?}", self.events());
    }

    pub(crate) async fn begun_times(&self, times: usize) {
        let begun =
            |events: &[Event]| events.iter().filter(|event| matches!(event, Event::Begun(..))).count();
        self.until(&format!("{times} attempts begun"), |events| begun(events) >= times).await;
    }

    pub(crate) async fn ended_times(&self, times: usize) {
        let ended = |events: &[Event]| events.iter().filter(|event| matches!(event, Event::Ended(_))).count();
        self.until(&format!("{times} attempts ended"), |events| ended(events) >= times).await;
    }

    pub(crate) async fn exhausted_times(&self, times: usize) {
        let told =
            |events: &[Event]| events.iter().filter(|event| matches!(event, Event::Exhausted(..))).count();
        self.until(&format!("told {times} times that a job is dead"), |events| told(events) >= times).await;
    }
}

#[async_trait]
impl Handler for Script {
    async fn handle(&self, job: &Job) -> Result<(), Failure> {
        self.seen.lock().unwrap().push(job.clone());
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(running, Ordering::SeqCst);
        self.note(Event::Begun(job.id, job.attempts));
        let act = (self.plan)(job);
        match &act {
            Act::Hold(gate) => gate.acquire().await.unwrap().forget(),
            Act::Take(time) => tokio::time::sleep(*time).await,
            _ => {}
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.note(Event::Ended(job.id));
        match act {
            Act::Done | Act::Hold(_) | Act::Take(_) => Ok(()),
            Act::Retry => Err(Failure::Retry(format!("attempt {} failed", job.attempts))),
            Act::Fatal => Err(Failure::Fatal("cannot ever work".to_owned())),
            Act::Panic => panic!("a handler's mistake"),
        }
    }

    async fn exhausted(&self, job: &Job, reason: &str) -> Result<(), String> {
        self.note(Event::Exhausted(job.id, reason.to_owned()));
        let refused =
            self.farewells_refused.try_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if refused.is_ok() { Err("the history is away".to_owned()) } else { Ok(()) }
    }

    async fn done_elsewhere(&self, job: &Job, value: &str) -> Result<(), String> {
        self.note(Event::Elsewhere(job.id, value.to_owned()));
        Ok(())
    }
}

/// A consumer in the background.
pub(crate) struct Worker {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Worker {
    pub(crate) fn start(queue: &Arc<dyn Queue>, handler: &Arc<Script>, options: ConsumeOptions) -> Self {
        let (queue, stop) = (Arc::clone(queue), CancellationToken::new());
        let (handler, token) = (Arc::clone(handler), stop.clone());
        let task = tokio::spawn(async move {
            queue.consume(QUEUE, handler, options, token).await.unwrap();
        });
        Self { stop, task }
    }

    /// Asks it to stop.
    pub(crate) fn ask(&self) {
        self.stop.cancel();
    }

    /// Asks it to stop, and waits until what it was doing is written down.
    pub(crate) async fn stop(self) {
        self.ask();
        within("the shutdown", self.task).await.unwrap();
    }

    /// Drops it in the middle of whatever it is doing.
    pub(crate) async fn drop_in_flight(self) {
        self.task.abort();
        let _ = within("the end of the task", self.task).await;
    }
}

pub(crate) fn one_at_a_time() -> ConsumeOptions {
    ConsumeOptions { concurrency: 1, ..ConsumeOptions::default() }
}

pub(crate) async fn enqueue_all(queue: &Arc<dyn Queue>, numbers: impl IntoIterator<Item = u128>) {
    for number in numbers {
        queue.enqueue(job(number)).await.unwrap();
    }
}

/// Works with `handler` until `times` attempts have ended, then shuts down.
pub(crate) async fn work(queue: &Arc<dyn Queue>, handler: &Arc<Script>, times: usize) {
    let worker = Worker::start(queue, handler, ConsumeOptions::default());
    handler.ended_times(times).await;
    worker.stop().await;
}

/// A dead job with this number.
pub(crate) async fn bury(queue: &Arc<dyn Queue>, number: u128) {
    queue.enqueue(job(number)).await.unwrap();
    let handler = Script::new(|_| Act::Fatal);
    let worker = Worker::start(queue, &handler, ConsumeOptions::default());
    handler.exhausted_times(1).await;
    worker.stop().await;
}
