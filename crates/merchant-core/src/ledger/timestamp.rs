//! Timestamps of the private API and of webhook messages. Nothing here reads a clock.

/// RFC 3339 in UTC: the private side belongs to servers, whose clocks can be trusted.
pub(crate) fn timestamp(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| String::new(), |at| at.to_string())
}
