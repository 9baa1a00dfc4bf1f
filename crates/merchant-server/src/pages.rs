//! What this server shows to people: the hosted checkout page, the pages of payment links, the receipt page
//! of partner mode, the return from the redirect for the openid, the till, and the merchant's desk. No page decides anything about a payment.

mod cookies;
pub(crate) mod desk;
pub(crate) mod hosted_page;
pub(crate) mod oauth_callback;
pub(crate) mod payment_link;
pub(crate) mod receipt_page;
pub(crate) mod till;

pub(crate) use desk::SignIns;
pub(crate) use payment_link::LinkOrders;
pub(crate) use receipt_page::ReceiptQuestions;
