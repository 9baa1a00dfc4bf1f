//! The numbers, names and amounts of a WeChat payment as types. A value is checked once, where it
//! enters the program, and is valid from then on. Two numbers of different kinds cannot be mixed
//! up.
//!
//! What this crate never does: I/O, or a decision about a payment.
//!
//! Features, none on by default:
//! - `serde`: reading and writing each value as the bare text or number that it is on the wire;
//! - `database`: the same for a column of a database.

mod amount;
#[cfg(feature = "database")]
mod column;
mod field;
mod number;

pub use amount::{Fen, YuanTextError, read_decimal};
pub use field::{InvalidField, Rule, check_text, check_word};
pub use number::{OpenId, OrderNo, OutRefundNo, OutTradeNo, RefundId, TransactionId};
