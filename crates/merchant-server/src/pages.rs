//! The pages that this server shows to buyers: the hosted checkout page, and the receipt page of partner
//! mode.

pub(crate) mod hosted_page;
pub(crate) mod receipt_page;
