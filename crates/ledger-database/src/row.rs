//! Rows, read by column names into types.

use std::cell::Cell;

use sqlx::postgres::PgRow;

use crate::postgres::columns as postgres;
use crate::{Error, ReadError, ValueRef};

/// A row, while its statement runs.
#[derive(Debug)]
pub struct Row<'r> {
    inner: Inner<'r>,
    /// Where the next column is likely to be: most types read their columns in order.
    next: Cell<usize>,
}

#[derive(Debug)]
enum Inner<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r PgRow),
}

/// A type that is read from a row.
pub trait FromRow: Sized {
    /// Reads the row.
    ///
    /// # Errors
    ///
    /// [`Error::Column`] if a column is missing or holds something else.
    fn from_row(row: &Row<'_>) -> Result<Self, Error>;
}

/// A type that is read from one column.
pub trait Column: Sized {
    /// Reads the value.
    ///
    /// # Errors
    ///
    /// If the value is something else.
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError>;
}

impl<'r> Row<'r> {
    pub(crate) const fn of_sqlite(row: &'r rusqlite::Row<'r>) -> Self {
        Self::new(Inner::Sqlite(row))
    }

    pub(crate) const fn of_postgres(row: &'r PgRow) -> Self {
        Self::new(Inner::Postgres(row))
    }

    const fn new(inner: Inner<'r>) -> Self {
        Self {
            inner,
            next: Cell::new(0),
        }
    }

    /// The value of the column with this name.
    ///
    /// # Errors
    ///
    /// [`Error::Column`] if the column is missing or holds something else.
    pub fn get<T: Column>(&self, column: &str) -> Result<T, Error> {
        let place = self.place(column)?;
        self.next.set(place + 1);
        self.read(place, column)
    }

    /// The same, read as `S` first: for a type that has several forms in a database.
    ///
    /// # Errors
    ///
    /// As [`Row::get`].
    pub fn get_as<S: Column, T: From<S>>(&self, column: &str) -> Result<T, Error> {
        self.get::<S>(column).map(T::from)
    }

    /// The value of the column at this place.
    ///
    /// # Errors
    ///
    /// As [`Row::get`].
    pub fn at<T: Column>(&self, place: usize) -> Result<T, Error> {
        let name = self.inner.name(place).unwrap_or("?");
        self.read(place, name)
    }

    /// The number of columns.
    pub fn len(&self) -> usize {
        match &self.inner {
            Inner::Sqlite(row) => row.as_ref().column_count(),
            Inner::Postgres(row) => postgres::count(row),
        }
    }

    /// Whether it has no column.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn place(&self, column: &str) -> Result<usize, Error> {
        let next = self.next.get();
        if self.inner.name(next) == Some(column) {
            return Ok(next);
        }
        let place = self.inner.place(column);
        place.ok_or_else(|| ReadError::new("is not in the row").in_column(column))
    }

    fn read<T: Column>(&self, place: usize, name: &str) -> Result<T, Error> {
        let value = self.inner.value(place);
        value
            .and_then(T::read)
            .map_err(|error| error.in_column(name))
    }
}

impl<'r> Inner<'r> {
    fn name(&self, place: usize) -> Option<&str> {
        match self {
            Self::Sqlite(row) => row.as_ref().column_name(place).ok(),
            Self::Postgres(row) => postgres::name(row, place),
        }
    }

    fn place(&self, column: &str) -> Option<usize> {
        match self {
            Self::Sqlite(row) => row.as_ref().column_index(column).ok(),
            Self::Postgres(row) => postgres::place(row, column),
        }
    }

    fn value(&self, place: usize) -> Result<ValueRef<'r>, ReadError> {
        match self {
            Self::Sqlite(row) => stored(row, place),
            Self::Postgres(row) => postgres::value(row, place),
        }
    }
}

fn stored<'r>(row: &'r rusqlite::Row<'r>, place: usize) -> Result<ValueRef<'r>, ReadError> {
    use rusqlite::types::ValueRef as Stored;
    let stored = row.get_ref(place);
    Ok(match stored.map_err(|_| ReadError::new("is missing"))? {
        Stored::Null => ValueRef::Null,
        Stored::Integer(number) => ValueRef::Integer(number),
        Stored::Text(text) => {
            let text = str::from_utf8(text).map_err(|_| ReadError::new("is not UTF-8"))?;
            ValueRef::Text(text)
        }
        Stored::Blob(bytes) => ValueRef::Blob(bytes),
        Stored::Real(_) => return Err(ReadError::new("must not be a fraction")),
    })
}

/// Implements [`FromRow`] for a struct whose fields have their columns' names, or name their column as
/// `field = "column"`. A field with `as Type` is read as that type first. The fields after `..` are
/// read from the whole row, and those after `default` from none.
///
/// ```
/// use ledger_database::row;
///
/// struct Order {
///     id: i64,
///     description: Option<String>,
/// }
///
/// row! { Order { id, description } }
/// ```
#[macro_export]
macro_rules! row {
    ($name:ident { $($field:ident $(= $column:literal)? $(as $stored:ty)?),* $(,)? $(; .. $($whole:ident $(as $read:ty)?),+ $(,)?)? $(; default $($empty:ident),+ $(,)?)? }) => {
        impl $crate::FromRow for $name {
            fn from_row(row: &$crate::Row<'_>) -> ::core::result::Result<Self, $crate::Error> {
                ::core::result::Result::Ok(Self {
                    $($field: $crate::row!(@column row, $field $(= $column)? $(as $stored)?),)*
                    $($($whole: $crate::row!(@whole row $(as $read)?),)+)?
                    $($($empty: ::core::default::Default::default(),)+)?
                })
            }
        }
    };
    (@column $row:ident, $field:ident) => { $row.get(::core::stringify!($field))? };
    (@column $row:ident, $field:ident = $column:literal) => { $row.get($column)? };
    (@column $row:ident, $field:ident as $stored:ty) => {
        $row.get_as::<$stored, _>(::core::stringify!($field))?
    };
    (@whole $row:ident) => { $crate::FromRow::from_row($row)? };
    (@whole $row:ident as $read:ty) => {
        ::core::convert::From::from(<$read as $crate::FromRow>::from_row($row)?)
    };
}

impl<A: Column, B: Column> FromRow for (A, B) {
    fn from_row(row: &Row<'_>) -> Result<Self, Error> {
        Ok((row.at(0)?, row.at(1)?))
    }
}

impl Column for i64 {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        match value {
            ValueRef::Integer(number) => Ok(number),
            _ => Err(ReadError::new("must be a whole number")),
        }
    }
}

impl Column for u64 {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        let number = i64::read(value)?;
        number
            .try_into()
            .map_err(|_| ReadError::new("must not be negative"))
    }
}

impl Column for bool {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        match value {
            ValueRef::Integer(0) => Ok(false),
            ValueRef::Integer(1) => Ok(true),
            _ => Err(ReadError::new("must be 0 or 1")),
        }
    }
}

impl Column for String {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        match value {
            ValueRef::Text(text) => Ok(text.to_owned()),
            _ => Err(ReadError::new("must be text")),
        }
    }
}

impl Column for Vec<u8> {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        match value {
            ValueRef::Blob(bytes) => Ok(bytes.to_vec()),
            _ => Err(ReadError::new("must be bytes")),
        }
    }
}

impl<T: Column> Column for Option<T> {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        match value {
            ValueRef::Null => Ok(None),
            value => T::read(value).map(Some),
        }
    }
}
