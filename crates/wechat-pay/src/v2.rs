//! Version 2 of WeChat Pay's protocol (XML), as far as merchants of version 3 still receive it: the
//! notification of a refund that was requested without `notify_url` or in the merchant portal.
//!
//! That notification is not signed. It is a hint that something happened to a refund,
//! never a proof: query the refund ([`crate::query_refund`]) before acting.

mod refund_notification;
mod signature;
mod xml;

pub use refund_notification::{
    ApiV2Key, RefundNotification, RefundNotificationDraft, RefundNotificationError, RefundStatus,
    failure_body, is_xml, open_refund_notification, success_body,
};
pub use signature::{SignType, sign, verifies};
pub use xml::{MAX_XML_BYTES, XmlError};
