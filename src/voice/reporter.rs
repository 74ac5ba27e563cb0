//! Tells analytics what happened, in batches and off a command's way.
//!
//! Analytics that is slow or gone costs a command nothing: events wait in a bounded buffer, and
//! what no longer fits is counted and dropped.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::analytics::api::{Analytics, Batch, Event, LARGEST_BATCH};
use crate::kit::ids::Ids;

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
    ids: Ids,
    pause: Duration,
}

impl Reporter {
    /// A reporter that keeps up to `buffer` events and delivers at least every `pause`.
    pub fn new(analytics: Arc<dyn Analytics>, ids: Ids, buffer: usize, pause: Duration) -> (Self, Delivery) {
        let (sender, events) = mpsc::channel(buffer);
        (Self(sender), Delivery { events, analytics, ids, pause })
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
        let mut undelivered = None;
        while undelivered.is_none() {
            let mut events = Vec::new();
            let more = stop.run_until_cancelled(self.events.recv_many(&mut events, LARGEST_BATCH)).await;
            if more.is_none_or(|received| received == 0) {
                break;
            }
            // Waiting a moment fills the batch: one write for many commands.
            let _ = stop.run_until_cancelled(tokio::time::sleep(self.pause)).await;
            while events.len() < LARGEST_BATCH
                && let Ok(event) = self.events.try_recv()
            {
                events.push(event);
            }
            undelivered = self.deliver(self.batch(events), &stop).await;
        }
        let mut rest = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            rest.push(event);
        }
        let rest = rest.chunks(LARGEST_BATCH).map(|events| self.batch(events.to_vec()));
        for batch in undelivered.into_iter().chain(rest) {
            let events = batch.events.len();
            if let Err(error) = self.analytics.record(batch).await {
                counter!("voicera_voice_events_dropped_total").increment(events as u64);
                tracing::warn!(%error, events, "events were lost at shutdown");
            }
        }
    }

    fn batch(&self, events: Vec<Event>) -> Batch {
        Batch { id: self.ids.fresh(), events }
    }

    /// Tries until the batch is taken; gives it back when it is time to stop.
    async fn deliver(&self, batch: Batch, stop: &CancellationToken) -> Option<Batch> {
        let mut pause = self.pause;
        while let Err(error) = self.analytics.record(batch.clone()).await {
            tracing::warn!(%error, events = batch.events.len(), "analytics does not take events; trying again");
            pause = (pause * 2).clamp(Duration::from_millis(100), LONGEST_PAUSE);
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return Some(batch);
            }
        }
        None
    }
}
