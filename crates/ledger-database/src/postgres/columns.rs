//! The values in a row of PostgreSQL. Every statement with values gets them in their binary form.

use sqlx::postgres::{PgRow, PgValueRef};
use sqlx::{Column as _, Decode, Postgres, Row as _, TypeInfo as _, ValueRef as _};

use crate::{ReadError, ValueRef};

/// The name of the column at this place.
pub(crate) fn name(row: &PgRow, place: usize) -> Option<&str> {
    row.columns().get(place).map(sqlx::Column::name)
}

/// The place of the column with this name.
pub(crate) fn place(row: &PgRow, column: &str) -> Option<usize> {
    row.columns()
        .iter()
        .position(|found| found.name() == column)
}

/// The number of columns.
pub(crate) fn count(row: &PgRow) -> usize {
    row.columns().len()
}

/// The value at this place.
pub(crate) fn value(row: &PgRow, place: usize) -> Result<ValueRef<'_>, ReadError> {
    let found = row.try_get_raw(place);
    let found = found.map_err(|_| ReadError::new("is missing"))?;
    if found.is_null() {
        return Ok(ValueRef::Null);
    }
    let type_name = found.type_info().name().to_owned();
    match type_name.as_str() {
        "INT8" => decoded(found).map(ValueRef::Integer),
        "INT4" => decoded::<i32>(found).map(|number| ValueRef::Integer(number.into())),
        "INT2" => decoded::<i16>(found).map(|number| ValueRef::Integer(number.into())),
        "BOOL" => decoded::<bool>(found).map(|is_so| ValueRef::Integer(is_so.into())),
        "TEXT" | "VARCHAR" => decoded(found).map(ValueRef::Text),
        "BYTEA" => decoded(found).map(ValueRef::Blob),
        _ => Err(ReadError::new(
            "must be a whole number, text or bytes of PostgreSQL",
        )),
    }
}

fn decoded<'r, T: Decode<'r, Postgres>>(value: PgValueRef<'r>) -> Result<T, ReadError> {
    T::decode(value).map_err(|_| ReadError::new("cannot be read"))
}
