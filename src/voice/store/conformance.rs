//! What every [`CommandStore`] has to do; one list, run on each.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::mongo::MongoCommands;
use super::sqlite::SqliteCommands;
use super::{CommandStore, Filter, Stats};
use crate::kit::clock::{ManualClock, SharedClock};
use crate::kit::http::page::Page;
use crate::kit::ids::UserId;
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::stage;
use crate::kit::storage::portable::{Portable as _, copy};
use crate::kit::storage::sqlite::Options;
use crate::voice::api::{Command, CommandError, CommandResult, Source, StageTimes, Status};

fn start() -> Timestamp {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

fn user(number: u128) -> UserId {
    Uuid::from_u128(number).into()
}

fn command(number: u128) -> Command {
    Command {
        job_id: Uuid::from_u128(number).into(),
        user_id: user(1),
        session_id: None,
        command: format!("command number {number}"),
        status: Status::Completed,
        created_at: start() + SignedDuration::from_secs(i64::try_from(number).unwrap() / 2),
        completed_at: start() + SignedDuration::from_secs(3600),
        result: Some(CommandResult {
            intent: "greeting".to_owned(),
            confidence: 0.5,
            language: "en".to_owned(),
            entities: Vec::new(),
            reply: None,
            source: Source::Local,
            degraded: false,
            model_version: "m".to_owned(),
            llm_model: None,
            processing_time_ms: 2.0,
            stages: StageTimes::default(),
        }),
        error: None,
        fingerprint: [7; 32],
    }
}

fn failed(number: u128) -> Command {
    let error = CommandError { code: "failed".to_owned(), message: "no".to_owned() };
    Command { status: Status::Failed, result: None, error: Some(error), ..command(number) }
}

async fn everything(store: &dyn CommandStore, owner: UserId, filter: &Filter, limit: u32) -> Vec<Command> {
    let mut page = Page::parse(Some(limit), None, None).unwrap();
    let mut all = Vec::new();
    loop {
        let found = store.history(owner, filter, page).await.unwrap();
        assert!(found.commands.len() <= limit as usize);
        all.extend(found.commands);
        let Some(next) = found.next else { return all };
        page = Page::parse(Some(limit), None, Some(&next.to_string())).unwrap();
    }
}

async fn a_command_reads_back_as_it_was_recorded(store: &dyn CommandStore) {
    for command in [command(1), failed(2), Command { session_id: Some("s".to_owned()), ..command(3) }] {
        store.record(&command).await.unwrap();
        assert_eq!(store.get(command.user_id, command.job_id).await.unwrap(), Some(command));
    }
}

async fn nobody_reads_anothers(store: &dyn CommandStore) {
    store.record(&command(1)).await.unwrap();
    assert_eq!(store.get(user(2), command(1).job_id).await.unwrap(), None);
    assert!(everything(store, user(2), &Filter::default(), 10).await.is_empty());
    assert_eq!(store.stats(user(2), None, None).await.unwrap(), Stats::default());
}

async fn the_first_answer_stays(store: &dyn CommandStore) {
    store.record(&command(1)).await.unwrap();
    store.record(&Command { command: "another".to_owned(), ..command(1) }).await.unwrap();
    store.record(&failed(1)).await.unwrap();
    assert_eq!(everything(store, user(1), &Filter::default(), 10).await, [command(1)]);
    assert_eq!(store.stats(user(1), None, None).await.unwrap().total, 1);
}

async fn a_failed_command_can_be_answered_after_all(store: &dyn CommandStore) {
    store.record(&failed(1)).await.unwrap();
    assert_eq!(store.stats(user(1), None, None).await.unwrap().failed, 1);
    store.record(&command(1)).await.unwrap();
    assert_eq!(everything(store, user(1), &Filter::default(), 10).await, [command(1)]);
    let stats = store.stats(user(1), None, None).await.unwrap();
    assert_eq!((stats.failed, stats.completed), (0, 1));
}

async fn pages_hold_everything_once_newest_first(store: &dyn CommandStore) {
    // Two commands share each instant, so that the id has to decide.
    for number in 1..=25 {
        store.record(&command(number)).await.unwrap();
    }
    let newest_first: Vec<_> = (1..=25).rev().map(command).collect();
    for limit in [1, 2, 7, 25, 200] {
        assert_eq!(everything(store, user(1), &Filter::default(), limit).await, newest_first);
    }
    let skipped =
        store.history(user(1), &Filter::default(), Page::parse(Some(5), Some(20), None).unwrap()).await;
    assert_eq!(skipped.unwrap().commands, newest_first[20..]);
}

async fn filters_hold_together(store: &dyn CommandStore) {
    let special = Command { command: "50%_off\\".to_owned(), session_id: Some("s".to_owned()), ..command(1) };
    let mut spanish = command(2);
    spanish.result = spanish.result.map(|result| CommandResult {
        intent: "thanks".to_owned(),
        language: "es".to_owned(),
        ..result
    });
    for command in [special, spanish, command(3)] {
        store.record(&command).await.unwrap();
    }
    let text = |text: &str| Filter { text: Some(text.to_owned()), ..Filter::default() };
    let cases = [
        (Filter { intent: Some("thanks".to_owned()), ..Filter::default() }, vec![2]),
        (Filter { language: Some("es".to_owned()), ..Filter::default() }, vec![2]),
        (
            Filter {
                language: Some("es".to_owned()),
                intent: Some("greeting".to_owned()),
                ..Filter::default()
            },
            vec![],
        ),
        (Filter { session_id: Some("s".to_owned()), ..Filter::default() }, vec![1]),
        (text("NUMBER"), vec![3, 2]),
        (text("%"), vec![1]),
        (text("_"), vec![1]),
        (text("\\"), vec![1]),
        (Filter { from: Some(start() + SignedDuration::from_secs(1)), ..Filter::default() }, vec![3, 2]),
        (Filter { to: Some(start() + SignedDuration::from_secs(1)), ..Filter::default() }, vec![1]),
    ];
    for (filter, expected) in cases {
        let found = everything(store, user(1), &filter, 1).await;
        let found: Vec<_> = found.iter().map(|command| command.job_id.uuid().as_u128()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

async fn a_search_for_the_rare_goes_on_until_no_page_is_left(store: &dyn CommandStore) {
    let rare = Command { command: "where is my umbrella".to_owned(), ..command(1) };
    store.record(&rare).await.unwrap();
    for number in 2..=25 {
        store.record(&command(number)).await.unwrap();
    }
    let text = |text: &str| Filter { text: Some(text.to_owned()), ..Filter::default() };
    assert_eq!(everything(store, user(1), &text("umbrella"), 5).await, std::slice::from_ref(&rare));
    assert_eq!(everything(store, user(1), &text("nowhere"), 5).await, []);
    let both = Filter {
        intent: Some("greeting".to_owned()),
        language: Some("en".to_owned()),
        to: Some(start() + SignedDuration::from_secs(1)),
        ..Filter::default()
    };
    assert_eq!(everything(store, user(1), &both, 5).await, [rare]);
    let none = Filter { language: Some("es".to_owned()), ..both };
    assert_eq!(everything(store, user(1), &none, 5).await, []);
}

async fn figures_count_by_day(store: &dyn CommandStore) {
    store.record(&command(1)).await.unwrap();
    store.record(&command(2)).await.unwrap();
    store.record(&failed(3)).await.unwrap();
    let tomorrow = start() + SignedDuration::from_hours(24);
    store.record(&Command { created_at: tomorrow, ..command(4) }).await.unwrap();
    let all = store.stats(user(1), None, None).await.unwrap();
    assert_eq!((all.total, all.completed, all.failed), (4, 3, 1));
    assert!((all.average_processing_time_ms - 2.0).abs() < 1e-9);
    assert_eq!(all.by_intent, [("greeting".to_owned(), 3)].into());
    assert_eq!(store.stats(user(1), Some(tomorrow), None).await.unwrap().total, 1);
    assert_eq!(store.stats(user(1), None, Some(start())).await.unwrap().total, 3);
}

async fn who_is_forgotten_leaves_nothing_and_others_everything(store: &dyn CommandStore) {
    for number in 1..=1_100 {
        store.record(&command(number)).await.unwrap();
    }
    let others = Command { user_id: user(2), ..command(2_000) };
    store.record(&others).await.unwrap();
    store.erase(user(1)).await.unwrap();
    assert!(everything(store, user(1), &Filter::default(), 10).await.is_empty());
    assert_eq!(store.stats(user(1), None, None).await.unwrap(), Stats::default());
    assert_eq!(everything(store, user(2), &Filter::default(), 10).await, [others]);
    assert_eq!(store.stats(user(2), None, None).await.unwrap().total, 1);
}

async fn all_of_it_is_carried_to_another_store_and_counted_once(store: &dyn CommandStore) {
    let others = Command { user_id: user(2), ..command(9) };
    let mut commands: Vec<_> = (1..=5).map(command).collect();
    commands.extend([failed(6), others]);
    for command in &commands {
        store.record(command).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let clock: SharedClock = Arc::new(ManualClock::at(start()));
    let options = Options::new(folder.path().join("copy.db"));
    let copied = SqliteCommands::open(&options, &clock, &|_| ()).await.unwrap();

    let mut first = store.export(None, 3).await.unwrap();
    let keys: Vec<_> = first.iter().map(|(key, _)| key.uuid().as_u128()).collect();
    assert_eq!(keys, [1, 2, 3]);
    let last = first[2].0;
    copied.import(first.drain(..).map(|(_, entry)| entry).collect()).await.unwrap();
    for (after, expected) in [(Some(last), 4), (None, 7)] {
        let mut carried = 0;
        copy(store, &copied, after, Ok::<_, StorageError>, |_, count| carried += count).await.unwrap();
        assert_eq!(carried, expected);
    }

    assert_eq!((store.entries().await.unwrap(), copied.entries().await.unwrap()), (7, 7));
    for owner in [user(1), user(2)] {
        let all = everything(store, owner, &Filter::default(), 10).await;
        assert_eq!(everything(&copied, owner, &Filter::default(), 10).await, all);
        let stats = store.stats(owner, None, None).await.unwrap();
        assert_eq!(copied.stats(owner, None, None).await.unwrap(), stats);
    }
    copied.close().await;
}

macro_rules! cases {
    ($($case:ident)*) => {
        mod sqlite {
            $(#[tokio::test] async fn $case() { super::on_sqlite(|store| store, async |store| super::$case(store).await).await; })*
        }
        mod sqlite_that_looks_at_few_commands_a_page {
            $(#[tokio::test] async fn $case() { super::on_sqlite(|store| store.examining(2), async |store| super::$case(store).await).await; })*
        }
        mod mongodb {
            $(#[tokio::test] async fn $case() { super::on_mongodb(|store| store, async |store| super::$case(store).await).await; })*
        }
        mod mongodb_that_looks_at_few_commands_a_page {
            $(#[tokio::test] async fn $case() { super::on_mongodb(|store| store.examining(2), async |store| super::$case(store).await).await; })*
        }
    };
}

async fn on_sqlite(
    with: impl FnOnce(SqliteCommands) -> SqliteCommands,
    case: impl AsyncFnOnce(&dyn CommandStore),
) {
    let folder = tempfile::tempdir().unwrap();
    let clock: SharedClock = Arc::new(ManualClock::at(start()));
    let options = Options::new(folder.path().join("voice.db"));
    let store = with(SqliteCommands::open(&options, &clock, &|_| ()).await.unwrap());
    case(&store).await;
    store.close().await;
}

async fn on_mongodb(
    with: impl FnOnce(MongoCommands) -> MongoCommands,
    case: impl AsyncFnOnce(&dyn CommandStore),
) {
    let clock: SharedClock = Arc::new(ManualClock::at(start()));
    let store = with(MongoCommands::open(&stage::on_replica_set().await, &clock, &|_| ()).await.unwrap());
    case(&store).await;
    store.close().await;
}

cases! {
    a_command_reads_back_as_it_was_recorded
    nobody_reads_anothers
    the_first_answer_stays
    a_failed_command_can_be_answered_after_all
    pages_hold_everything_once_newest_first
    filters_hold_together
    a_search_for_the_rare_goes_on_until_no_page_is_left
    figures_count_by_day
    who_is_forgotten_leaves_nothing_and_others_everything
    all_of_it_is_carried_to_another_store_and_counted_once
}
