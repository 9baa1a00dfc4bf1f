//! Headers that every answer of some routes has.

use http::{HeaderName, HeaderValue};
use tower_http::set_header::SetResponseHeaderLayer;

/// Sets a header, whatever the handler set.
pub(crate) fn always_set(
    name: HeaderName,
    value: &'static str,
) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}
