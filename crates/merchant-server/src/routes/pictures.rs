//! The merchant's pictures for buyers' pages, from the server's own origin: the pages' policy loads a
//! picture from nowhere else. No picture is secret.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header;
use merchant_core::{Merchants, Payments};

use super::unknown;
use crate::extract::PathText;

/// `GET /pictures/{name}`: a configured picture, by the name that its content gives it. A shop's page may
/// show it, too.
pub(crate) async fn picture(
    State(merchants): State<Merchants>,
    PathText(name): PathText,
    request: Request,
) -> Response {
    let mut configs = merchants.each().map(Payments::config);
    let Some(picture) = configs.find_map(|config| config.picture(&name)) else {
        return unknown::unknown(request).await;
    };
    let headers = [
        (header::CONTENT_TYPE, picture.media_type),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    let anybody = [("cross-origin-resource-policy", "cross-origin")];
    (headers, anybody, picture.bytes.clone()).into_response()
}
