//! `/v1/links`: the merchant's backend creates, reads and disables payment links, and prints their codes.
//! What buyers see of a link is in `pages/payment_link`.

use axum::Json;
use axum::body::Bytes;
use axum::extract::RawQuery;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use merchant_api::{CreateLink, ErrorCode, LinkDetails, LinkList, is_order_no};
use merchant_core::config::Scope;
use merchant_core::orders::{TOTAL_MAX_FEN, links};
use serde_json::Value;

use crate::code_sheet::{PrintedCode, SIDE_MM, pdf};
use crate::error::Failure;
use crate::extract::{Backend, PathText, json_body, query, read_body};
use crate::pages::payment_link::{SIDE_DEFAULT_MM, printed_code};

/// `POST /v1/links`
pub(crate) async fn create_link(
    backend: Backend,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let payments = backend.may(Scope::LinksWrite)?;
    let request = read_link(&read_body(body)?)?;
    let (link, is_new) = links::create(payments, &request).await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(link)).into_response())
}

/// `GET /v1/links?link_no&limit&before`
pub(crate) async fn list_links(
    backend: Backend,
    RawQuery(query): RawQuery,
) -> Result<Json<LinkList>, Failure> {
    let payments = backend.may(Scope::LinksRead)?;
    let (mut link_no, mut before) = (None, None);
    let mut limit = query::LIMIT_DEFAULT;
    for (name, value) in query::parameters(&query.unwrap_or_default())? {
        match &*name {
            "link_no" if is_order_no(&value) => link_no = Some(value.into_owned()),
            "link_no" => {
                let rule = r"must be 6 to 32 characters of [0-9a-zA-Z_\-|*]";
                return Err(Failure::invalid("link_no", rule));
            }
            "limit" => limit = query::limit(&value)?,
            "before" => before = Some(value.into_owned()),
            _ => return Err(Failure::invalid(&name, "is not a parameter of this list")),
        }
    }
    let list = links::list(payments, link_no.as_deref(), before.as_deref(), limit).await?;
    Ok(Json(list))
}

/// `GET /v1/links/{id}`
pub(crate) async fn get_link(
    backend: Backend,
    PathText(id): PathText,
) -> Result<Json<LinkDetails>, Failure> {
    let payments = backend.may(Scope::LinksRead)?;
    Ok(Json(links::show(payments, &id).await?))
}

/// `POST /v1/links/{id}/disable`
pub(crate) async fn disable_link(
    backend: Backend,
    PathText(id): PathText,
) -> Result<Json<LinkDetails>, Failure> {
    let payments = backend.may(Scope::LinksWrite)?;
    Ok(Json(links::disable(payments, &id).await?))
}

/// `GET /v1/links/{id}/code.svg?side_mm`
pub(crate) async fn code_svg(
    backend: Backend,
    PathText(id): PathText,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let (code, side_mm) = printed(&backend, &id, query).await?;
    Ok(([(header::CONTENT_TYPE, "image/svg+xml")], code.svg(side_mm)).into_response())
}

/// `GET /v1/links/{id}/code.pdf?side_mm`
pub(crate) async fn code_pdf(
    backend: Backend,
    PathText(id): PathText,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let (code, side_mm) = printed(&backend, &id, query).await?;
    let kind = [(header::CONTENT_TYPE, "application/pdf")];
    Ok((kind, pdf(&[code], side_mm)).into_response())
}

/// The code of a link's page, and its side in millimetres.
async fn printed(
    backend: &Backend,
    id: &str,
    query: Option<String>,
) -> Result<(PrintedCode, u32), Failure> {
    let payments = backend.may(Scope::LinksRead)?;
    let side_mm = read_side(&query.unwrap_or_default())?;
    Ok((printed_code(payments, id).await?, side_mm))
}

fn read_side(query: &str) -> Result<u32, Failure> {
    let mut side_mm = SIDE_DEFAULT_MM;
    for (name, value) in query::parameters(query)? {
        if name != "side_mm" {
            return Err(Failure::invalid(
                &name,
                "is not a parameter of this picture",
            ));
        }
        let given = value.parse().ok().filter(|side| SIDE_MM.contains(side));
        let rule = "must be a whole number of millimetres from 30 to 180";
        side_mm = given.ok_or_else(|| Failure::invalid("side_mm", rule))?;
    }
    Ok(side_mm)
}

/// Reads the body. The amounts are checked first, because their refusal has its own code whatever else is
/// wrong: also where one is negative or has decimals.
fn read_link(body: &[u8]) -> Result<CreateLink, Failure> {
    let json: Value = serde_json::from_slice(json_body::without_byte_order_mark(body))
        .map_err(|_| Failure::new(ErrorCode::InvalidRequest, "the body is not JSON"))?;
    for field in ["total_fen", "min_fen", "max_fen"] {
        let Some(amount) = json.get(field) else {
            continue;
        };
        let is_amount = |fen: u64| (1..=TOTAL_MAX_FEN).contains(&fen);
        if !amount.as_u64().is_some_and(is_amount) {
            return Err(Failure::field(
                ErrorCode::AmountInvalid,
                field,
                "must be a whole number of fen from 1 to 1000000000, as a JSON number without decimals",
            ));
        }
    }
    // Parse the bytes and not the value above, so that a duplicate field is refused.
    json_body::read(body, "a payment link")
}
