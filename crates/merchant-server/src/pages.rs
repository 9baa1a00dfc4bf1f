//! What this server shows to buyers: the hosted checkout page, the receipt page of partner mode, and the
//! return from the redirect for the openid. No page decides anything about a payment.

pub(crate) mod hosted_page;
pub(crate) mod oauth_callback;
pub(crate) mod receipt_page;

pub(crate) use receipt_page::ReceiptQuestions;
