//! What a job looks like on the server, and as a [`Job`]. `docs/QUEUE.md` is this in words for those who
//! write the other side.

use std::sync::Arc;

use bullmq::types::BackoffStrategy;
use bullmq::{JobOptions, JobProgress};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::kit::ids::{JobId, UserId};
use crate::kit::queue::{Job, JobState, NewJob, Progress, ReturnValue};

/// `data` of a job of Voicera's.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    pub(super) owner: UserId,
    payload: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    /// Who accepted the job; [`VOICERA`], or absent from jobs that another program added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// What Voicera calls itself in `by`.
const VOICERA: &str = "voicera";

/// Where ids begin that stand for a number: BullMQ numbers the jobs whose producer gave no id.
const NUMBERED: u128 = 0x0000_0000_0000_8000_8000_0000_0000_0000;
const NUMBERS: u128 = 1 << 48;

/// The id of a job on the server.
pub(super) fn wire(id: JobId) -> String {
    number(id).map_or_else(|| id.to_string(), |number| number.to_string())
}

/// The number that an id stands for.
fn number(id: JobId) -> Option<u128> {
    id.uuid().as_u128().checked_sub(NUMBERED).filter(|number| *number < NUMBERS)
}

/// The id of a job from the server. One that is neither a UUID nor a number becomes a UUID of its hash.
pub(super) fn id(wire: &str) -> JobId {
    if let Ok(uuid) = wire.parse::<JobId>() {
        return uuid;
    }
    let number = wire.parse::<u128>().ok().filter(|number| *number < NUMBERS && number.to_string() == wire);
    let uuid = number.map_or_else(
        || {
            let hash: [u8; 32] = Sha256::digest(wire.as_bytes()).into();
            let mut bytes = [0; 16];
            bytes.copy_from_slice(&hash[..16]);
            Uuid::new_v8(bytes)
        },
        |number| Uuid::from_u128(NUMBERED + number),
    );
    uuid.into()
}

/// A job's entry in the index of acceptance.
pub(super) fn entry(wire: &str, owner: UserId) -> String {
    format!("{wire}/{owner}")
}

/// `data` of `job`.
pub(super) fn write(job: &NewJob) -> Result<Envelope, String> {
    if number(job.id).is_some() {
        return Err("BullMQ gives numbers as ids itself: choose another one".to_owned());
    }
    let payload =
        serde_json::from_str(&job.payload).map_err(|error| format!("the payload is no JSON: {error}"))?;
    let traceparent = job.traceparent.clone();
    Ok(Envelope { owner: job.owner, payload, traceparent, by: Some(VOICERA.to_owned()) })
}

/// What is written of a job that may run at once and has no priority, as JSON.
#[derive(Default)]
pub(super) struct Plain {
    pub(super) data: String,
    /// Its `opts`.
    pub(super) options: String,
}

impl Plain {
    /// `backoff`, in milliseconds, is for Node's workers: ours know better.
    pub(super) fn of(
        envelope: &Envelope,
        id: JobId,
        attempts: u32,
        backoff: u64,
    ) -> serde_json::Result<Self> {
        let backoff = Backoff { kind: "exponential", delay: backoff };
        let options = Options { attempts, backoff, job_id: wire(id) };
        Ok(Self { data: serde_json::to_string(envelope)?, options: serde_json::to_string(&options)? })
    }
}

/// The options of a plain job as they are kept, which the port leaves to a script of BullMQ's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    attempts: u32,
    backoff: Backoff,
    job_id: String,
}

#[derive(Serialize)]
struct Backoff {
    #[serde(rename = "type")]
    kind: &'static str,
    delay: u64,
}

/// How a job stands on the server, and what it is.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) name: String,
    pub(super) data: Value,
    pub(super) options: JobOptions,
    pub(super) timestamp: u64,
    /// Attempts that have ended.
    pub(super) made: u32,
    pub(super) failed_reason: String,
    pub(super) progress: u8,
    /// From when it may run, if that is not plain from its options.
    pub(super) run_at: Option<u64>,
    pub(super) return_value: Option<String>,
    pub(super) finished_on: u64,
    /// Whether its handler has been told that it is dead.
    pub(super) told: bool,
}

/// The fields of a record, as `look.lua` is asked for them.
pub(super) const FIELDS: [&str; 11] = [
    "name",
    "data",
    "opts",
    "timestamp",
    "atm",
    "failedReason",
    "progress",
    "runAt",
    "returnvalue",
    "finishedOn",
    "told",
];

impl Record {
    /// From the values of [`FIELDS`].
    pub(super) fn of(values: &[Option<String>]) -> Self {
        let text = |index: usize| values.get(index).and_then(Option::as_deref);
        let number = |index: usize| text(index).and_then(|text| text.parse::<f64>().ok()).map(whole);
        Self {
            name: text(0).unwrap_or_default().to_owned(),
            data: text(1).and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default(),
            options: text(2).and_then(|options| serde_json::from_str(options).ok()).unwrap_or_default(),
            timestamp: number(3).unwrap_or(0),
            made: number(4).and_then(|made| u32::try_from(made).ok()).unwrap_or(0),
            failed_reason: text(5).unwrap_or_default().to_owned(),
            progress: text(6)
                .and_then(|text| serde_json::from_str(text).ok())
                .map_or(0, |said| percent(&said)),
            run_at: number(7),
            return_value: text(8).map(str::to_owned),
            finished_on: number(9).unwrap_or(0),
            told: text(10).is_some(),
        }
    }

