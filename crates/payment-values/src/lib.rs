//! The numbers, names and amounts of a WeChat payment as types. A value is checked once, where it
//! enters the program, and is valid from then on. Two numbers of different kinds cannot be mixed
//! up.
//!
//! What this crate never does: I/O, or a decision about a payment.
//!
//! ```
//! use payment_values::{Fen, OutTradeNo};
//!
//! let price = Fen::from_yuan_text("69.1").expect("an amount in yuan");
//! assert_eq!(price.count(), 6_910);
//!
//! // A number that WeChat would refuse is refused here, with its field and its rule.
//! let refused = OutTradeNo::parse("tea 0001").expect_err("it has a blank");
//! assert_eq!(refused.field, "out_trade_no");
//! ```
//!
//! One feature, off by default: `serde` reads and writes each value as the bare text or number that it
//! is on the wire.

mod amount;
mod field;
mod number;

pub use amount::{Fen, YuanTextError, read_decimal};
pub use field::{InvalidField, Rule, check_text, check_word};
pub use number::{
    OpenId, OrderNo, OutOrderNo, OutRefundNo, OutReturnNo, OutTradeNo, RefundId, TransactionId,
};
