//! Static product codes (Native mode 1, 模式一): a printed code names goods and no order. When a buyer
//! scans it, WeChat calls this server back. The server makes an order by the code's rule, a fixed price
//! or the answer of the merchant's backend, orders by version 2, and answers with the `prepay_id`.
//!
//! A buyer pays at WeChat and never here. The callback is believed only with a valid signature. It is
//! signed with MD5 and has no time, so anyone who saw one can repeat it; a repeated one is the same scan
//! and has the same order.

mod confirmation;
mod link;
mod scan;

pub use link::{CodeError, add, links, list, remove};
pub use scan::{ScanAnswer, answer_scan};
pub use wechat_pay::v2::NativeLink;

pub use crate::ledger::ProductCode;
