//! The query parameters of the private API. Unknown names are refused: the server must not ignore a
//! misspelt filter and return a list that the caller did not mean.

use std::borrow::Cow;

use merchant_api::ErrorCode;
use url::form_urlencoded;

use crate::error::Failure;

/// A name and a value.
type Parameter<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The parameters in their order, each name once.
pub(crate) fn parameters(query: &str) -> Result<Vec<Parameter<'_>>, Failure> {
    let mut parameters: Vec<Parameter<'_>> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if name.is_empty() {
            let message = "the query has a value without a name";
            return Err(Failure::new(ErrorCode::InvalidRequest, message));
        }
        if parameters.iter().any(|(seen, _)| *seen == name) {
            return Err(Failure::invalid(&name, "must not come twice"));
        }
        parameters.push((name, value));
    }
    Ok(parameters)
}

/// The default length of a list.
pub(crate) const LIMIT_DEFAULT: u32 = 50;
const LIMIT_MAX: u32 = 200;

/// Reads the length of a list.
pub(crate) fn limit(text: &str) -> Result<u32, Failure> {
    text.parse()
        .ok()
        .filter(|limit| (1..=LIMIT_MAX).contains(limit))
        .ok_or_else(|| Failure::invalid("limit", "must be a whole number from 1 to 200"))
}
