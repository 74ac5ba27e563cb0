use mongodb::bson::{Bson, doc};
use uuid::Uuid;

use super::*;
use crate::kit::http::page::{Cursor, From, Page};
use crate::kit::ids::{SessionId, UserId};
use crate::kit::storage::mongo::{date, micros, uuid};
use crate::users::account::{Email, Status};
use crate::users::audit::{Action, Outcome};
use crate::users::store::mongo::query::Query;
use crate::users::store::mongo::{
    accounts, audit, change, erase, keys, list, one_time, passkeys, portable, refresh, roles, sessions, trust,
};
use crate::users::store::{AccountQuery, AccountSort, AuditQuery, Purpose, Within};

/// The stages of a plan, from the last one down to the index.
fn stages(plan: &Document, found: &mut Vec<(String, Option<String>)>) {
    if let Ok(stage) = plan.get_str("stage") {
        found.push((stage.to_owned(), plan.get_str("indexName").ok().map(str::to_owned)));
    }
    for below in ["inputStage", "queryPlan", "outerStage", "innerStage"] {
        if let Ok(below) = plan.get_document(below) {
            stages(below, found);
        }
    }
    let several = plan.get_array("inputStages").into_iter().flatten();
    several.filter_map(Bson::as_document).for_each(|below| stages(below, found));
}

fn winning(explained: &Document) -> Document {
    let mut of = explained;
    if let Ok(stages) = explained.get_array("stages")
        && let Some(cursor) = stages.first().and_then(Bson::as_document)
    {
        of = cursor.get_document("$cursor").unwrap_or(explained);
    }
    of.get_document("queryPlanner").unwrap().get_document("winningPlan").unwrap().clone()
}

/// The server reads `index` for the command, scans no collection and sorts nothing.
async fn assert_reads(store: &MongoUsers, command: Document, index: &str) {
    let explain = doc! { "explain": command.clone(), "verbosity": "queryPlanner" };
    let explained = store.mongo.database().run_command(explain).await.unwrap();
    let mut found = Vec::new();
    stages(&winning(&explained), &mut found);
    let names: Vec<&str> = found.iter().map(|(stage, _)| stage.as_str()).collect();
    assert!(!names.contains(&"COLLSCAN") && !names.contains(&"SORT"), "{command}: {names:?}");
    let read: Vec<&str> = found
        .iter()
        .filter_map(|(stage, read)| if stage == "IDHACK" { Some("_id_") } else { read.as_deref() })
        .collect();
    assert!(!read.is_empty() && read.iter().all(|one| *one == index), "{command}: {found:?}");
}

async fn assert_found(store: &MongoUsers, query: &Query) {
    assert_reads(store, query.command(), query.index()).await;
}

fn user() -> UserId {
    Uuid::from_u128(1).into()
}

fn starts() -> [From; 2] {
    let at = "2100-01-04T08:00:00Z".parse().unwrap();
    [From::Offset(7), From::After(Cursor { at, id: Uuid::nil() })]
}

fn reaches() -> [Within; 3] {
    [Within::Everyone, Within::Institution("North".to_owned()), Within::Only(user())]
}

#[tokio::test]
async fn every_list_of_accounts_reads_an_index_and_sorts_nothing() {
    let store = open(&stage::on_replica_set().await).await.unwrap();
    let orders = [AccountSort::Newest, AccountSort::Oldest, AccountSort::Name, AccountSort::LastActive];
    for case in 0..16_u8 {
        let has = |bit: u8| case & (1 << bit) != 0;
        for (within, sort) in reaches().into_iter().flat_map(|one| orders.map(|sort| (one.clone(), sort))) {
            for from in starts() {
                let query = AccountQuery {
                    within: within.clone(),
                    search: has(0).then(|| "a.b".to_owned()),
                    role: has(1).then(|| "student".to_owned()),
                    status: has(2).then_some(Status::Active),
                    institution: has(3).then(|| "North".to_owned()),
                    sort,
                    page: Page { limit: 50, from },
                };
                assert_found(&store, &list::plan(&query).unwrap()).await;
            }
        }
    }
    for within in reaches() {
        let (pipeline, index) = list::figures(&within);
        let command = doc! { "aggregate": "users", "pipeline": pipeline, "cursor": {}, "hint": index };
        assert_reads(&store, command, index).await;
    }
    store.close().await;
}

