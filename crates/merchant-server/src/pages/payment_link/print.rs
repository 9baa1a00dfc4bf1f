//! The code of a link's page, to print: on a counter, in a window, on an invoice.

use merchant_core::orders::links;
use merchant_core::{Payments, Refusal};
use payment_values::Fen;

use crate::code_sheet::PrintedCode;

/// The side of a printed code where none is named, in millimetres.
pub(crate) const SIDE_DEFAULT_MM: u32 = 60;

/// The code of a link's page. Below it stand the link's number, or its id, and a fixed price.
pub(crate) async fn printed_code(payments: &Payments, id: &str) -> Result<PrintedCode, Refusal> {
    let link = links::show(payments, id).await?;
    let name = link.given.link_no.unwrap_or(link.id);
    let price = link.given.total_fen.map(Fen::saturating);
    let code = PrintedCode::new(name, link.given.description, price, &link.url);
    let too_long = "the address of a payment link is too long for a code";
    code.ok_or_else(|| Refusal::Internal(too_long.to_owned()))
}
