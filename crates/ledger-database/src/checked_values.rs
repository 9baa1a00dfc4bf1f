//! The checked values of a payment as columns. If a column breaks a value's rules, reading the row fails, so
//! the error does not appear later. This module knows values, and no table.

use payment_values::{
    Fen, OpenId, OrderNo, OutOrderNo, OutRefundNo, OutReturnNo, OutTradeNo, RefundId, TransactionId,
};

use crate::error::ReadError;
use crate::row::Column;
use crate::value::{IntoValue, Kind, Value, ValueRef};

macro_rules! texts {
    ($($name:ident)+) => {$(
        impl Column for $name {
            fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
                Self::try_from(String::read(value)?).map_err(ReadError::new)
            }
        }

        impl<'q> IntoValue<'q> for &'q $name {
            const KIND: Kind = Kind::Text;

            fn into_value(self) -> Value<'q> {
                self.as_str().into_value()
            }
        }
    )+};
}

texts! {
    OpenId OrderNo OutOrderNo OutRefundNo OutReturnNo OutTradeNo RefundId TransactionId
}

impl Column for Fen {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        Self::try_from(i64::read(value)?).map_err(ReadError::new)
    }
}

impl<'q> IntoValue<'q> for Fen {
    const KIND: Kind = Kind::Integer;

    fn into_value(self) -> Value<'q> {
        i64::from(self).into_value()
    }
}
