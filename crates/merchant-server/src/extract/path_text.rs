//! The variable part of a path: a token, a number, a day.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path};
use http::request::Parts;

/// Characters that no token, number or day has.
const UNREADABLE: &str = "\u{fffd}";

/// The text of the path's one parameter. Text that is not UTF-8 is answered like any unknown name:
/// with the JSON error or the page of that route.
pub(crate) struct PathText(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        Ok(Self(
            text.map_or_else(|_| UNREADABLE.to_owned(), |Path(text)| text),
        ))
    }
}
