//! Values as columns of a database. If a column breaks a value's rules, reading the row fails, so
//! the error does not appear later.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::{Database, Decode, Encode, Type};

use crate::{Fen, OpenId, OrderNo, OutRefundNo, OutTradeNo, RefundId, TransactionId};

macro_rules! columns {
    ($($name:ident: $column:ty;)+) => {$(
        impl<DB: Database> Type<DB> for $name
        where
            $column: Type<DB>,
        {
            fn type_info() -> DB::TypeInfo {
                <$column as Type<DB>>::type_info()
            }

            fn compatible(given: &DB::TypeInfo) -> bool {
                <$column as Type<DB>>::compatible(given)
            }
        }

        impl<'r, DB: Database> Decode<'r, DB> for $name
        where
            $column: Decode<'r, DB>,
        {
            fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
                Ok(Self::try_from(<$column as Decode<DB>>::decode(value)?)?)
            }
        }

        impl<'q, DB: Database> Encode<'q, DB> for $name
        where
            $column: Encode<'q, DB>,
        {
            fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
                <$column>::from(self.clone()).encode(buffer)
            }
        }
    )+};
}

columns! {
    Fen: i64;
    OpenId: String;
    OrderNo: String;
    OutRefundNo: String;
    OutTradeNo: String;
    RefundId: String;
    TransactionId: String;
}
