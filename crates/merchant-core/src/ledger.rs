//! The ledger: orders, attempts, payments, refunds and scheduled work, in SQLite or PostgreSQL. This is
//! the only place with SQL, and the only place that decides which state may follow which.
//!
//! Every change of an order increments its `version` in the same transaction. Long polls of that
//! order are woken once the transaction is durable. Nothing here talks to WeChat.

mod attempts;
mod backup;
mod business;
mod buyer_figures;
mod census;
mod changes;
mod charges;
mod checkouts;
mod column;
mod desk_actions;
mod desk_figures;
mod desk_sessions;
mod desk_story;
mod due_work;
mod error;
mod exports;
mod handle;
mod instances;
mod kept_notifications;
mod migrations;
mod mismatches;
mod money_left;
mod notifications;
mod orders;
mod outbox;
mod owner;
mod page;
mod payers;
mod payment_links;
mod payments;
mod probe;
mod product_codes;
mod refund_mismatches;
mod refund_progress;
mod refund_state;
mod refund_update;
mod refund_updates;
mod refunds;
mod schedule;
mod scope;
mod share_progress;
mod share_state;
mod shares;
mod shippings;
mod spending;
mod sub_orders;
mod timestamp;
mod transfer;
mod whole;
mod work;

use std::path::Path;

pub(crate) use attempts::{Attempt, AttemptState, Begun, Link, NewAttempt, PaidBy, Parties};
pub(crate) use business::{PaymentHere, PaymentRow, RefundHere, RefundRow, Span};
pub(crate) use buyer_figures::MoreProblems;
pub use census::Census;
pub(crate) use changes::Waiter;
pub(crate) use charges::Charge;
pub use checkouts::{Checkout, OrderFilter};
pub(crate) use checkouts::{Created, NewOrder, state_word};
pub use column::UnknownWord;
use column::signed;
pub(crate) use desk_actions::{DeskAction, NewDeskAction};
pub(crate) use desk_figures::{CountedOrders, TakingRow, Total};
pub(crate) use desk_sessions::DeskSession;
pub(crate) use desk_story::NotificationRow;
pub(crate) use due_work::{DueWork, Ended, LeaseRequest};
pub use error::LedgerError;
pub(crate) use exports::{ExportedPayment, ExportedRefund};
pub(crate) use handle::Ledger;
pub(crate) use kept_notifications::NotificationToKeep;
pub(crate) use mismatches::{KeptMismatch, MismatchFilter};
pub(crate) use money_left::MoneyLeft;
pub(crate) use notifications::{Evidence, NotifiedEvent};
pub use orders::Order;
pub(crate) use orders::QUERY_INTERVAL_MS;
pub use outbox::{Delivery, NOTICE_TYPE};
pub(crate) use outbox::{OrderNotice, Webhook, WebhookFilter};
pub(crate) use page::cut;
pub(crate) use payers::StateFound;
pub(crate) use payment_links::{LinkCreated, LinkOver, LinkUse, NewLink, PaymentLink, UsedLink};
pub(crate) use payments::{Mismatch, Payment, Recorded};
pub use product_codes::ProductCode;
pub(crate) use product_codes::ProductScan;
pub(crate) use refund_mismatches::learn_numbers;
pub(crate) use refund_progress::Refusal;
pub(crate) use refund_state::refund_state_of;
pub(crate) use refund_update::{RefundRecorded, RefundUpdate};
pub(crate) use refunds::{NewRefund, REFUNDS_MAX, Refund, RefundBegun, Sending};
use schedule::Wait;
use scope::{MerchantNo, Write};
pub(crate) use share_progress::{ShareRefusal, ShareUpdate};
pub(crate) use shares::{NewShare, Share, ShareBegun};
pub(crate) use shippings::{NewShipping, Shipping, ShippingBegun};
pub use spending::{Limit, Spending};
pub(crate) use sub_orders::{NewSubOrder, PaidSubOrder, SubOrder};
pub(crate) use timestamp::timestamp;
pub use transfer::{Moved, MovedTable, NotMoved, Sums, move_ledger};
pub(crate) use work::{Lane, Work};

use crate::config::Config;

/// Migrates the database to this version, or creates it; returns the number of its newest
/// migration.
pub async fn migrate(config: &Config) -> Result<i64, LedgerError> {
    Ledger::open(config).await?.version().await
}

/// Copies the database, also while a server runs; returns the number of orders in the checked copy.
/// `to` must not exist.
pub async fn back_up(config: &Config, to: &Path) -> Result<u64, LedgerError> {
    let ledger = Ledger::open_as_it_is(config).await?;
    ledger.back_up(to).await
}
