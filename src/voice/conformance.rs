//! What every [`Voice`] has to do; one list, run on the module itself and on its client over HTTP.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::QUEUE;
use super::api::{Command, CommandError, Status, Voice};
use super::command::{CommandLimits, Process, Utterance};
use super::learning::Learning;
use super::local::{LocalVoice, VoiceParts, VoiceSettings};
use super::models::Models;
use super::pipeline::{Mode, Pipeline, PipelineParts};
use super::remote::RemoteVoice;
use super::store::CommandStore;
use super::store::sqlite::SqliteCommands;
use crate::analytics::api::{Analytics, Batch};
use crate::kit::clock::{ManualClock, SharedClock};
use crate::kit::error::{ApiError, Code};
use crate::kit::health::{Health, HealthState, Probe, Status as Condition, router as health_router};
use crate::kit::ids::{Entropy, Ids, UserId};
use crate::kit::peer::Peer;
use crate::kit::pubsub::memory::MemoryPubSub;
use crate::kit::queue::sqlite::SqliteQueue;
use crate::kit::queue::{ConsumeOptions, NewJob, Queue, QueueOptions};
use crate::kit::storage::sqlite::Options;
use crate::nlu::{Model, TrainOptions, TrainingData};

/// A voice module, and one of its two faces.
struct Stage {
    voice: Arc<dyn Voice>,
    local: Arc<LocalVoice>,
    store: Arc<dyn CommandStore>,
    queue: Arc<dyn Queue>,
    stop: CancellationToken,
    _folder: TempDir,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Analytics for Nobody {
    async fn record(&self, _: Batch) -> Result<(), ApiError> {
        Ok(())
    }
}

#[async_trait]
impl Probe for Nobody {
    async fn health(&self) -> Health {
        Health::of([])
    }
}

fn start() -> Timestamp {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

fn models() -> Arc<Models> {
    let yaml = "version: \"3.1\"\nnlu:\n- intent: greeting\n  examples: |\n    - hello\n    - hi there\n";
    let data = TrainingData::parse_yaml("test.yml", yaml).unwrap();
    let model = Model::train(&data, &TrainOptions::default(), &mut |_| ()).unwrap();
    Arc::new(Models::new(model, Arc::new(|| Err("none".to_owned()))))
}

async fn local() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let clock: SharedClock = Arc::new(ManualClock::at(start()));
    let entropy = Entropy::seeded(1);
    let file = |name: &str| Options::new(folder.path().join(name));
    let store: Arc<dyn CommandStore> =
        Arc::new(SqliteCommands::open(&file("voice.db"), &clock, &|_| ()).await.unwrap());
    let options = QueueOptions { sole_owner: true, ..QueueOptions::default() };
    let queue = SqliteQueue::open(&file("queue.db"), options, clock.clone(), entropy.clone(), &|_| ()).await;
    let queue: Arc<dyn Queue> = Arc::new(queue.unwrap());
    let models = models();
    let ids = Ids::new(clock.clone(), entropy.clone());
    let learning = Learning::new(Arc::clone(&models), Arc::new(MemoryPubSub::default()), &ids);
    let (voice, _) = LocalVoice::new(VoiceParts {
        queue: Arc::clone(&queue),
        store: Arc::clone(&store),
        pipeline: Pipeline::new(PipelineParts {
            models,
            llm: None,
            cache: None,
            mode: Mode::LocalOnly,
            threshold: None,
            default_language: "en".to_owned(),
            timezone: TimeZone::UTC,
            clock: clock.clone(),
            entropy: entropy.clone(),
        }),
        learning: Arc::new(learning),
        finished: Arc::new(MemoryPubSub::default()),
        analytics: Arc::new(Nobody),
        clock: clock.clone(),
        ids,
        settings: VoiceSettings {
            limits: CommandLimits { text_chars: 2_000, context_bytes: 1_000 },
            max_wait: Duration::ZERO,
            consume: ConsumeOptions::default(),
            event_buffer: 1,
            event_pause: Duration::ZERO,
            log_utterances: false,
        },
    });
    let local = Arc::new(voice);
    let stop = CancellationToken::new();
    Stage { voice: local.clone(), local, store, queue, stop, _folder: folder }
}

async fn remote() -> Stage {
    let mut stage = local().await;
    let probe: Arc<dyn Probe> = stage.local.clone();
    let app =
        stage.local.internal_router().merge(health_router(HealthState { probe, stopping: Arc::default() }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stop = stage.stop.clone();
    tokio::spawn(
        async move { axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await },
    );
    let peer = Peer::new("voice", &base, SecretString::from("key"), Duration::from_secs(20)).unwrap();
    stage.voice = Arc::new(RemoteVoice::new(peer));
    stage
}

fn user(number: u128) -> UserId {
    Uuid::from_u128(number).into()
}

fn command(owner: u128, number: u128, text: &str) -> Command {
    Command {
        job_id: Uuid::from_u128(owner << 64 | number).into(),
        user_id: user(owner),
        session_id: None,
        command: text.to_owned(),
        status: Status::Failed,
        created_at: start() + SignedDuration::from_secs(i64::try_from(number).unwrap()),
        completed_at: start() + SignedDuration::from_secs(3600),
        result: None,
        error: Some(CommandError { code: "failed".to_owned(), message: "no".to_owned() }),
        fingerprint: [0; 32],
    }
}

async fn exported(voice: &dyn Voice, owner: u128) -> Vec<Command> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = voice.export(user(owner), after).await.unwrap();
        all.extend(page.commands);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

async fn everything_of_one_person_is_handed_out_once_however_large(stage: Stage) {
    let long = "word ".repeat(10_000);
    for number in 1..=120 {
        let text = if number % 10 == 0 { &long } else { "hello" };
        stage.store.record(&command(1, number, text)).await.unwrap();
    }
    stage.store.record(&command(2, 1, "mine")).await.unwrap();
    let all = exported(stage.voice.as_ref(), 1).await;
    let numbers: Vec<_> = all.iter().map(|one| one.job_id.uuid().as_u128() & 0xffff).collect();
    assert_eq!(numbers, (1..=120).rev().collect::<Vec<_>>());
    assert_eq!(all[0], command(1, 120, &long));
    assert_eq!(exported(stage.voice.as_ref(), 3).await, []);
}

async fn a_place_that_no_page_gave_is_refused(stage: Stage) {
    let refused = stage.voice.export(user(1), Some("there".to_owned())).await.unwrap_err();
    assert_eq!(refused.code(), Code::Invalid);
}

async fn who_is_forgotten_has_no_history_and_nothing_that_waits(stage: Stage) {
    for owner in [1, 2] {
        stage.store.record(&command(owner, 1, "hello")).await.unwrap();
        let utterance = Utterance {
            text: "hello".to_owned(),
            language: None,
            session_id: None,
            context: serde_json::Value::Null,
            accepted_at: start(),
        };
        let id = Uuid::from_u128(owner << 64 | 9).into();
        let job = NewJob::of::<Process>(id, QUEUE, user(owner), &utterance).unwrap();
        stage.queue.enqueue(job).await.unwrap();
    }
    stage.voice.erase(user(1)).await.unwrap();
    stage.voice.erase(user(1)).await.expect("again, and nothing is left to do");
    assert_eq!(exported(stage.voice.as_ref(), 1).await, []);
    assert_eq!(exported(stage.voice.as_ref(), 2).await.len(), 1);
    assert_eq!(stage.queue.depth(QUEUE).await.unwrap().waiting, 1);
}

async fn a_store_that_is_gone_is_an_error_and_bad_health(stage: Stage) {
    assert_eq!(stage.voice.health().await.status, Condition::Up);
    stage.store.close().await;
    assert!(stage.voice.export(user(1), None).await.is_err());
    assert!(stage.voice.erase(user(1)).await.is_err());
    assert_eq!(stage.voice.health().await.status, Condition::Down);
}

macro_rules! cases {
    ($($case:ident)*) => {
        mod on_local {
            $(#[tokio::test] async fn $case() { super::$case(super::local().await).await; })*
        }
        mod on_remote {
            $(#[tokio::test] async fn $case() { super::$case(super::remote().await).await; })*
        }
    };
}

cases! {
    everything_of_one_person_is_handed_out_once_however_large
    a_place_that_no_page_gave_is_refused
    who_is_forgotten_has_no_history_and_nothing_that_waits
    a_store_that_is_gone_is_an_error_and_bad_health
}
