//! `/v1/exports`: orders, payments and refunds of a span of time as CSV, for accounting. The file is
//! written while it is read from the ledger.

use axum::body::Body;
use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Response};
use http::header;
use merchant_core::config::Scope;
use merchant_core::orders::exports::{ExportKind, ExportSpan, export};

use super::orders::{read_sub_mchid, read_time};
use crate::error::Failure;
use crate::extract::{Backend, query};

/// `GET /v1/exports/orders?from&to&sub_mchid`
pub(crate) async fn export_orders(
    backend: Backend,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    exported(&backend, Scope::OrdersRead, ExportKind::Orders, query).await
}

/// `GET /v1/exports/payments?from&to&sub_mchid`
pub(crate) async fn export_payments(
    backend: Backend,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    exported(&backend, Scope::OrdersRead, ExportKind::Payments, query).await
}

/// `GET /v1/exports/refunds?from&to&sub_mchid`
pub(crate) async fn export_refunds(
    backend: Backend,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    exported(&backend, Scope::RefundsRead, ExportKind::Refunds, query).await
}

async fn exported(
    backend: &Backend,
    scope: Scope,
    kind: ExportKind,
    query: Option<String>,
) -> Result<Response, Failure> {
    let payments = backend.may(scope)?;
    let span = read_span(&query.unwrap_or_default())?;
    let pieces = export(payments, kind, span).await?;
    let name = format!("attachment; filename=\"{}.csv\"", kind.as_str());
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

fn read_span(query: &str) -> Result<ExportSpan, Failure> {
    let (mut from_ms, mut to_ms, mut sub_mchid) = (None, None, None);
    for (name, value) in query::parameters(query)? {
        match &*name {
            "from" => from_ms = Some(read_time(&name, &value)?),
            "to" => to_ms = Some(read_time(&name, &value)?),
            "sub_mchid" => sub_mchid = Some(read_sub_mchid(&value)?),
            _ => return Err(Failure::invalid(&name, "is not a parameter of an export")),
        }
    }
    let missing = |name| Failure::invalid(name, "is missing");
    Ok(ExportSpan {
        from_ms: from_ms.ok_or_else(|| missing("from"))?,
        to_ms: to_ms.ok_or_else(|| missing("to"))?,
        sub_mchid,
    })
}
