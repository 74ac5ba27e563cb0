//! Tells analytics what happened, in batches and off a command's way.
//!
//! Analytics that is slow or gone costs a command nothing: events wait in a bounded buffer, and
//! what no longer fits is counted and dropped.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::analytics::api::{Analytics, Event, LARGEST_BATCH};

/// The longest pause between tries to reach analytics.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The end that commands hold.
#[derive(Debug, Clone)]
pub struct Reporter(mpsc::Sender<Event>);

/// The end that delivers; run it as a task.
#[derive(Debug)]
pub struct Delivery {
    events: mpsc::Receiver<Event>,
    analytics: Arc<dyn Analytics>,
    pause: Duration,
}

impl Reporter {
    /// A reporter that keeps up to `buffer` events and delivers at least every `pause`.
    pub fn new(analytics: Arc<dyn Analytics>, buffer: usize, pause: Duration) -> (Self, Delivery) {
        let (sender, events) = mpsc::channel(buffer);
        (Self(sender), Delivery { events, analytics, pause })
    }

    /// Hands an event over; never waits.
    pub fn report(&self, event: Event) {
        if self.0.try_send(event).is_err() {
            counter!("voicera_voice_events_dropped_total").increment(1);
        }
    }
}

impl Delivery {
    /// Delivers until every reporter is gone, or `stop`; then delivers once more what is buffered.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut batch = Vec::new();
        let mut pause = self.pause;
        loop {
            let more = stop.run_until_cancelled(self.events.recv_many(&mut batch, LARGEST_BATCH)).await;
            if more.is_none_or(|received| received == 0) {
                break;
            }
            // Waiting a moment fills the batch: one write for many commands.
            let _ = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            while batch.len() < LARGEST_BATCH
                && let Ok(event) = self.events.try_recv()
            {
                batch.push(event);
            }
            pause = self.deliver(&mut batch, pause, &stop).await;
        }
        while let Ok(event) = self.events.try_recv() {
            batch.push(event);
        }
        for batch in batch.chunks(LARGEST_BATCH) {
            if let Err(error) = self.analytics.record(batch.to_vec()).await {
                counter!("voicera_voice_events_dropped_total").increment(batch.len() as u64);
                tracing::warn!(%error, events = batch.len(), "events were lost at shutdown");
            }
        }
    }

    /// Tries until the batch is taken or it is time to stop; answers the pause to make from now on.
    async fn deliver(
        &self,
        batch: &mut Vec<Event>,
        mut pause: Duration,
        stop: &CancellationToken,
    ) -> Duration {
        while let Err(error) = self.analytics.record(batch.clone()).await {
            tracing::warn!(%error, events = batch.len(), "analytics does not take events; trying again");
            pause = (pause * 2).clamp(Duration::from_millis(100), LONGEST_PAUSE);
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return self.pause;
            }
        }
        batch.clear();
        self.pause
    }
}
