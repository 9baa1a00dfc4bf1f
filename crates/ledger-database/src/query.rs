//! A statement with its values, and who can execute it. Its text is the same for every engine; what
//! the dialects do not share, callers avoid.

use std::marker::PhantomData;

use crate::{Column, Error, FromRow, IntoValue, Row, Value};

/// A statement with its values. Values are bound in the order of `?`, or by number as `?1`.
#[derive(Clone, Debug)]
#[must_use = "a statement runs only when it is executed"]
pub struct Query<'q> {
    pub(crate) text: &'static str,
    pub(crate) values: Vec<Value<'q>>,
    pub(crate) lock: RowLock,
}

/// What happens to the rows that a statement reads, until its transaction ends. SQLite has one writer
/// at a time, whose rows nobody else changes: there it changes nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum RowLock {
    /// Others may change them.
    #[default]
    None,
    /// Waits for the transactions that changed or locked them, and locks them.
    Wait,
    /// Locks those that nobody has locked, and finds no others.
    Skip,
}

/// A statement whose rows are read as `T`.
#[derive(Debug)]
#[must_use = "a statement runs only when it is executed"]
pub struct QueryAs<'q, T>(Query<'q>, PhantomData<fn() -> T>);

/// A statement whose rows have one column of interest, the first.
#[derive(Debug)]
#[must_use = "a statement runs only when it is executed"]
pub struct QueryScalar<'q, T>(Query<'q>, PhantomData<fn() -> T>);

/// What is done with each row: `Ok(false)` ends the statement.
pub type EachRow<'f> = dyn FnMut(&Row<'_>) -> Result<bool, Error> + Send + 'f;

/// A connection, or several of which one is used. Only this crate has executors.
pub trait Executor: Send {
    /// Executes the statement; calls `each` for each row. Returns how many rows were changed.
    #[doc(hidden)]
    fn run(
        self,
        query: Query<'_>,
        each: &mut EachRow<'_>,
    ) -> impl Future<Output = Result<u64, Error>> + Send;
}

/// A statement without values.
pub fn query<'q>(text: &'static str) -> Query<'q> {
    Query {
        text,
        values: Vec::new(),
        lock: RowLock::None,
    }
}

/// A statement whose rows are read as `T`.
pub fn query_as<'q, T: FromRow>(text: &'static str) -> QueryAs<'q, T> {
    QueryAs(query(text), PhantomData)
}

/// A statement whose rows have one column of interest, the first.
pub fn query_scalar<'q, T: Column>(text: &'static str) -> QueryScalar<'q, T> {
    QueryScalar(query(text), PhantomData)
}

impl<'q> Query<'q> {
    /// Adds the next value.
    pub fn bind(mut self, value: impl IntoValue<'q>) -> Self {
        self.values.push(value.into_value());
        self
    }

    /// Locks the rows that it reads until the transaction ends, after those who have locked them.
    pub const fn for_update(mut self) -> Self {
        self.lock = RowLock::Wait;
        self
    }

    /// Executes the statement; returns how many rows were changed.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn execute(self, on: impl Executor) -> Result<u64, Error> {
        on.run(self, &mut |_| Ok(true)).await
    }

    /// Whether the statement finds a row.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub async fn exists(self, on: impl Executor) -> Result<bool, Error> {
        let mut found = false;
        on.run(self, &mut |_| {
            found = true;
            Ok(false)
        })
        .await?;
        Ok(found)
    }
}

macro_rules! fetching {
    ($name:ident, $bound:ident, $read:expr) => {
        impl<'q, T: $bound + Send> $name<'q, T> {
            /// Adds the next value.
            pub fn bind(self, value: impl IntoValue<'q>) -> Self {
                Self(self.0.bind(value), PhantomData)
            }

            /// Locks the rows that it reads until the transaction ends, after those who have
            /// locked them.
            pub fn for_update(self) -> Self {
                Self(self.0.for_update(), PhantomData)
            }

            /// Locks the rows that it reads until the transaction ends, and finds no row that
            /// another transaction has locked.
            pub fn for_update_of_free(self) -> Self {
                let query = Query {
                    lock: RowLock::Skip,
                    ..self.0
                };
                Self(query, PhantomData)
            }

            /// All rows.
            ///
            /// # Errors
            ///
            /// See [`Error`].
            pub async fn fetch_all(self, on: impl Executor) -> Result<Vec<T>, Error> {
                let mut found = Vec::new();
                on.run(self.0, &mut |row| {
                    found.push($read(row)?);
                    Ok(true)
                })
                .await?;
                Ok(found)
            }

            /// The first row, if there is one. All rows of a statement that changes something are
            /// executed.
            ///
            /// # Errors
            ///
            /// See [`Error`].
            pub async fn fetch_optional(self, on: impl Executor) -> Result<Option<T>, Error> {
                let mut found = None;
                on.run(self.0, &mut |row| {
                    if found.is_none() {
                        found = Some($read(row)?);
                    }
                    Ok(true)
                })
                .await?;
                Ok(found)
            }

            /// The first row.
            ///
            /// # Errors
            ///
            /// [`Error::NoRow`] if there is none; see [`Error`].
            pub async fn fetch_one(self, on: impl Executor) -> Result<T, Error> {
                self.fetch_optional(on).await?.ok_or(Error::NoRow)
            }
        }
    };
}

fetching!(QueryAs, FromRow, T::from_row);
fetching!(QueryScalar, Column, |row: &Row<'_>| row.at(0));
