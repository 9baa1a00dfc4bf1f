//! The addresses of the pages, and the name of the field that ties a form to its session.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub(super) const DESK: &str = "/desk";
pub(super) const STYLE: &str = "/desk/desk.css";
pub(super) const SIGN_IN: &str = "/desk/sign-in";
pub(super) const ORDERS: &str = "/desk/orders";
pub(super) const TASKS: &str = "/desk/tasks";
pub(super) const WEBHOOKS: &str = "/desk/webhooks";
pub(super) const LINKS: &str = "/desk/links";
pub(super) const BILLS: &str = "/desk/bills";
pub(super) const KEYS: &str = "/desk/keys";
pub(super) const CHECKLIST: &str = "/desk/checklist";
pub(super) const JOURNAL: &str = "/desk/journal";

/// The field with the session's token.
pub(super) const TOKEN_FIELD: &str = "form";

/// What stays as it is in a part of a path: the unreserved characters of RFC 3986.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A part of a path, whatever characters it has.
pub(super) fn in_path(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// The page of an order.
pub(super) fn order_path(order_no: &str) -> String {
    format!("{ORDERS}/{}", in_path(order_no))
}

/// The page that refunds an order, or one sub-order of a combined order.
pub(super) fn refund_path(order_no: &str, sub_order_no: Option<&str>) -> String {
    let path = format!("{}/refund", order_path(order_no));
    match sub_order_no {
        Some(number) => format!("{path}?sub_order_no={}", in_path(number)),
        None => path,
    }
}

/// The page that sends an abnormal refund another way.
pub(super) fn settle_path(refund_no: &str) -> String {
    format!("/desk/refunds/{}/settle", in_path(refund_no))
}

/// The page of the desk to which a form leads back, if it is one; no other address.
pub(super) fn way_back(to: &str) -> String {
    let is_of_desk = to
        .strip_prefix(DESK)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let is_plain = to
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_of_desk && is_plain && to.len() <= 2_000 {
        to.to_owned()
    } else {
        DESK.to_owned()
    }
}
