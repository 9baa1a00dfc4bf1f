//! Payment links and their uses. A use of a link is an order of it that is not closed: an open order holds
//! the use, a paid one keeps it, and a closed one has given it back. Uses are counted and never stored, so
//! there is no number that could differ from the orders.
//!
//! Two transactions that both depend on the number of uses lock the link's row first. A transaction that
//! also locks an order locks the order before the link.

use const_format::formatcp;
use ledger_database::{Column, Executor, ReadError, ValueRef, query, query_as, row};
use merchant_api::CreateLink;

use super::{Ledger, LedgerError, Write, signed};

/// The columns of [`PaymentLink`].
const COLUMNS: &str = "no, id, request, uses_max, created_ms, expires_ms, disabled_ms";

/// The columns of [`UsedLink`].
const USED_COLUMNS: &str = formatcp!(
    "{COLUMNS},
     (SELECT COUNT(*) FROM orders
      WHERE orders.link_id = payment_links.id AND orders.state = 'open') AS uses_open,
     (SELECT COUNT(*) FROM orders
      WHERE orders.link_id = payment_links.id AND orders.state = 'paid') AS uses_paid"
);

/// A payment link in the ledger.
#[derive(Clone, Debug)]
pub(crate) struct PaymentLink {
    /// Its place among all links: later ones have higher numbers.
    pub(crate) no: i64,
    pub(crate) id: String,
    /// As the backend gave it.
    pub(crate) request: CreateLink,
    pub(crate) uses_max: Option<u64>,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: Option<i64>,
    pub(crate) disabled_ms: Option<i64>,
}

row! {
    PaymentLink {
        no,
        id,
        request as Given,
        uses_max,
        created_ms,
        expires_ms,
        disabled_ms,
    }
}

/// The call, as it is stored.
struct Given(CreateLink);

impl Column for Given {
    fn read(value: ValueRef<'_>) -> Result<Self, ReadError> {
        let text = String::read(value)?;
        serde_json::from_str(&text)
            .map(Self)
            .map_err(ReadError::new)
    }
}

impl From<Given> for CreateLink {
    fn from(given: Given) -> Self {
        given.0
    }
}

/// The orders of a link that are not closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LinkUses {
    /// Those that are not paid yet.
    pub(crate) open: u64,
    pub(crate) paid: u64,
}

row! {
    LinkUses { open = "uses_open", paid = "uses_paid" }
}

/// A link with its uses.
#[derive(Clone, Debug)]
pub(crate) struct UsedLink {
    pub(crate) link: PaymentLink,
    pub(crate) uses: LinkUses,
}

row! {
    UsedLink { ; .. link, uses }
}

/// A new link.
#[derive(Clone, Debug)]
pub(crate) struct NewLink {
    pub(crate) id: String,
    pub(crate) given: CreateLink,
    /// The same as text.
    pub(crate) request: String,
    pub(crate) created_ms: i64,
    pub(crate) expires_ms: Option<i64>,
}

/// The result of creating a link.
#[derive(Clone, Debug)]
pub(crate) enum LinkCreated {
    /// It was created.
    New(UsedLink),
    /// The same link existed already.
    Same(UsedLink),
    /// Its number is in use with other values.
    NumberUsed,
}

/// What an order takes from the link that it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct LinkUse {
    pub(crate) link_id: String,
    /// The buyer's note.
    pub(crate) note: Option<String>,
}

/// Why a link makes no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkOver {
    /// There is no such link.
    Unknown,
    /// The merchant disabled it.
    Disabled,
    /// Its time is over.
    Expired,
    /// Each use was paid.
    UsedUp,
    /// Open orders hold the uses that are left.
    InUse,
}

impl PaymentLink {
    /// Why the link makes no order at this time, whatever its uses.
    pub(crate) fn over_at(&self, now_ms: i64) -> Option<LinkOver> {
        if self.disabled_ms.is_some() {
            Some(LinkOver::Disabled)
        } else if self.expires_ms.is_some_and(|end_ms| end_ms <= now_ms) {
            Some(LinkOver::Expired)
        } else {
            None
        }
    }
}

impl LinkUses {
    /// Why there is no use left of so many.
    pub(crate) fn over(self, uses_max: Option<u64>) -> Option<LinkOver> {
        let uses_max = uses_max?;
        if self.paid >= uses_max {
            Some(LinkOver::UsedUp)
        } else if self.paid + self.open >= uses_max {
            Some(LinkOver::InUse)
        } else {
            None
        }
    }
}

