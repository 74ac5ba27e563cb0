//! Accounts in lists and in figures.

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use mongodb::bson::{Document, doc};
use mongodb::options::Hint;
use serde::Deserialize;

use super::document::User;
use super::query::Query;
use super::{MongoUsers, USERS};
use crate::kit::http::page::{Cursor, From};
use crate::kit::storage::StorageError;
use crate::kit::storage::mongo::{Position, micros, uuid};
use crate::users::account::{Account, Status, folded};
use crate::users::store::{AccountPage, AccountQuery, AccountSort, AccountStats, Within};

/// How a page is found; none if no account can be on it.
pub(super) fn plan(query: &AccountQuery) -> Option<Query> {
    let mut filter = Document::new();
    let (mut institution, mut only) = (query.institution.as_ref(), None);
    match &query.within {
        Within::Everyone => {}
        Within::Institution(name) => {
            if institution.is_some_and(|wanted| wanted != name) {
                return None;
            }
            institution = Some(name);
        }
        Within::Only(user) => only = Some(uuid(user.uuid())),
    }
    if let Some(search) = &query.search {
        // No name and no address has a sign that is not shown.
        if search.chars().any(char::is_control) {
            return None;
        }
        let part = doc! { "$regex": exactly(&folded(search)) };
        filter.insert("$or", vec![doc! { "name_key": part.clone() }, doc! { "email_key": part }]);
    }
    let wanted = [
        ("institution", institution.map(String::as_str)),
        ("role", query.role.as_deref()),
        ("status", query.status.map(Status::as_str)),
    ];
    filter.extend(wanted.iter().filter_map(|(field, value)| Some(((*field).to_owned(), (*value)?.into()))));
    let mut skip = 0;
    match query.page.from {
        From::Offset(offset) => skip = offset,
        From::After(cursor) => drop(filter.insert("position", doc! { "$lt": Position::of(cursor) })),
    }
    let limit = i64::from(query.page.limit) + 1;
    if let Some(only) = only {
        filter.insert("_id", only);
        return Some(Query::of(USERS, "_id_", filter).skip(skip).limit(limit));
    }
    let of_one = institution.is_some();
    let (index, order) = match query.sort {
        AccountSort::Newest => (by_time(&wanted), doc! { "position": -1 }),
        AccountSort::Oldest => (by_time(&wanted), doc! { "position": 1 }),
        AccountSort::Name if of_one => ("users_by_institution_and_name", doc! { "name_key": 1, "_id": 1 }),
        AccountSort::Name => ("users_by_name", doc! { "name_key": 1, "_id": 1 }),
        AccountSort::LastActive if of_one => {
            ("users_by_institution_and_activity", doc! { "last_active_at": -1, "_id": -1 })
        }
        AccountSort::LastActive => ("users_by_activity", doc! { "last_active_at": -1, "_id": -1 }),
    };
    Some(Query::of(USERS, index, filter).sorted(order).skip(skip).limit(limit))
}

/// The index by time that holds the fewest accounts beside those that are wanted.
fn by_time(wanted: &[(&str, Option<&str>)]) -> &'static str {
    let first = wanted.iter().find_map(|(field, value)| value.map(|_| *field));
    match first {
        Some("institution") => "users_by_institution",
        Some("role") => "users_by_role",
        Some(_) => "users_by_status",
        None => "users_by_time",
    }
}

/// A regular expression for exactly this text.
fn exactly(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() * 2);
    for sign in text.chars() {
        if sign == '\0' {
            // The server takes none as it is.
            pattern.push_str("\\x00");
            continue;
        }
        if sign.is_ascii() && !sign.is_ascii_alphanumeric() {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    pattern
}

pub(super) async fn page(store: &MongoUsers, query: &AccountQuery) -> Result<AccountPage, StorageError> {
    let Some(plan) = plan(query) else { return Ok(AccountPage { accounts: Vec::new(), next: None }) };
    let found: Vec<User> = plan.listed(store).await?;
    let limit = query.page.limit as usize;
    let more = found.len() > limit && query.sort == AccountSort::Newest;
    let accounts: Result<Vec<Account>, _> = found.into_iter().take(limit).map(User::account).collect();
    let accounts = store.read(accounts)?;
    let next =
        accounts.last().filter(|_| more).map(|last| Cursor { at: last.created_at, id: last.id.uuid() });
    Ok(AccountPage { accounts, next })
}

/// Pending accounts whose address nobody has verified, those of longest ago first.
pub(super) fn unverified(before: Timestamp, limit: u32) -> Query {
    let waiting = doc! {
        "status": Status::Pending.as_str(),
        "email_verified_at": null,
        "last_active_at": null,
        "updated_at": { "$lt": micros(before) },
    };
    let found = Query::of(USERS, "users_by_status_and_change", waiting);
    found.sorted(doc! { "updated_at": 1 }).limit(limit.into())
}

#[derive(Debug, Deserialize)]
struct Sum {
    #[serde(rename = "_id")]
    of: SumOf,
    count: i64,
}

#[derive(Debug, Deserialize)]
struct SumOf {
    status: String,
    role: String,
}

/// The pipeline that counts accounts, and the index that it reads.
pub(super) fn figures(within: &Within) -> (Vec<Document>, &'static str) {
    let (wanted, index) = match within {
        Within::Everyone => (doc! {}, "users_figures"),
        Within::Institution(name) => (doc! { "institution": name }, "users_figures"),
        Within::Only(user) => (doc! { "_id": uuid(user.uuid()) }, "_id_"),
    };
    let group = doc! { "_id": { "status": "$status", "role": "$role" }, "count": { "$sum": 1_i64 } };
    (vec![doc! { "$match": wanted }, doc! { "$group": group }], index)
}

pub(super) async fn stats(store: &MongoUsers, within: &Within) -> Result<AccountStats, StorageError> {
    let (pipeline, index) = figures(within);
    let users = store.mongo.lists::<Document>(USERS);
    let sums = async {
        let counted = users.aggregate(pipeline).hint(Hint::Name(index.to_owned()));
        counted.max_time(store.mongo.operation_timeout()).with_type::<Sum>().await?.try_collect().await
    };
    let sums: Vec<Sum> = store.mongo.run(sums).await?;
    let mut stats = AccountStats::default();
    for Sum { of, count } in sums {
        let count = super::document::unsigned(count);
        stats.total += count;
        *stats.by_status.entry(of.status).or_default() += count;
        *stats.by_role.entry(of.role).or_default() += count;
    }
    Ok(stats)
}
