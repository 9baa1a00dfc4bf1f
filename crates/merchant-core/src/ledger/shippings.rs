//! Shippings: what was sent to the buyer of an order, recorded before WeChat gets it.

use const_format::formatcp;
use ledger_database::{Column, ReadError, ValueRef, query, query_as, query_scalar, row};
use merchant_api::{CreateShipping, ShippingState};

use super::column::{UnknownWord, Word, stored};
use super::{Ledger, LedgerError, Wait, Work, Write, orders, schedule, signed};

/// Due work takes over a recorded shipping after this time, in case its process has ended.
const TAKEN_UP_MS: i64 = 5_000;

/// The columns of [`Shipping`].
const COLUMNS: &str = "order_id, number, request, body, state, created_ms, state_ms, upload_ms,
    errcode, errmsg";

/// A shipping in the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Shipping {
    pub(crate) order_id: i64,
    pub(crate) number: u64,
    /// As given, with masked telephone numbers.
    pub(crate) request: CreateShipping,
    /// The exact bytes that WeChat gets, each time.
    pub(crate) body: Vec<u8>,
    pub(crate) state: ShippingState,
    pub(crate) created_ms: i64,
    pub(crate) state_ms: i64,
    /// The time that WeChat is told: later than that of any earlier shipping of the order.
    pub(crate) upload_ms: i64,
    /// WeChat's code at the last try, if it did not take the shipping.
    pub(crate) errcode: Option<i64>,
    /// WeChat's message, or why there is none.
    pub(crate) errmsg: Option<String>,
}

stored! {
    ShippingState: |word| Self::from_word(word).ok_or(UnknownWord("shipping state")),
}

row! {
    Shipping {
        order_id,
        number,
        request as Given,
        body,
        state as Word<ShippingState>,
        created_ms,
        state_ms,
        upload_ms,
        errcode,
        errmsg,
    }
}

/// The call, as it is stored.
struct Given(CreateShipping);

impl Column for Given {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        let text = String::read(value)?;
        serde_json::from_str(&text)
            .map(Self)
            .map_err(ReadError::new)
    }
}

impl From<Given> for CreateShipping {
    fn from(given: Given) -> Self {
        given.0
    }
}

/// A new shipping.
#[derive(Clone, Debug)]
pub(crate) struct NewShipping {
    pub(crate) order_id: i64,
    /// The call in one canonical form, to compare a repeated one.
    pub(crate) request: String,
    pub(crate) created_ms: i64,
}

/// The result of recording a shipping.
#[derive(Clone, Debug)]
pub(crate) enum ShippingBegun {
    /// It was recorded, and is to be sent.
    New(Shipping),
    /// The same shipping existed already. One that WeChat refused is to be sent again.
    Same(Shipping),
}

impl Shipping {
    /// The subject of its due work.
    fn subject(order_id: i64, number: u64) -> String {
        format!("{order_id}:{number}")
    }

    /// Order and number of a subject.
    pub(crate) fn read_subject(subject: &str) -> Option<(i64, u64)> {
        let (order_id, number) = subject.split_once(':')?;
        Some((order_id.parse().ok()?, number.parse().ok()?))
    }
}

