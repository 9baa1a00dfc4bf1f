//! Values of columns: what a statement is given, and what a row holds.

use std::borrow::Cow;

/// A value that a statement is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'q> {
    /// No value.
    Null,
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
    /// The value of the column.
    fn into_value(self) -> Value<'q>;
}

impl<'q> IntoValue<'q> for Value<'q> {
    fn into_value(self) -> Self {
        self
    }
}

impl<'q> IntoValue<'q> for i64 {
    fn into_value(self) -> Value<'q> {
        Value::Integer(self)
    }
}

impl<'q> IntoValue<'q> for u32 {
    fn into_value(self) -> Value<'q> {
        Value::Integer(self.into())
    }
}

impl<'q> IntoValue<'q> for bool {
    fn into_value(self) -> Value<'q> {
        Value::Integer(self.into())
    }
}

impl<'q> IntoValue<'q> for &'q str {
    fn into_value(self) -> Value<'q> {
        Value::Text(Cow::Borrowed(self))
    }
}

impl<'q> IntoValue<'q> for String {
    fn into_value(self) -> Value<'q> {
        Value::Text(Cow::Owned(self))
    }
}

impl<'q> IntoValue<'q> for &'q String {
    fn into_value(self) -> Value<'q> {
        self.as_str().into_value()
    }
}

impl<'q> IntoValue<'q> for &'q [u8] {
    fn into_value(self) -> Value<'q> {
        Value::Blob(Cow::Borrowed(self))
    }
}

impl<'q> IntoValue<'q> for &'q Vec<u8> {
    fn into_value(self) -> Value<'q> {
        self.as_slice().into_value()
    }
}

impl<'q> IntoValue<'q> for Vec<u8> {
    fn into_value(self) -> Value<'q> {
        Value::Blob(Cow::Owned(self))
    }
}

impl<'q> IntoValue<'q> for &i64 {
    fn into_value(self) -> Value<'q> {
        Value::Integer(*self)
    }
}

impl<'q, T: IntoValue<'q>> IntoValue<'q> for Option<T> {
    fn into_value(self) -> Value<'q> {
        self.map_or(Value::Null, T::into_value)
    }
}

impl<'q, T> IntoValue<'q> for &'q Option<T>
where
    &'q T: IntoValue<'q>,
{
    fn into_value(self) -> Value<'q> {
        self.as_ref().into_value()
    }
}
