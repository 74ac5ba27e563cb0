//! The file, and all that every store has to do.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Column as _, ConnectOptions as _, Row as _, TypeInfo as _, ValueRef as _};
use tempfile::TempDir;

use super::SqliteUsers;
use crate::kit::clock::{SharedClock, SystemClock};
use crate::kit::storage::sqlite::Options;
use crate::users::store::UserStore;
use crate::users::store::conformance::{Place, conformance, hexadecimal};

/// A file in a folder of its own.
struct File(TempDir);

impl File {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("users.db")
    }
}

#[async_trait]
impl Place for File {
    async fn open(&self) -> Arc<dyn UserStore> {
        let clock: SharedClock = Arc::new(SystemClock);
        Arc::new(SqliteUsers::open(&Options::new(self.path()), &clock, &|_| ()).await.unwrap())
    }

    async fn another(&self) -> Box<dyn Place> {
        Box::new(Self::new())
    }

    async fn tables(&self) -> Vec<(String, String)> {
        let mut conn = SqliteConnectOptions::new().filename(self.path()).connect().await.unwrap();
        let names: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
            .fetch_all(&mut conn)
            .await
            .unwrap();
        let mut tables = Vec::new();
        for name in names {
            let all = format!("SELECT * FROM {name}");
            let rows = sqlx::query(AssertSqlSafe(all)).fetch_all(&mut conn).await.unwrap();
            let rows: Vec<String> = rows.iter().map(text).collect();
            tables.push((name, rows.join("\n")));
        }
        tables
    }
}

fn text(row: &SqliteRow) -> String {
    let cell = |number: usize| {
        let value = row.try_get_raw(number).unwrap();
        match value.type_info().name() {
            _ if value.is_null() => String::new(),
            "BLOB" => hexadecimal(&row.get::<Vec<u8>, _>(number)),
            "INTEGER" => row.get::<i64, _>(number).to_string(),
            _ => row.get::<String, _>(number),
        }
    };
    let cells = row.columns().iter().map(|column| format!("{}={}", column.name(), cell(column.ordinal())));
    cells.collect::<Vec<_>>().join(" ")
}

conformance!(File::new());
