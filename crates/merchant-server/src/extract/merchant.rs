//! Whose call it is, where no API key says so: the merchant whose order has the token in the path. The
//! log line of the call gets the merchant's number.

use merchant_core::{Merchants, Payments};

use crate::error::Failure;

/// The field of a call's span that names the merchant, if the server has several.
pub(crate) const MERCHANT_FIELD: &str = "mchid";

/// The merchant whose order has this token. For a token that no order has, it is a merchant that does
/// not know it either.
pub(crate) async fn merchant_of_token(
    merchants: &Merchants,
    token: &str,
) -> Result<Payments, Failure> {
    let payments = merchants.of_token(token).await?;
    note_merchant(payments);
    Ok(payments.clone())
}

/// Puts the merchant into each log line of this call.
pub(crate) fn note_merchant(payments: &Payments) {
    if let Some(mchid) = payments.name_among_several() {
        tracing::Span::current().record(MERCHANT_FIELD, mchid);
    }
}
