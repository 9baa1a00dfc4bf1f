//! How a connection runs a statement.

use std::time::Duration;

use futures_util::TryStreamExt as _;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Either, Executor as _, Row as _};
use tokio::time::timeout;

use super::{failure, statement};
use crate::query::EachRow;
use crate::{Error, Query, Row};

/// How long a statement may take: a little more than the server allows it, which then says why. After
/// that, the network has lost something.
const ANSWER_MAX: Duration = Duration::from_secs(35);

/// Runs a statement, and calls `each` for each row.
pub(super) async fn run(
    connection: &mut PgConnection,
    query: &Query<'_>,
    each: &mut EachRow<'_>,
) -> Result<u64, Error> {
    let text = statement::text(query.text, query.lock);
    let arguments = statement::arguments(&query.values)?;
    let running = async {
        let mut results = connection.fetch_many(sqlx::query_with(text, arguments));
        let mut changed = 0;
        let mut goes_on = Ok(true);
        while let Some(result) = results.try_next().await.map_err(failure::of)? {
            match result {
                Either::Left(done) => changed += done.rows_affected(),
                Either::Right(row) if matches!(goes_on, Ok(true)) => {
                    goes_on = each(&Row::of_postgres(&row));
                }
                // The connection is used again, so all rows are read.
                Either::Right(_) => {}
            }
        }
        goes_on.map(|_| changed)
    };
    timeout(ANSWER_MAX, running)
        .await
        .unwrap_or(Err(Error::Lost))
}

/// Runs statements without values, which are not prepared.
pub(super) async fn batch(connection: &mut PgConnection, statements: &str) -> Result<(), Error> {
    let running = sqlx::raw_sql(AssertSqlSafe(statements)).execute(connection);
    running.await.map(drop).map_err(failure::of)
}

/// Runs statements without values, and returns the text that they find, if they find one.
pub(super) async fn text_of(
    connection: &mut PgConnection,
    statements: &'static str,
) -> Result<Option<String>, Error> {
    let running = sqlx::raw_sql(statements).fetch_all(connection);
    let rows = timeout(ANSWER_MAX, running).await;
    let rows = rows.map_err(|_| Error::Lost)?.map_err(failure::of)?;
    let text = rows.last().map(|row| row.try_get(0)).transpose();
    text.map(Option::flatten).map_err(failure::of)
}
