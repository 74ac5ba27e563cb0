//! Accounts in lists and in figures.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::sqlite::Sqlite;
use sqlx::{AssertSqlSafe, QueryBuilder, Row, SqliteConnection};

use super::rows::{ACCOUNT, account, count};
use crate::kit::http::page::{Cursor, From};
use crate::users::account::{Account, folded};
use crate::users::store::{AccountPage, AccountQuery, AccountSort, AccountStats, Within};

fn within(sql: &mut QueryBuilder<Sqlite>, within: &Within) {
    match within {
        Within::Everyone => {}
        Within::Institution(name) => {
            sql.push(" AND institution = ").push_bind(name.clone());
        }
        Within::Only(user) => {
            sql.push(" AND id = ").push_bind(user.uuid());
        }
    }
}

pub(super) async fn page(
    conn: &mut SqliteConnection,
    query: &AccountQuery,
) -> Result<AccountPage, sqlx::Error> {
    let mut sql = QueryBuilder::new(format!("SELECT {ACCOUNT} FROM users WHERE erased_at IS NULL"));
    within(&mut sql, &query.within);
    if let Some(search) = &query.search {
        // Everything but the pattern's own signs stands for itself.
        let quoted = folded(search).replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let pattern = format!("%{quoted}%");
        sql.push(" AND (name_key LIKE ").push_bind(pattern.clone()).push(" ESCAPE '\\' OR email_key LIKE ");
        sql.push_bind(pattern).push(" ESCAPE '\\')");
    }
    if let Some(role) = &query.role {
        sql.push(" AND role = ").push_bind(role.clone());
    }
    if let Some(status) = query.status {
        sql.push(" AND status = ").push_bind(status.as_str());
    }
    if let Some(institution) = &query.institution {
        sql.push(" AND institution = ").push_bind(institution.clone());
    }
    let mut offset = 0;
    match query.page.from {
        From::Offset(skip) => offset = skip,
        From::After(Cursor { at, id }) => {
            sql.push(" AND (created_at, id) < (").push_bind(at.as_microsecond());
            sql.push(", ").push_bind(id).push(")");
        }
    }
    sql.push(match query.sort {
        AccountSort::Newest => " ORDER BY created_at DESC, id DESC",
        AccountSort::Oldest => " ORDER BY created_at, id",
        AccountSort::Name => " ORDER BY name_key, id",
        AccountSort::LastActive => " ORDER BY last_active_at DESC, id DESC",
    });
    sql.push(" LIMIT ").push_bind(i64::from(query.page.limit) + 1);
    sql.push(" OFFSET ").push_bind(i64::from(offset));
    let rows = sql.build().fetch_all(conn).await?;
    let limit = query.page.limit as usize;
    let accounts = rows.iter().take(limit).map(account).collect::<Result<Vec<_>, _>>()?;
    let more = rows.len() > limit && query.sort == AccountSort::Newest;
    let next =
        accounts.last().filter(|_| more).map(|last| Cursor { at: last.created_at, id: last.id.uuid() });
    Ok(AccountPage { accounts, next })
}

/// Pending accounts that nobody has verified, those of longest ago first.
pub(super) async fn unverified(
    conn: &mut SqliteConnection,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Account>, sqlx::Error> {
    let sql = format!(
        "SELECT {ACCOUNT} FROM users WHERE status = 'pending' AND erased_at IS NULL \
         AND email_verified_at IS NULL AND last_active_at IS NULL AND updated_at < ? \
         ORDER BY updated_at LIMIT ?"
    );
    let rows =
        sqlx::query(AssertSqlSafe(sql)).bind(before.as_microsecond()).bind(limit).fetch_all(conn).await?;
    rows.iter().map(account).collect()
}

pub(super) async fn stats(conn: &mut SqliteConnection, whose: &Within) -> Result<AccountStats, sqlx::Error> {
    let mut sql = QueryBuilder::new("SELECT status, role, count(*) FROM users WHERE erased_at IS NULL");
    within(&mut sql, whose);
    sql.push(" GROUP BY status, role");
    let mut stats = AccountStats::default();
    let add =
        |counts: &mut BTreeMap<String, u64>, name: String, number| *counts.entry(name).or_default() += number;
    for row in sql.build().fetch_all(conn).await? {
        let number = count(row.try_get(2)?);
        stats.total += number;
        add(&mut stats.by_status, row.try_get(0)?, number);
        add(&mut stats.by_role, row.try_get(1)?, number);
    }
    Ok(stats)
}
