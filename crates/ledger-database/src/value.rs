//! Values of columns: what a statement is given, and what a row holds.

use std::borrow::Cow;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number, or whether something is so.
    Integer,
    /// A text in UTF-8.
    Text,
    /// Bytes of any content.
    Blob,
}

/// A value that a statement is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'q> {
    /// No value, of a column of this kind: PostgreSQL prepares a statement for kinds.
    Null(Kind),
    /// A whole number; `true` is 1.
    Integer(i64),
    /// A text in UTF-8.
    Text(Cow<'q, str>),
    /// Bytes of any content.
    Blob(Cow<'q, [u8]>),
}

/// A value in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueRef<'r> {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A text in UTF-8.
    Text(&'r str),
    /// Bytes of any content.
    Blob(&'r [u8]),
}

/// What can be given to a statement.
pub trait IntoValue<'q> {
    /// What its column holds, also where there is no value.
    const KIND: Kind;

    /// The value of the column.
    fn into_value(self) -> Value<'q>;
}

impl<'q> IntoValue<'q> for i64 {
    const KIND: Kind = Kind::Integer;

    fn into_value(self) -> Value<'q> {
        Value::Integer(self)
    }
}

impl<'q> IntoValue<'q> for u32 {
    const KIND: Kind = Kind::Integer;

    fn into_value(self) -> Value<'q> {
        Value::Integer(self.into())
    }
}

impl<'q> IntoValue<'q> for bool {
    const KIND: Kind = Kind::Integer;

    fn into_value(self) -> Value<'q> {
        Value::Integer(self.into())
    }
}

impl<'q> IntoValue<'q> for &'q str {
    const KIND: Kind = Kind::Text;

    fn into_value(self) -> Value<'q> {
        Value::Text(Cow::Borrowed(self))
    }
}

impl<'q> IntoValue<'q> for String {
    const KIND: Kind = Kind::Text;

    fn into_value(self) -> Value<'q> {
        Value::Text(Cow::Owned(self))
    }
}

impl<'q> IntoValue<'q> for &'q String {
    const KIND: Kind = Kind::Text;

    fn into_value(self) -> Value<'q> {
        self.as_str().into_value()
    }
}

impl<'q> IntoValue<'q> for &'q [u8] {
    const KIND: Kind = Kind::Blob;

    fn into_value(self) -> Value<'q> {
        Value::Blob(Cow::Borrowed(self))
    }
}

impl<'q> IntoValue<'q> for &'q Vec<u8> {
    const KIND: Kind = Kind::Blob;

    fn into_value(self) -> Value<'q> {
        self.as_slice().into_value()
    }
}

impl<'q> IntoValue<'q> for Vec<u8> {
    const KIND: Kind = Kind::Blob;

    fn into_value(self) -> Value<'q> {
        Value::Blob(Cow::Owned(self))
    }
}

impl<'q> IntoValue<'q> for &i64 {
    const KIND: Kind = Kind::Integer;

    fn into_value(self) -> Value<'q> {
        Value::Integer(*self)
    }
}

impl<'q, T: IntoValue<'q>> IntoValue<'q> for Option<T> {
    const KIND: Kind = T::KIND;

    fn into_value(self) -> Value<'q> {
        self.map_or(Value::Null(T::KIND), T::into_value)
    }
}

impl<'q, T> IntoValue<'q> for &'q Option<T>
where
    &'q T: IntoValue<'q>,
{
    const KIND: Kind = <&'q T as IntoValue<'q>>::KIND;

    fn into_value(self) -> Value<'q> {
        self.as_ref().into_value()
    }
}
