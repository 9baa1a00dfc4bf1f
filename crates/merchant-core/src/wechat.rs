//! The client for WeChat Pay. What WeChat can be asked is in `questions`, with an implementation for
//! each version of its API (`v3`, `v2`); `orders` and `refunds` choose the version, and `bodies`
//! builds what is recorded. How a call is sent and verified (tries, hosts, timeouts, trusted keys)
//! is in the other files here. An answer is used only after it was verified. Nothing here decides
//! what a refusal means for an order.

mod access_tokens;
mod accounts;
mod bill_file;
mod bill_v2;
mod bodies;
mod call_budget;
mod call_error;
mod certificates;
mod client;
mod combined;
mod counts;
mod exchange;
mod experience;
mod known_keys;
mod message;
mod mini_program;
mod openid;
mod orders;
mod policy;
mod questions;
mod refunds;
mod reports;
mod sharing;
mod trial_orders;
mod trust;
mod v2;
mod v3;
mod version;

pub(crate) use bill_file::BillFile;
pub(crate) use bodies::{code_pay_body, order_body, refund_body};
pub use call_budget::CallSource;
pub(crate) use call_error::{CallError, Reason};
pub use certificates::{RefreshError, Refreshed};
pub(crate) use client::WechatClient;
pub(crate) use combined::combined_order_body;
pub use known_keys::{KnownKey, known_keys};
pub(crate) use openid::{Application, NoOpenId};
pub(crate) use refunds::ApplyError;
pub(crate) use reports::{
    Closing, OrderReport, Placed, RefundReport, RefundStatus, Reported, TradeStatus,
};
pub(crate) use sharing::{ReceiverError, ShareReport, ShareStatus};
pub(crate) use v2::json as v2_json;
