//! Static product codes, their scans, and the order of each scan.

use const_format::formatcp;
use ledger_database::{Executor, query, query_as, query_scalar, row};
use payment_values::Fen;

use super::{Ledger, LedgerError, MerchantNo};

const COLUMNS: &str = "product_id, name, price_fen, created_ms, nonce";

/// A static product code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductCode {
    /// The merchant's number of the goods.
    pub product_id: String,
    /// The description of an order.
    pub name: String,
    /// The price; `None`: the merchant's backend confirms each scan.
    pub price_fen: Option<Fen>,
    /// When the code was added. The printed link names this time.
    pub(crate) created_ms: i64,
    /// The nonce of the printed link.
    pub(crate) nonce: String,
}

row! {
    ProductCode {
        product_id,
        name,
        price_fen,
        created_ms,
        nonce,
    }
}

/// A scan of a code by a buyer.
#[derive(Clone, Debug)]
pub(crate) struct ProductScan<'a> {
    /// The same for a repeated callback.
    pub(crate) id: &'a str,
    pub(crate) product_id: &'a str,
    /// A hash of the openid.
    pub(crate) buyer: &'a str,
    pub(crate) scanned_ms: i64,
}

impl Ledger {
    /// Adds a code; returns whether the number was free.
    pub(crate) async fn add_product_code(&self, code: &ProductCode) -> Result<bool, LedgerError> {
        let statement = query(formatcp!(
            "INSERT INTO product_codes (merchant, {COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (merchant, product_id) DO NOTHING"
        ))
        .bind(self.merchant)
        .bind(&code.product_id)
        .bind(&code.name)
        .bind(code.price_fen)
        .bind(code.created_ms)
        .bind(&code.nonce);
        Ok(self.execute(statement).await? > 0)
    }

    /// Removes a code; returns whether it was there. Its scans and orders stay.
    pub(crate) async fn remove_product_code(&self, product_id: &str) -> Result<bool, LedgerError> {
        let statement = query("DELETE FROM product_codes WHERE merchant = ? AND product_id = ?")
            .bind(self.merchant)
            .bind(product_id);
        Ok(self.execute(statement).await? > 0)
    }

    /// All codes, by their numbers.
    pub(crate) async fn product_codes(&self) -> Result<Vec<ProductCode>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {COLUMNS} FROM product_codes WHERE merchant = ? ORDER BY product_id"
        ))
        .bind(self.merchant)
        .fetch_all(&self.readers)
        .await?;
        Ok(found)
    }

    /// The code of these goods.
    pub(crate) async fn product_code(
        &self,
        product_id: &str,
    ) -> Result<Option<ProductCode>, LedgerError> {
        let found = query_as(formatcp!(
            "SELECT {COLUMNS} FROM product_codes WHERE merchant = ? AND product_id = ?"
        ))
        .bind(self.merchant)
        .bind(product_id)
        .fetch_optional(&self.readers)
        .await?;
        Ok(found)
    }

    /// The order of a scan that is recorded.
    pub(crate) async fn order_of_scan(&self, id: &str) -> Result<Option<i64>, LedgerError> {
        order_of_scan(&self.readers, self.merchant, id).await
    }

    /// The buyer's newest order of these goods at this price that can be paid for a while longer. A
    /// buyer who scans twice before paying gets one order.
    pub(crate) async fn open_order_of_buyer(
        &self,
        scan: &ProductScan<'_>,
        price_fen: Fen,
        payable_at_ms: i64,
    ) -> Result<Option<i64>, LedgerError> {
        let found = query_scalar(
            "SELECT orders.id FROM product_scans JOIN orders ON orders.id = product_scans.order_id
             WHERE product_scans.merchant = ? AND product_scans.buyer = ?
               AND product_scans.product_id = ?
               AND orders.state = 'open' AND orders.is_closing = 0
               AND orders.total_fen = ? AND orders.expires_ms > ?
             ORDER BY orders.id DESC LIMIT 1",
        )
        .bind(self.merchant)
        .bind(scan.buyer)
        .bind(scan.product_id)
        .bind(price_fen)
        .bind(payable_at_ms)
        .fetch_optional(&self.readers)
        .await?;
        Ok(found)
    }

    /// Records the order of a scan; returns the order that counts. If the same callback was answered
    /// at the same time, the first order counts.
    pub(crate) async fn record_scan(
        &self,
        scan: &ProductScan<'_>,
        order_id: i64,
    ) -> Result<i64, LedgerError> {
        self.whole(|| async {
            let mut write = self.write().await?;
            query(
                "INSERT INTO product_scans (merchant, id, product_id, buyer, order_id, scanned_ms)
                 VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (merchant, id) DO NOTHING",
            )
            .bind(self.merchant)
            .bind(scan.id)
            .bind(scan.product_id)
            .bind(scan.buyer)
            .bind(order_id)
            .bind(scan.scanned_ms)
            .execute(&mut write)
            .await?;
            let counts = order_of_scan(&mut write, self.merchant, scan.id).await?;
            write.commit().await?;
            Ok(counts.unwrap_or(order_id))
        })
        .await
    }
}

async fn order_of_scan(
    on: impl Executor,
    merchant: MerchantNo,
    id: &str,
) -> Result<Option<i64>, LedgerError> {
    let found = query_scalar("SELECT order_id FROM product_scans WHERE merchant = ? AND id = ?")
        .bind(merchant)
        .bind(id)
        .fetch_optional(on)
        .await?;
    Ok(found)
}