impl Ledger {
    /// Records a shipping, or finds the same one of the order. `body` makes the bytes for the time that
    /// WeChat is told.
    pub(crate) async fn begin_shipping(
        &self,
        new: &NewShipping,
        body: &(dyn Fn(i64) -> Vec<u8> + Sync),
    ) -> Result<ShippingBegun, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            orders::lock(&mut write, new.order_id).await?;
            let known: Option<Shipping> = query_as(formatcp!(
                "SELECT {COLUMNS} FROM shippings WHERE order_id = ? AND request = ?"
            ))
            .bind(new.order_id)
            .bind(&new.request)
            .fetch_optional(&mut write)
            .await?;
            if let Some(mut known) = known {
                if known.state == ShippingState::Refused {
                    query(
                        "UPDATE shippings SET state = 'requested', created_ms = ?, state_ms = ?
                         WHERE order_id = ? AND number = ?",
                    )
                    .bind(new.created_ms)
                    .bind(new.created_ms)
                    .bind(known.order_id)
                    .bind(signed(known.number))
                    .execute(&mut write)
                    .await?;
                    known.state = ShippingState::Requested;
                    known.created_ms = new.created_ms;
                    take_up(&mut write, &known, new.created_ms).await?;
                }
                // It may be part of a commit that is not done yet: no caller acts on it before.
                write.commit().await?;
                return Ok(ShippingBegun::Same(known));
            }
            let last: Option<i64> = query_scalar(
                "SELECT MAX(number) AS number FROM shippings WHERE order_id = ?",
            )
            .bind(new.order_id)
            .fetch_one(&mut write)
            .await?;
            let last_ms: Option<i64> = query_scalar(
                "SELECT MAX(upload_ms) AS upload_ms FROM shippings WHERE order_id = ?",
            )
            .bind(new.order_id)
            .fetch_one(&mut write)
            .await?;
            let upload_ms = new.created_ms.max(last_ms.map_or(i64::MIN, |last_ms| last_ms + 1));
            let shipping: Shipping = query_as(formatcp!(
                "INSERT INTO shippings (merchant, order_id, number, request, body, state, created_ms,
                                        state_ms, upload_ms)
                 VALUES (?, ?, ?, ?, ?, 'requested', ?, ?, ?) RETURNING {COLUMNS}"
            ))
            .bind(self.merchant)
            .bind(new.order_id)
            .bind(last.unwrap_or(0) + 1)
            .bind(&new.request)
            .bind(body(upload_ms))
            .bind(new.created_ms)
            .bind(new.created_ms)
            .bind(upload_ms)
            .fetch_one(&mut write)
            .await?;
            take_up(&mut write, &shipping, new.created_ms).await?;
            write.commit().await?;
            Ok(ShippingBegun::New(shipping))
        })
        .await
    }

    /// Records the final result of a shipping.
    pub(crate) async fn end_shipping(
        &self,
        shipping: &Shipping,
        state: ShippingState,
        errcode: Option<i64>,
        errmsg: Option<&str>,
        now_ms: i64,
    ) -> Result<(), LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            query(
                "UPDATE shippings SET state = ?, state_ms = ?, errcode = ?, errmsg = ?
                 WHERE order_id = ? AND number = ?",
            )
            .bind(state.as_str())
            .bind(now_ms)
            .bind(errcode)
            .bind(errmsg)
            .bind(shipping.order_id)
            .bind(signed(shipping.number))
            .execute(&mut write)
            .await?;
            let subject = Shipping::subject(shipping.order_id, shipping.number);
            schedule::forget(&mut write, Work::UploadShipping, &subject).await?;
            write.commit().await?;
            Ok(())
        })
        .await
    }

    /// Records why WeChat has not taken a shipping yet.
    pub(crate) async fn note_shipping(
        &self,
        shipping: &Shipping,
        errcode: Option<i64>,
        errmsg: &str,
    ) -> Result<(), LedgerError> {
        let statement =
            query("UPDATE shippings SET errcode = ?, errmsg = ? WHERE order_id = ? AND number = ?")
                .bind(errcode)
                .bind(errmsg)
                .bind(shipping.order_id)
                .bind(signed(shipping.number));
        self.execute(statement).await?;
        Ok(())
    }

    /// A shipping by its order and number.
    pub(crate) async fn shipping(
        &self,
        order_id: i64,
        number: u64,
    ) -> Result<Option<Shipping>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {COLUMNS} FROM shippings WHERE order_id = ? AND number = ?"
        ))
        .bind(order_id)
        .bind(signed(number))
        .fetch_optional(&self.readers)
        .await?;
        Ok(found)
    }

    /// All shippings of an order, oldest first.
    pub(crate) async fn shippings(&self, order_id: i64) -> Result<Vec<Shipping>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {COLUMNS} FROM shippings WHERE order_id = ? ORDER BY number"
        ))
        .bind(order_id)
        .fetch_all(&self.readers)
        .await?;
        Ok(found)
    }
}

async fn take_up(write: &mut Write, shipping: &Shipping, now_ms: i64) -> Result<(), LedgerError> {
    let subject = Shipping::subject(shipping.order_id, shipping.number);
    let wait = Wait {
        from_ms: now_ms,
        to_ms: now_ms + TAKEN_UP_MS,
    };
    schedule::schedule(write, Work::UploadShipping, &subject, wait).await
}
