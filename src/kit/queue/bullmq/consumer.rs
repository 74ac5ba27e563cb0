//! One consumer: a worker of the port's, the attempts that it calls, and the duties beside them.

use std::sync::Arc;
use std::time::Duration;

use bullmq::types::RemoveOnFinish;
use bullmq::worker::ProcessorFn;
use bullmq::{Worker, WorkerOptions};
use deadpool_redis::redis::cmd;
use tokio_util::sync::CancellationToken;

use super::Core;
use super::crew::Crew;
use super::duties;
use super::lane::Lane;
use crate::kit::queue::{ConsumeOptions, Handler, QueueError};

/// Between two tries while the server is away.
const TROUBLE: Duration = Duration::from_secs(1);
/// How long to wait for handlers that were told to stop; one that blocks its thread cannot be.
const ABORT: Duration = Duration::from_secs(1);
/// How long the port's worker may take to end when it has nothing more to do.
const DISMISSAL: Duration = Duration::from_secs(3);
/// Between two calls to a worker that sleeps until a job comes.
const CALL: Duration = Duration::from_millis(20);

pub(super) struct Consumer {
    crew: Arc<Crew>,
    name: String,
    options: ConsumeOptions,
}

impl Consumer {
    pub(super) fn new(
        core: Arc<Core>,
        lane: Arc<Lane>,
        handler: Arc<dyn Handler>,
        options: ConsumeOptions,
    ) -> Self {
        // Below some tens of milliseconds a lock runs out on the way.
        let lease = options.lease.max(Duration::from_millis(20));
        let name = format!("voicera-{:016x}", u64::from_le_bytes(core.entropy.bytes()));
        Self { crew: Crew::new(core, lane, handler, lease), name, options }
    }

    pub(super) async fn run(self, shutdown: CancellationToken) -> Result<(), QueueError> {
        let Some(worker) = self.hire(&shutdown).await? else { return Ok(()) };
        let employed = Employed { worker: Some(Arc::new(worker)), crew: Arc::clone(&self.crew) };
        let Some(worker) = employed.worker.clone() else { return Ok(()) };
        let mut duties = std::pin::pin!(async {
            // What the worker says is left unread for ever otherwise, and kept.
            let listen = async { while worker.next_event().await.is_some() {} };
            tokio::join!(duties::run(&self.crew, &self.name), listen)
        });
        tokio::select! {
            _ = &mut duties => {}
            () = shutdown.cancelled() => {}
            () = self.crew.core.link.closed() => {}
        }
        self.crew.stopping.cancel();
        worker.pause();
        let finish = tokio::time::timeout(self.options.grace, self.crew.landed());
        tokio::select! {
            _ = &mut duties => {}
            _ = finish => {}
        }
        self.crew.abort.cancel();
        if tokio::time::timeout(ABORT + self.crew.core.bull.timeout, self.crew.landed()).await.is_err() {
            tracing::error!(queue = %self.crew.lane.name, "a handler blocks its thread and cannot be stopped");
        }
        self.dismiss(&worker).await;
        employed.leave();
        // So that what was done just now is not left to those who come after.
        if let Err(error) = self.crew.tidy().await {
            tracing::debug!(%error, "the indexes are left for later");
        }
        if self.crew.core.link.is_closed() { Err(QueueError::Closed) } else { Ok(()) }
    }

    /// A worker of the port's, once the server is there; none if that is not before the shutdown.
    async fn hire(&self, shutdown: &CancellationToken) -> Result<Option<Worker>, QueueError> {
        let link = &self.crew.core.link;
        let mut said = false;
        loop {
            if link.is_closed() {
                return Err(QueueError::Closed);
            }
            let made = async {
                // Also makes the queue known to Bull Board.
                self.crew.lane.port().await?;
                let worker = Worker::with_options(&self.crew.lane.name, self.processor(), self.terms());
                link.port(Box::pin(worker)).await
            };
            let error = tokio::select! {
                made = made => match made {
                    Ok(worker) => return Ok(Some(worker)),
                    Err(error) => error,
                },
                () = shutdown.cancelled() => return Ok(None),
            };
            if !std::mem::replace(&mut said, true) {
                tracing::error!(queue = %self.crew.lane.name, %error, "the queue cannot be worked on; trying again");
            }
            tokio::select! {
                () = tokio::time::sleep(TROUBLE) => {}
                () = shutdown.cancelled() => return Ok(None),
            }
        }
    }

    fn processor(&self) -> ProcessorFn {
        let crew = Arc::clone(&self.crew);
        Arc::new(move |job, _| Box::pin(Arc::clone(&crew).process(job)))
    }

    fn terms(&self) -> WorkerOptions {
        WorkerOptions {
            connection: self.crew.core.link.how().clone(),
            prefix: self.crew.core.bull.prefix.clone(),
            name: Some(self.name.clone()),
            concurrency: self.options.concurrency.max(1),
            lock_duration: u64::try_from(self.crew.lease.as_millis()).unwrap_or(u64::MAX),
            skip_lock_renewal: true,
            skip_stalled_check: true,
            remove_on_complete: Some(RemoveOnFinish::Bool(true)),
            run_retry_delay: 500,
            ..WorkerOptions::default()
        }
    }

    /// Ends the port's worker, which may be asleep on the server until a job comes.
    async fn dismiss(&self, worker: &Worker) {
        let patience = u64::try_from(DISMISSAL.as_millis()).unwrap_or(u64::MAX);
        let call = async {
            loop {
                // What wakes it may wake another, who finds nothing and sleeps again.
                if let Ok(connection) = self.crew.core.link.connection().await {
                    let mut wake = cmd("ZADD");
                    wake.arg(self.crew.lane.keys.marker()).arg(0).arg("0");
                    let _ = self.crew.core.link.port(connection.cmd::<i64>(&mut wake)).await;
                }
                tokio::time::sleep(CALL).await;
            }
        };
        tokio::select! {
            ended = worker.close(patience) => {
                if let Err(error) = ended {
                    tracing::warn!(queue = %self.crew.lane.name, %error, "a worker did not end well");
                }
            }
            () = call => {}
        }
    }
}

/// The port's worker goes on in tasks of its own: if the consumer is dropped they have to end, too.
struct Employed {
    worker: Option<Arc<Worker>>,
    crew: Arc<Crew>,
}

impl Employed {
    fn leave(mut self) {
        self.worker.take();
    }
}

impl Drop for Employed {
    fn drop(&mut self) {
        let Some(worker) = self.worker.take() else { return };
        self.crew.stopping.cancel();
        self.crew.dropped.cancel();
        worker.pause();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { worker.close(0).await });
        }
    }
}
