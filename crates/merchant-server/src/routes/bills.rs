//! `/v1/bills`: a day's bill compared with the ledger, or WeChat's bill file, for the merchant's
//! backend.

use axum::body::Body;
use axum::extract::RawQuery;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use jiff::civil::Date;
use merchant_core::bills::{self, BillKind, DAY_RULE, read_account, read_day};
use merchant_core::config::Scope;
use wechat_pay::bill::BillAccount;

use crate::error::Failure;
use crate::extract::{Backend, PathText, query};

/// `GET /v1/bills/{day}?sub_mchid`
pub(crate) async fn compare_bill(
    backend: Backend,
    PathText(day): PathText,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let payments = backend.may(Scope::Bills)?;
    let request = BillRequest::read(&day, query.as_deref())?;
    if request.fund_flow.is_some() {
        let rule = "is for the bill's file: an account's flow of funds is compared with nothing";
        return Err(Failure::invalid("fund_flow", rule));
    }
    let sub_mchid = request.sub_mchid.as_deref();
    let compared = bills::compare(payments, request.day, sub_mchid).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_LENGTH, compared.length.to_string()),
    ];
    Ok((headers, Body::from_stream(compared.pieces())).into_response())
}

/// `GET /v1/bills/{day}/file?fund_flow&sub_mchid`: WeChat's bill file. It is sent after the whole
/// file was checked against the hash that WeChat signed.
pub(crate) async fn read_bill_file(
    backend: Backend,
    PathText(day): PathText,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let payments = backend.may(Scope::Bills)?;
    let request = BillRequest::read(&day, query.as_deref())?;
    let kind = request
        .fund_flow
        .map_or(BillKind::Trade, BillKind::FundFlow);
    let sub_mchid = request.sub_mchid.as_deref();
    let fetched = bills::fetch_file(payments, kind, request.day, sub_mchid).await?;
    let Some(bill) = fetched else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let name = format!("attachment; filename=\"{}\"", bill.name);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CONTENT_LENGTH, bill.length.to_string()),
    ];
    Ok((headers, Body::from_stream(bill.pieces())).into_response())
}

/// The parameters of a call about bills.
struct BillRequest {
    day: Date,
    sub_mchid: Option<String>,
    fund_flow: Option<BillAccount>,
}

impl BillRequest {
    fn read(day: &str, query: Option<&str>) -> Result<Self, Failure> {
        let (mut sub_mchid, mut fund_flow) = (None, None);
        for (name, value) in query::parameters(query.unwrap_or_default())? {
            match &*name {
                "sub_mchid" => sub_mchid = Some(value.into_owned()),
                "fund_flow" => {
                    let rule = "must be basic, operation or fees";
                    let account = read_account(&value);
                    fund_flow = Some(account.ok_or_else(|| Failure::invalid("fund_flow", rule))?);
                }
                _ => return Err(Failure::invalid(&name, "is not a parameter of a bill")),
            }
        }
        let day = read_day(day).ok_or_else(|| Failure::invalid("day", DAY_RULE))?;
        Ok(Self {
            day,
            sub_mchid,
            fund_flow,
        })
    }
}