impl Ledger {
    /// Creates a link, or finds the same one by the merchant's number.
    pub(crate) async fn create_link(&self, new: &NewLink) -> Result<LinkCreated, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            if let Some(known) = self.link_of_number(&mut write, new).await? {
                // It may be part of a commit that is not done yet: no caller acts on it before.
                write.commit().await?;
                return Ok(if known.link.request == new.given {
                    LinkCreated::Same(known)
                } else {
                    LinkCreated::NumberUsed
                });
            }
            query(
                "INSERT INTO payment_links (merchant, id, link_no, request, uses_max, created_ms,
                                            expires_ms)
                 VALUES (?, ?, ?, ?, ?, ?, ?)",
            )
            .bind(self.merchant)
            .bind(&new.id)
            .bind(&new.given.link_no)
            .bind(&new.request)
            .bind(new.given.uses_max.map(signed))
            .bind(new.created_ms)
            .bind(new.expires_ms)
            .execute(&mut write)
            .await?;
            let link = query_as(formatcp!(
                "SELECT {USED_COLUMNS} FROM payment_links WHERE id = ?"
            ))
            .bind(&new.id)
            .fetch_one(&mut write)
            .await?;
            write.commit().await?;
            Ok(LinkCreated::New(link))
        })
        .await
    }

    async fn link_of_number(
        &self,
        on: impl Executor,
        new: &NewLink,
    ) -> Result<Option<UsedLink>, LedgerError> {
        let Some(link_no) = &new.given.link_no else {
            return Ok(None);
        };
        let found = query_as(formatcp!(
            "SELECT {USED_COLUMNS} FROM payment_links WHERE merchant = ? AND link_no = ?"
        ))
        .bind(self.merchant)
        .bind(link_no)
        .fetch_optional(on)
        .await?;
        Ok(found)
    }

    /// A link without its uses. Any text may be given; most texts are no link's id.
    pub(crate) async fn link(&self, id: &str) -> Result<Option<PaymentLink>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {COLUMNS} FROM payment_links WHERE merchant = ? AND id = ?"
        ))
        .bind(self.merchant)
        .bind(id)
        .fetch_optional(&self.readers)
        .await?;
        Ok(found)
    }

    /// The uses of a link.
    pub(crate) async fn link_uses(&self, id: &str) -> Result<LinkUses, LedgerError> {
        uses(&self.readers, id).await
    }

    /// A link with its uses.
    pub(crate) async fn used_link(&self, id: &str) -> Result<Option<UsedLink>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {USED_COLUMNS} FROM payment_links WHERE merchant = ? AND id = ?"
        ))
        .bind(self.merchant)
        .bind(id)
        .fetch_optional(self.readers.scan())
        .await?;
        Ok(found)
    }

    /// Links with their uses, newest first, from before the one at `before_no` on.
    pub(crate) async fn used_links(
        &self,
        link_no: Option<&str>,
        before_no: Option<i64>,
        limit: u32,
    ) -> Result<Vec<UsedLink>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {USED_COLUMNS} FROM payment_links
             WHERE merchant = ?1 AND (?2 IS NULL OR link_no = ?2) AND (?3 IS NULL OR no < ?3)
             ORDER BY no DESC LIMIT ?4"
        ))
        .bind(self.merchant)
        .bind(link_no)
        .bind(before_no)
        .bind(limit)
        .fetch_all(self.readers.scan())
        .await?;
        Ok(found)
    }

    /// Disables a link. One that is disabled already keeps the time of the first call.
    pub(crate) async fn disable_link(&self, id: &str, now_ms: i64) -> Result<(), LedgerError> {
        let statement = query(
            "UPDATE payment_links SET disabled_ms = ?
             WHERE merchant = ? AND id = ? AND disabled_ms IS NULL",
        )
        .bind(now_ms)
        .bind(self.merchant)
        .bind(id);
        self.execute(statement).await?;
        Ok(())
    }
}

/// Whether the link makes one more order now. Until this transaction ends, no other one of the link counts
/// its uses.
pub(super) async fn take_use(
    write: &mut Write,
    taken: &LinkUse,
    now_ms: i64,
) -> Result<Option<LinkOver>, LedgerError> {
    let link: Option<PaymentLink> = query_as(formatcp!(
        "SELECT {COLUMNS} FROM payment_links WHERE merchant = ? AND id = ?"
    ))
    .bind(write.merchant())
    .bind(&taken.link_id)
    .for_update()
    .fetch_optional(&mut *write)
    .await?;
    let Some(link) = link else {
        return Ok(Some(LinkOver::Unknown));
    };
    if let Some(over) = link.over_at(now_ms) {
        return Ok(Some(over));
    }
    if link.uses_max.is_none() {
        return Ok(None);
    }
    let uses = uses(&mut *write, &link.id).await?;
    Ok(uses.over(link.uses_max))
}

/// Whether the order was closed, and its link still has a use for it. The caller has locked the order.
pub(super) async fn has_use_again(write: &mut Write, order_id: i64) -> Result<bool, LedgerError> {
    let link: Option<PaymentLink> = query_as(formatcp!(
        "SELECT {COLUMNS} FROM payment_links
         WHERE id = (SELECT orders.link_id FROM orders
                     WHERE orders.id = ? AND orders.state = 'closed')"
    ))
    .bind(order_id)
    .for_update()
    .fetch_optional(&mut *write)
    .await?;
    let Some(link) = link else {
        return Ok(false);
    };
    let uses = uses(&mut *write, &link.id).await?;
    Ok(uses.over(link.uses_max).is_none())
}

async fn uses(on: impl Executor, link_id: &str) -> Result<LinkUses, LedgerError> {
    let counts: Vec<(String, i64)> = query_as(
        "SELECT state, COUNT(*) AS uses FROM orders
         WHERE link_id = ? AND state <> 'closed' GROUP BY state",
    )
    .bind(link_id)
    .fetch_all(on)
    .await?;
    let of = |word: &str| {
        let found = counts.iter().find(|(state, _)| state == word);
        found.map_or(0, |(_, count)| u64::try_from(*count).unwrap_or(0))
    };
    Ok(LinkUses {
        open: of("open"),
        paid: of("paid"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_used_up_by_payments_and_in_use_by_open_orders() {
        let cases = [
            (None, 900, 100, None),
            (Some(1), 0, 0, None),
            (Some(1), 1, 0, Some(LinkOver::InUse)),
            (Some(1), 0, 1, Some(LinkOver::UsedUp)),
            (Some(1), 1, 1, Some(LinkOver::UsedUp)),
            (Some(3), 1, 1, None),
            (Some(3), 1, 2, Some(LinkOver::InUse)),
        ];
        for (uses_max, open, paid, expected) in cases {
            let uses = LinkUses { open, paid };
            assert_eq!(uses.over(uses_max), expected, "{uses:?} of {uses_max:?}");
        }
    }
}
