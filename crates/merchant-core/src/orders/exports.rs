//! Orders, payments and refunds of a span of time as CSV, for accounting. The rows are read page by page
//! and written as they come, so the memory that an export takes does not grow with it. No column names a
//! payer.

use std::io;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;

use crate::bills::csv::{self, Cells, Column};
use crate::config::Config;
use crate::ledger::{
    ExportedPayment, ExportedRefund, Ledger, LedgerError, Order, Span, state_word, timestamp,
};
use crate::payments::Payments;
use crate::refusal::Refusal;

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportKind {
    /// The orders that were created in the span.
    Orders,
    /// The payments of the span, duplicate payments included.
    Payments,
    /// The refunds that were created in the span, of every origin.
    Refunds,
}

impl ExportKind {
    /// The name, in addresses and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Payments => "payments",
            Self::Refunds => "refunds",
        }
    }

    const fn columns(self) -> &'static [Column] {
        match self {
            Self::Orders => ORDERS,
            Self::Payments => PAYMENTS,
            Self::Refunds => REFUNDS,
        }
    }
}

/// The entries of a span of time, of one sub-merchant only if it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportSpan {
    /// At or after this time, in milliseconds since 1970.
    pub from_ms: i64,
    /// Before this time.
    pub to_ms: i64,
    /// Partner mode: the sub-merchant.
    pub sub_mchid: Option<String>,
}

/// Begins an export for the private API. The first rows are read before this returns, so that a database
/// that is away is a refusal and not a broken answer. A failure after that breaks the stream off.
pub async fn export(
    payments: &Payments,
    kind: ExportKind,
    span: ExportSpan,
) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + use<>, Refusal> {
    if span.to_ms <= span.from_ms {
        return Err(Refusal::invalid("to", "must be later than from"));
    }
    let mut export = Export::new(payments.ledger.clone(), kind, span);
    let first = export.next().await?;
    Ok(try_unfold((first, export), |(ready, export)| {
        continued(ready, export)
    }))
}

/// The next piece of a stream, and the state after it. `ready` was read before.
async fn continued(
    ready: Option<String>,
    mut export: Export,
) -> io::Result<Option<(Bytes, (Option<String>, Export))>> {
    let piece = match ready {
        Some(piece) => Some(piece),
        None => export.next().await.map_err(|error| {
            tracing::error!(event = "export.broken", %error, "an export was broken off");
            io::Error::other(error)
        })?,
    };
    Ok(piece.map(|piece| (Bytes::from(piece), (None, export))))
}

/// Writes an export of an existing database, for the command line.
pub async fn write_export(
    config: &Config,
    kind: ExportKind,
    span: ExportSpan,
    out: &mut (dyn io::Write + Send),
) -> Result<(), NotExported> {
    if span.to_ms <= span.from_ms {
        return Err(NotExported::Span);
    }
    let ledger = Ledger::open_as_it_is(config).await?;
    let mut export = Export::new(ledger, kind, span);
    while let Some(piece) = export.next().await? {
        out.write_all(piece.as_bytes())?;
    }
    out.flush()?;
    Ok(())
}

/// Why nothing, or not everything, was exported.
#[derive(Debug, thiserror::Error)]
pub enum NotExported {
    /// The span ends before it begins.
    #[error("--to must be later than --from")]
    Span,
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The output failed.
    #[error("the export cannot be written: {0}")]
    Output(#[from] io::Error),
}

/// An export that is under way.
struct Export {
    ledger: Ledger,
    kind: ExportKind,
    span: ExportSpan,
    /// The last row that was written.
    after: (i64, i64),
    has_begun: bool,
}

impl Export {
    fn new(ledger: Ledger, kind: ExportKind, span: ExportSpan) -> Self {
        Self {
            ledger,
            kind,
            span,
            after: (i64::MIN, i64::MIN),
            has_begun: false,
        }
    }