    /// What a worker of the port was given.
    pub(super) fn of_port(job: &bullmq::Job) -> Self {
        Self {
            name: job.name().to_owned(),
            data: job.data().clone(),
            options: job.opts().clone(),
            timestamp: job.timestamp(),
            made: job.attempts_made(),
            failed_reason: job.failed_reason().to_owned(),
            ..Self::default()
        }
    }

    /// The job, if it is one that Voicera can do.
    ///
    /// # Errors
    /// What is wrong with it, for its producer.
    pub(super) fn read(
        self,
        wire: &str,
        queue: &Arc<str>,
        state: JobState,
        max_attempts: u32,
    ) -> Result<Read, String> {
        let envelope: Envelope = serde_path_to_error::deserialize(self.data)
            .map_err(|error| format!("data is not {{owner, payload}}: wrong at {}", error.path()))?;
        let accepted = self.timestamp;
        let run_at = self.run_at.unwrap_or_else(|| accepted.saturating_add(self.options.delay.unwrap_or(0)));
        let max_attempts = match (&envelope.by, self.options.attempts) {
            (_, Some(attempts)) if attempts > 0 => attempts,
            (None, _) => 1,
            _ => max_attempts,
        };
        let attempts = match state {
            JobState::Active => self.made.saturating_add(1),
            JobState::Failed => self.made.min(max_attempts),
            JobState::Waiting | JobState::Delayed => self.made,
        };
        let progress = Progress::default();
        progress.set(self.progress);
        let ours = envelope.by.as_deref() == Some(VOICERA);
        let job = Job {
            id: id(wire),
            queue: Arc::clone(queue),
            kind: self.name,
            payload: envelope.payload.to_string(),
            owner: envelope.owner,
            state,
            attempts,
            max_attempts,
            priority: u8::try_from(self.options.priority.unwrap_or(0)).unwrap_or(u8::MAX),
            created_at: instant(accepted),
            run_at: instant(run_at),
            last_error: Some(self.failed_reason).filter(|reason| !reason.is_empty()),
            traceparent: envelope.traceparent,
            progress,
            return_value: ReturnValue::default(),
        };
        Ok(Read { job, ours, backoff: self.options.backoff.filter(|_| !ours) })
    }
}

/// A job of which Voicera can make something.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) job: Job,
    /// Whether Voicera accepted it.
    pub(super) ours: bool,
    /// How its producer wants it to pause.
    pub(super) backoff: Option<BackoffStrategy>,
}

/// Progress in percent; whatever a worker reports that is no number is none.
fn percent(progress: &JobProgress) -> u8 {
    match progress {
        JobProgress::Number(percent) => u8::try_from(whole(*percent)).unwrap_or(100).min(100),
        JobProgress::Object(_) => 0,
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and no number is 0")]
fn whole(number: f64) -> u64 {
    number as u64
}

fn instant(millis: u64) -> Timestamp {
    i64::try_from(millis)
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_a_name_on_the_server_and_back() {
        for text in ["018f4c2a-7c1e-7b3a-9d55-0123456789ab", "1", "42", "281474976710655"] {
            assert_eq!(wire(id(text)), text);
        }
        let named = ["order-66", "007", "281474976710656", "-1"].map(id);
        assert!(named.iter().all(|id| id.uuid().get_version_num() == 8));
        assert_eq!(named[0], id("order-66"), "the same each time");
        assert_ne!(named[0], named[1]);
    }

    #[test]
    fn data_that_voicera_cannot_use_is_refused_with_the_place() {
        let queue: Arc<str> = "voice".into();
        for (data, wanted) in
            [(r#"{"payload": {}}"#, "."), (r#"{"owner": "ada", "payload": {}}"#, "owner"), ("null", ".")]
        {
            let record = Record { data: serde_json::from_str(data).unwrap(), ..Record::default() };
            let refused = record.read("1", &queue, JobState::Active, 5).unwrap_err();
            assert!(refused.ends_with(&format!("wrong at {wanted}")), "{refused}");
        }
    }

    #[test]
    fn a_job_from_elsewhere_has_as_many_attempts_as_its_producer_said_and_one_if_nothing() {
        let queue: Arc<str> = "voice".into();
        let owner = Uuid::from_u128(1);
        for (attempts, wanted) in [(None, 1), (Some(0), 1), (Some(4), 4)] {
            let data = serde_json::json!({"owner": owner, "payload": {"n": 1}});
            let options = JobOptions { attempts, ..JobOptions::default() };
            let record = Record { data, options, ..Record::default() };
            let read = record.read("7", &queue, JobState::Active, 5).unwrap();
            assert_eq!((read.job.max_attempts, read.job.attempts, read.ours), (wanted, 1, false));
            assert_eq!(read.job.payload, r#"{"n":1}"#);
        }
    }
}
