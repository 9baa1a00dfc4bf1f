//! The forms of the buyer's page as schemas of the OpenAPI document. The page's own types write and
//! read them by hand, because every buyer would download derived code.

use utoipa::ToSchema;

/// The form of an attempt.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the schema is used")]
pub(super) struct AttemptFormObject {
    /// jsapi, h5, native or mini_program.
    product: crate::Product,
    /// The number of the last attempt that the page has seen.
    after: Option<u64>,
    /// The address to which the buyer returns.
    return_url: Option<String>,
    /// The one-use handle that the OAuth redirect brought back.
    payer: Option<String>,
    /// A mini-program's wx.login code, in place of payer.
    code: Option<String>,
}

/// The form of a cancellation.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the schema is used")]
pub(super) struct CancelFormObject {
    /// The attempt to end.
    after: u64,
}