    /// The next lines; `None`: all were written.
    async fn next(&mut self) -> Result<Option<String>, LedgerError> {
        let mut lines = String::new();
        if !std::mem::replace(&mut self.has_begun, true) {
            lines = csv::heading(self.kind.columns());
        }
        let columns = self.kind.columns();
        let mut write = |cells: &[&str]| lines += &csv::line(columns, cells.iter().copied());
        let span = Span {
            from_ms: self.span.from_ms,
            to_ms: self.span.to_ms,
            sub_mchid: self.span.sub_mchid.as_deref(),
        };
        match self.kind {
            ExportKind::Orders => {
                for order in self.ledger.exported_orders(span, self.after.0).await? {
                    self.after.0 = order.id;
                    write_order(&order, &mut write);
                }
            }
            ExportKind::Payments => {
                for payment in self.ledger.exported_payments(span, self.after).await? {
                    self.after = (payment.order_id, payment.number);
                    write_payment(&payment, &mut write);
                }
            }
            ExportKind::Refunds => {
                for refund in self.ledger.exported_refunds(span, self.after.0).await? {
                    self.after.0 = refund.refund.id;
                    write_refund(&refund, &mut write);
                }
            }
        }
        Ok((!lines.is_empty()).then_some(lines))
    }
}

const ORDERS: &[Column] = &[
    ("order_no", Cells::Number),
    ("state", Cells::Word),
    ("total_fen", Cells::Value),
    ("payer_total_fen", Cells::Value),
    ("refunded_fen", Cells::Value),
    ("description", Cells::Value),
    ("attach", Cells::Value),
    ("sub_mchid", Cells::Number),
    ("created_at", Cells::Word),
    ("expires_at", Cells::Word),
    ("success_time", Cells::Value),
];

fn write_order(order: &Order, write: &mut impl FnMut(&[&str])) {
    let attach = order.creation_request().and_then(|request| request.attach);
    write(&[
        order.order_no.as_str(),
        state_word(order.state),
        &order.total_fen.count().to_string(),
        &fen(order.payer_total_fen),
        &order.refunded_fen.count().to_string(),
        &order.description,
        attach.as_deref().unwrap_or_default(),
        text(order.sub_mchid.as_deref()),
        &timestamp(order.created_ms),
        &timestamp(order.expires_ms),
        text(order.success_time.as_deref()),
    ]);
}

const PAYMENTS: &[Column] = &[
    ("out_trade_no", Cells::Number),
    ("transaction_id", Cells::Number),
    ("order_no", Cells::Number),
    ("state", Cells::Word),
    ("product", Cells::Word),
    ("total_fen", Cells::Value),
    ("payer_total_fen", Cells::Value),
    ("bank_type", Cells::Value),
    ("appid", Cells::Number),
    ("sub_mchid", Cells::Number),
    ("sub_appid", Cells::Number),
    ("success_time", Cells::Value),
    ("sub_order_no", Cells::Number),
];

fn write_payment(payment: &ExportedPayment, write: &mut impl FnMut(&[&str])) {
    let transaction_id = payment.transaction_id.as_ref();
    write(&[
        payment.out_trade_no.as_str(),
        transaction_id.map_or("", |id| id.as_str()),
        payment.order_no.as_str(),
        payment.state.as_str(),
        payment.product.as_str(),
        &payment.total_fen.count().to_string(),
        &fen(payment.payer_total_fen),
        text(payment.bank_type.as_deref()),
        &payment.appid,
        text(payment.sub_mchid.as_deref()),
        text(payment.sub_appid.as_deref()),
        text(payment.success_time.as_deref()),
        text(payment.sub_order_no.as_deref()),
    ]);
}

const REFUNDS: &[Column] = &[
    ("refund_no", Cells::Number),
    ("refund_id", Cells::Number),
    ("order_no", Cells::Number),
    ("out_trade_no", Cells::Number),
    ("origin", Cells::Word),
    ("state", Cells::Word),
    ("amount_fen", Cells::Value),
    ("payer_refund_fen", Cells::Value),
    ("reason", Cells::Value),
    ("wechat_code", Cells::Value),
    ("sub_mchid", Cells::Number),
    ("created_at", Cells::Word),
    ("success_time", Cells::Value),
    ("sub_order_no", Cells::Number),
];

fn write_refund(exported: &ExportedRefund, write: &mut impl FnMut(&[&str])) {
    let refund = &exported.refund;
    write(&[
        refund.out_refund_no.as_str(),
        refund.refund_id.as_ref().map_or("", |id| id.as_str()),
        exported.order_no.as_str(),
        refund.out_trade_no.as_str(),
        refund.origin.as_str(),
        refund.state.as_str(),
        &refund.amount_fen.count().to_string(),
        &fen(refund.payer_refund_fen),
        text(refund.reason.as_deref()),
        text(refund.wechat_code.as_deref()),
        text(exported.sub_mchid.as_deref()),
        &timestamp(refund.created_ms),
        text(refund.success_time.as_deref()),
        text(refund.sub_order_no.as_deref()),
    ]);
}

fn fen(amount: Option<payment_values::Fen>) -> String {
    amount.map_or_else(String::new, |fen| fen.count().to_string())
}

fn text(value: Option<&str>) -> &str {
    value.unwrap_or_default()
}
