//! Whose rows a handle and a transaction work on. A database holds the ledgers of several merchants:
//! every number of an order, a payment, a refund or a notification counts within one of them. Ids of
//! rows and tokens count in the whole database, and are only ever found by way of a merchant.

use std::fmt;

use ledger_database::{
    Column, EachRow, Error, Executor, IntoValue, Kind, Query, ReadError, Value, ValueRef,
};

use super::LedgerError;

/// The number of a merchant in this database: the row of its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MerchantNo(pub(super) i64);

impl MerchantNo {
    /// The first owner: the only one in a database from before there were several.
    pub(super) const FIRST: Self = Self(1);
}

/// A transaction that changes rows of one merchant.
#[derive(Debug)]
pub(super) struct Write {
    inner: ledger_database::Write,
    merchant: MerchantNo,
}

impl Write {
    pub(super) const fn of(merchant: MerchantNo, inner: ledger_database::Write) -> Self {
        Self { inner, merchant }
    }

    /// Whose rows it changes.
    pub(super) const fn merchant(&self) -> MerchantNo {
        self.merchant
    }

    /// Waits for the lock of this name, and holds it until the transaction ends.
    pub(super) async fn lock(&mut self, name: &str) -> Result<(), LedgerError> {
        Ok(self.inner.lock(name).await?)
    }

    /// Ends the transaction, and waits until its change is durable.
    pub(super) async fn commit(self) -> Result<(), LedgerError> {
        Ok(self.inner.commit().await?)
    }
}

impl Executor for &mut Write {
    async fn run(self, query: Query<'_>, each: &mut EachRow<'_>) -> Result<u64, Error> {
        (&mut self.inner).run(query, each).await
    }
}

impl fmt::Display for MerchantNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'q> IntoValue<'q> for MerchantNo {
    const KIND: Kind = Kind::Integer;

    fn into_value(self) -> Value<'q> {
        self.0.into_value()
    }
}

impl Column for MerchantNo {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        i64::read(value).map(Self)
    }
}
