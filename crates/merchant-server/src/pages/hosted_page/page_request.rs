//! A request for the page: which order, in which language, by which browser, and with which
//! parameters in the address. Unknown parameters count for nothing.

use buyer_words::Words;
use http::HeaderMap;
use merchant_api::{PAYER_PARAMETER, PAYER_UNAVAILABLE_HANDLE, RETURN_PARAMETER};
use url::form_urlencoded;

use crate::extract::Language;

/// The parameter of our redirect that says that WeChat was queried.
pub(super) const CHECKED_PARAMETER: &str = "checked";
/// The parameter of our redirect that says that the buyer chose the code.
pub(super) const CODE_PARAMETER: &str = "code";
/// The parameter of our redirect that says that another page had started a payment.
pub(super) const SUPERSEDED_PARAMETER: &str = "superseded";

/// A request for the page.
pub(super) struct PageRequest {
    pub(super) token: String,
    /// They describe the browser, and how it loads the page.
    pub(super) headers: HeaderMap,
    pub(super) arrival: Arrival,
    pub(super) language: Language,
}

/// The parameters of the page's address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Arrival {
    /// The buyer has come back from WeChat.
    pub(super) has_returned: bool,
    /// The notice above the page, after a step without a result.
    pub(super) notice: Option<Notice>,
    /// The buyer chose the code, on a device that would have to scan its own screen.
    pub(super) wants_code: bool,
    /// The payer handle that the OAuth redirect brought.
    pub(super) payer: Option<String>,
}

/// Why the buyer sees the same page again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// The buyer said "I have paid", and WeChat was queried.
    Checked,
    /// Another page or device had started a payment meanwhile.
    Superseded,
    /// The page was to bring a code along, and no code could be had.
    NoCode(Words),
}

impl Arrival {
    /// Reads the query of the page's address.
    pub(super) fn parse(query: &str) -> Self {
        let mut arrival = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                RETURN_PARAMETER => arrival.has_returned = true,
                CHECKED_PARAMETER => arrival.notice = Some(Notice::Checked),
                SUPERSEDED_PARAMETER => arrival.notice = Some(Notice::Superseded),
                CODE_PARAMETER => arrival.wants_code = true,
                PAYER_PARAMETER => arrival.payer = Some(value.into_owned()),
                _ => {}
            }
        }
        // Without an openid there is no handle to send: a second try would be refused in the same
        // way.
        arrival
            .payer
            .take_if(|handle| handle == PAYER_UNAVAILABLE_HANDLE);
        arrival
    }
}
