//! Many rows in few statements: the driver pays a thread hop per statement, not per row.

use std::sync::OnceLock;

use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteQueryResult};
use sqlx::{AssertSqlSafe, SqliteConnection};

/// Rows go in chunks of these sizes, so that a handful of prepared statements serves every batch.
const CHUNKS: [usize; 4] = [64, 16, 4, 1];

/// An `INSERT` of as many rows as there are. Lives in a `static`; its texts are built once.
#[derive(Debug)]
pub struct RowInsert {
    head: &'static str,
    columns: usize,
    tail: &'static str,
    statements: OnceLock<[String; CHUNKS.len()]>,
}

impl RowInsert {
    /// `head` ends before the rows (`INSERT INTO t (a, b) VALUES`), each row binds `columns` values,
    /// `tail` follows the last row (`ON CONFLICT DO NOTHING`).
    pub const fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Self { head, columns, tail, statements: OnceLock::new() }
    }

    /// Inserts `rows` in order; `bind` binds the columns of one row. The counts of all statements
    /// are added up, `last_insert_rowid` is that of the last.
    ///
    /// # Errors
    /// Those of the driver; then some of the rows may be in, which the transaction undoes.
    pub async fn run<T: Sync>(
        &'static self,
        conn: &mut SqliteConnection,
        rows: &[T],
        bind: impl Fn(Query<'static, Sqlite, SqliteArguments>, &T) -> Query<'static, Sqlite, SqliteArguments>,
    ) -> Result<SqliteQueryResult, sqlx::Error> {
        let texts = self.statements.get_or_init(|| CHUNKS.map(|rows| self.text(rows)));
        let mut result = SqliteQueryResult::default();
        let mut rest = rows;
        for (size, text) in CHUNKS.into_iter().zip(texts) {
            while rest.len() >= size {
                let (chunk, after) = rest.split_at(size);
                rest = after;
                let mut query = sqlx::query(AssertSqlSafe(text.as_str()));
                for row in chunk {
                    query = bind(query, row);
                }
                result.extend([query.execute(&mut *conn).await?]);
            }
        }
        Ok(result)
    }

    fn text(&self, rows: usize) -> String {
        let row = format!("({})", vec!["?"; self.columns].join(","));
        format!("{} {} {}", self.head, vec![row.as_str(); rows].join(","), self.tail)
    }
}
