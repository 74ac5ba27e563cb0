//! What `/metrics` says about messages between processes.

use metrics::Counter;

const PUBLISHED: &str = "voicera_pubsub_published_total";
const RECONNECTS: &str = "voicera_pubsub_reconnects_total";
const MISSED: &str = "voicera_pubsub_missed_total";

/// Names for the recorder; call once it is installed.
pub fn describe() {
    metrics::describe_counter!(PUBLISHED, "Messages to other processes, by room and outcome");
    metrics::describe_counter!(RECONNECTS, "Connections for subscriptions that were made anew after a loss");
    metrics::describe_counter!(MISSED, "Times that listeners were told to look for themselves, by reason");
}

/// The series of one room.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) sent: Counter,
    pub(super) oversized: Counter,
    pub(super) failed: Counter,
}

impl Published {
    pub(super) fn of(room: &'static str) -> Self {
        let counter = |outcome| metrics::counter!(PUBLISHED, "room" => room, "outcome" => outcome);
        Self { sent: counter("sent"), oversized: counter("oversized"), failed: counter("failed") }
    }
}

pub(super) fn reconnected() {
    metrics::counter!(RECONNECTS).increment(1);
}

/// All listeners were told to look.
pub(super) fn missed(reason: &'static str) {
    metrics::counter!(MISSED, "reason" => reason).increment(1);
}