#[tokio::test]
async fn every_page_of_the_trail_reads_a_range_of_an_index() {
    let store = open(&stage::on_replica_set().await).await.unwrap();
    let at = "2100-01-04T08:00:00Z".parse().unwrap();
    for case in 0..64_u8 {
        let has = |bit: u8| case & (1 << bit) != 0;
        for (within, from) in reaches().into_iter().flat_map(|one| starts().map(|from| (one.clone(), from))) {
            let query = AuditQuery {
                within,
                actor: has(0).then(user),
                target: has(1).then(user),
                action: has(2).then_some(Action::Login),
                outcome: has(3).then_some(Outcome::Refused),
                from: has(4).then_some(at),
                to: has(5).then_some(at),
                page: Page { limit: 50, from },
            };
            assert_found(&store, &audit::plan(&query).unwrap()).await;
        }
    }
    store.close().await;
}

#[tokio::test]
async fn everything_else_is_found_along_an_index_too() {
    let store = open(&stage::on_replica_set().await).await.unwrap();
    let at = "2100-01-04T08:00:00Z".parse().unwrap();
    let session: SessionId = Uuid::from_u128(2).into();
    let (id, hash) = (uuid(user().uuid()), [7; 32]);
    let mut queries = vec![
        accounts::addressed(&Email::parse("ada@example.org").unwrap()),
        audit::of_keys(),
        change::other_administrators(id),
        change::others_with_password(id),
        change::passkeys_of(&[id]),
        change::good_keys_of(&[id], at),
        erase::due_by(at, 10),
        list::unverified(at, 10),
        keys::good(&hash, at),
        keys::good_of(user(), at),
        keys::any(),
        passkeys::of(user()),
        passkeys::named(&[1, 2, 3]),
        refresh::by_current(&hash),
        refresh::by_previous(&hash),
        refresh::spent(&hash),
        roles::all(),
        roles::holders("guest"),
        sessions::open(user(), at),
        sessions::from_network(user(), "192.0.2.0/24", at),
        sessions::not_ended(user(), None, None),
        sessions::not_ended(user(), None, Some(session)),
        sessions::not_ended(user(), Some(session), None),
        trust::verifying(at),
        trust::any_key(),
        trust::after(7, 10),
        portable::after("users", id, Document::new(), 10),
        portable::after("roles", "guest", doc! { "built_in": false }, 10),
        portable::these("users", &[id]),
        portable::of_accounts("api_keys", "api_keys_user", &[id]),
        portable::of_accounts("passkeys", "passkeys_user", &[id]),
        portable::of_accounts("one_time_tokens", "one_time_tokens_user", &[id]),
        portable::of_subjects(&[id]),
        portable::with_addresses(&["ada@example.org".to_owned()]),
    ];
    queries.extend(starts().map(|from| keys::listed(user(), Page { limit: 50, from })));
    queries.extend(reaches().iter().filter_map(|within| accounts::covered(user(), within)));
    for query in queries {
        assert_found(&store, &query).await;
    }
    let delete =
        |from: &str, filter: Document| doc! { "delete": from, "deletes": [{ "q": filter, "limit": 0 }] };
    let owned = [
        ("sessions", "sessions_user"),
        ("spent_tokens", "spent_tokens_user"),
        ("api_keys", "api_keys_user"),
        ("one_time_tokens", "one_time_tokens_user"),
        ("passkeys", "passkeys_user"),
    ];
    assert_eq!(owned.map(|(collection, _)| collection), erase::OWNED);
    let gone = ["sessions", "spent_tokens", "one_time_tokens", "revocations", "signing_keys", "api_keys"];
    for collection in gone {
        let expired = doc! { "gone_at": { "$lte": date(at) } };
        assert_reads(&store, delete(collection, expired), &format!("{collection}_gone")).await;
    }
    for (collection, index) in owned {
        let mut command = delete(collection, doc! { "user": id });
        if collection == "sessions" {
            // Two indexes of it begin with the owner: either will do.
            command.get_array_mut("deletes").unwrap()[0].as_document_mut().unwrap().insert("hint", index);
        }
        assert_reads(&store, command, index).await;
    }
    let begun = doc! { "user": id, "purpose": { "$ne": "verify" } };
    assert_reads(&store, delete("one_time_tokens", begun), "one_time_tokens_user").await;
    let good = doc! { "find": "one_time_tokens", "filter": one_time::good(Purpose::Reset, &hash, at) };
    assert_reads(&store, good, "_id_").await;
    let over = doc! { "expires_at": { "$lte": micros(at) }, "current": { "$exists": true } };
    let over = doc! { "find": "sessions", "filter": over, "hint": "sessions_expiry" };
    assert_reads(&store, over, "sessions_expiry").await;
    store.close().await;
}
