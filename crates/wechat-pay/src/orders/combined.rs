//! Combined orders (合单支付): the buyer pays once, and several sub-orders are paid, each with a merchant,
//! an amount and a number of its own. WeChat pays all of them or none.
//!
//! The money of a sub-order is that of an ordinary order: it is refunded, shared and listed in bills by the
//! sub-order's own numbers. Only ordering, querying and closing have routes of their own; WeChat's routes
//! for ordinary orders do not know a combined order.
//!
//! Sources: WeChat's pages on 合单下单 (JSAPI, H5, Native, APP), 查询合单订单, 关闭合单订单, 合单订单支付成功回调通知
//! and its 常见问题, for merchants and for service providers (2025.01.14, 2025.01.16 and 2025.08.06), and the
//! older pages chapter5_1_2 to chapter5_1_13 of APIv3.

pub(crate) mod closing;
pub(crate) mod order;
mod path;
pub(crate) mod sub_order;
pub(crate) mod transaction;
