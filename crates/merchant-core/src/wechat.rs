//! The client for WeChat Pay. The operations are in `orders`, `refunds` and `openid`. How a call is
//! sent and verified (tries, hosts, timeouts, trusted keys) is in the other files here. An answer
//! is used only after it was verified. Nothing here decides what a refusal means for an order.

mod bill_file;
mod call_budget;
mod call_error;
mod certificates;
mod client;
mod counts;
mod exchange;
mod experience;
mod known_keys;
mod openid;
mod orders;
mod policy;
mod refunds;
mod trust;

pub(crate) use bill_file::BillFile;
pub use call_budget::CallSource;
pub(crate) use call_error::{CallError, read_noting};
pub use certificates::{RefreshError, Refreshed};
pub(crate) use client::WechatClient;
pub use known_keys::{KnownKey, known_keys};
pub(crate) use openid::{Application, NoOpenId};
pub(crate) use orders::{Closing, OrderReport, Placed, TradeStatus};
pub(crate) use refunds::{ApplyError, RefundReport, RefundStatus};
