//! Creates an order for the merchant's own backend. The request is checked by every rule that would
//! otherwise fail later, at WeChat or for the buyer. Amount and text come from the backend and
//! never from a browser.

mod sub_orders;

use merchant_api::{
    ATTACH_MAX_BYTES, AttemptProduct, CreateOrder, CreatedOrder, ErrorCode, LimitPay,
};
use payment_values::{Fen, OpenId, OrderNo};
use wechat_pay::{Description, lower_hex};

use crate::attempts::{check_return_address, check_terms};
use crate::config::{Api, EXPIRES_IN_MS};
use crate::input::payee;
use crate::ledger::{Created, LinkUse, NewOrder, Order};
use crate::orders::links::over;
use crate::payments::Payments;
use crate::refusal::Refusal;
use crate::surroundings::unguessable;

/// The largest amount, in fen: ten million yuan. A larger one is a mistake of the unit.
pub const TOTAL_MAX_FEN: u64 = 1_000_000_000;

/// The least time that an order of a link has, in milliseconds.
const LEAST_TIME_MS: i64 = 60_000;

/// Creates an order, or finds the same one; returns whether the order is new.
pub async fn create(
    payments: &Payments,
    request: &CreateOrder,
) -> Result<(CreatedOrder, bool), Refusal> {
    place(payments, check(payments, request)?).await
}

/// The same for an order whose payment is reported to `notify_url`, which must be one of the
/// configured addresses. It belongs to the values that a repeated request must have.
pub async fn create_with_notify_url(
    payments: &Payments,
    request: &CreateOrder,
    notify_url: &str,
) -> Result<(CreatedOrder, bool), Refusal> {
    let service = payments.config.wxpay_server.as_ref();
    let known = service.and_then(|service| service.notify_url(notify_url));
    let known = known.ok_or_else(|| {
        Refusal::invalid(
            "notify_url",
            "must be one of the addresses that the server's configuration allows",
        )
    })?;
    let mut new = check(payments, request)?;
    new.notify_url = Some(known.to_string());
    place(payments, new).await
}

/// Creates the order of a payment link, or finds the same one. It can be paid no longer than the link is
/// valid, but for a minute at least: WeChat takes no shorter time.
pub(super) async fn create_of_link(
    payments: &Payments,
    request: &CreateOrder,
    link_use: LinkUse,
    link_expires_ms: Option<i64>,
) -> Result<CreatedOrder, Refusal> {
    let mut new = check(payments, request)?;
    if let Some(end_ms) = link_expires_ms {
        let least_ms = new.created_ms.saturating_add(LEAST_TIME_MS);
        new.expires_ms = new.expires_ms.min(end_ms.max(least_ms));
    }
    new.link_use = Some(link_use);
    let (created, _) = place(payments, new).await?;
    Ok(created)
}

async fn place(payments: &Payments, new: NewOrder) -> Result<(CreatedOrder, bool), Refusal> {
    let place = payments.admission.admit(&*payments.clock).await?;
    let created_order = payments.ledger.create_order(&new).await?;
    drop(place);
    match created_order {
        Created::New(order) => {
            tracing::info!(
                event = "order.created",
                order_no = order.order_no.as_str(),
                "an order is made"
            );
            Ok((created(payments, order), true))
        }
        Created::Same(order) => Ok((created(payments, order), false)),
        Created::NumberUsed => Err(Refusal::field(
            ErrorCode::OrderNoUsed,
            "order_no",
            "is in use with other values",
        )),
        Created::LinkOver(reason) => Err(over::refusal(reason)),
    }
}

/// Checks everything that WeChat would refuse later.
pub(super) fn check(payments: &Payments, request: &CreateOrder) -> Result<NewOrder, Refusal> {
    let order_no = match &request.order_no {
        None => OrderNo::parse(lower_hex(&payments.randomness.bytes()?))
            .map_err(|error| Refusal::Internal(error.to_string()))?,
        Some(order_no) => OrderNo::parse(&**order_no).map_err(|_| {
            Refusal::field(
                ErrorCode::OrderNoInvalid,
                "order_no",
                r"must be 6 to 32 characters of [0-9a-zA-Z_\-|*]",
            )
        })?,
    };
    check_description(&request.description)?;
    let sub_orders = sub_orders::check(&payments.config.merchant, &order_no, request)?;
    let payee = check_payee(request.payee.as_deref())?;
    check_attach(request.attach.as_deref())?;
    check_limit_pay(request.limit_pay.as_deref())?;
    let products = check_products(payments, request)?;
    if sub_orders.is_empty() {
        check_sub_mchid(payments, request.sub_mchid.as_deref())?;
    }
    check_appids(payments, request.appids.as_deref())?;
    check_terms(&payments.config, &order_no, request, &products)
        .map_err(|error| Refusal::invalid_field(&error))?;
    let expires_in_ms = request
        .expires_in_ms
        .unwrap_or(payments.config.order_expires_in_ms);
    if !EXPIRES_IN_MS.contains(&expires_in_ms) {
        return Err(Refusal::invalid(
            "expires_in_ms",
            "must be from 60000 (a minute) to 604800000 (seven days)",
        ));
    }
    let (openid, openid_is_sub) = check_payer(payments, request)?;
    for (field, url) in [
        ("return_url", &request.return_url),
        ("success_url", &request.success_url),
    ] {
        if let Some(url) = url {
            check_return_address(&payments.config, field, url)?;
        }
    }
    let now_ms = payments.clock.now_ms();
    Ok(NewOrder {
        order_no,
        token: unguessable(payments.randomness.bytes()?),
        // Field by field in the contract's order: the same request has the same text.
        request: serde_json::to_string(request)
            .map_err(|error| Refusal::Internal(error.to_string()))?,
        notify_url: None,
        total_fen: Fen::try_from(request.total_fen)
            .map_err(|error| Refusal::invalid_field(&error))?,
        description: request.description.clone(),
        payee,
        openid,
        openid_is_sub,
        sub_mchid: request.sub_mchid.clone(),
        return_url: request.return_url.clone(),
        success_url: request.success_url.clone(),
        products,
        created_ms: now_ms,
        expires_ms: now_ms.saturating_add(i64::try_from(expires_in_ms).unwrap_or(i64::MAX)),
        link_use: None,
        sub_orders,
    })
}

fn check_description(description: &str) -> Result<(), Refusal> {
    let rule = match Description::parse(description) {
        Err(error) => error.rule.to_string(),
        // The rule that a text must not be empty holds for every text: see `json_body`.
        Ok(_) => return Ok(()),
    };
    Err(Refusal::field(
        ErrorCode::DescriptionInvalid,
        "description",
        &rule,
    ))
}

fn check_payee(name: Option<&str>) -> Result<Option<String>, Refusal> {
    name.map(payee::checked)
        .transpose()
        .map_err(|rule| Refusal::invalid("payee", rule))
}

fn check_attach(attach: Option<&str>) -> Result<(), Refusal> {
    let Some(attach) = attach else {
        return Ok(());
    };
    if attach.is_empty() {
        return Err(Refusal::invalid("attach", "must not be empty"));
    }
    if attach.len() > ATTACH_MAX_BYTES {
        return Err(Refusal::invalid(
            "attach",
            "must be at most 95 bytes of UTF-8: WeChat takes 128, and order_no goes before it",
        ));
    }
    Ok(())
}

fn check_limit_pay(limits: Option<&[LimitPay]>) -> Result<(), Refusal> {
    match limits {
        None | Some([_]) => Ok(()),
        Some(_) => Err(Refusal::invalid("limit_pay", "must name one limit, once")),
    }
}

/// Each names an application of the merchant, and at most one of a kind.
fn check_appids(payments: &Payments, appids: Option<&[String]>) -> Result<(), Refusal> {
    let Some(appids) = appids else {
        return Ok(());
    };
    let kinds = payments.config.merchant.appids();
    let of_kind = |kind: &Vec<&str>| {
        let named = appids.iter().filter(|appid| kind.contains(&&***appid));
        named.count()
    };
    let counts = kinds.iter().map(of_kind);
    let known: usize = counts.clone().sum();
    let rule = if appids.is_empty() {
        "must name at least one"
    } else if known != appids.len() {
        "must name only applications that are configured"
    } else if counts.clone().any(|count| count > 1) {
        "must name at most one official account, one mini-program and one app"
    } else {
        return Ok(());
    };
    Err(Refusal::invalid("appids", rule))
}

/// In partner mode every order names a sub-merchant, otherwise none does.
fn check_sub_mchid(payments: &Payments, sub_mchid: Option<&str>) -> Result<(), Refusal> {
    let merchant = &payments.config.merchant;
    let rule = match sub_mchid {
        None if merchant.sub_merchants.is_empty() => return Ok(()),
        None => "is missing: a service provider orders for one of its sub-merchants",
        Some(sub_mchid) => match merchant.known_sub_merchant(sub_mchid) {
            Ok(_) => return Ok(()),
            Err(rule) => rule,
        },
    };
    Err(Refusal::invalid("sub_mchid", rule))
}

/// The openid, and whether it is one of the sub-merchant's application.
fn check_payer(
    payments: &Payments,
    request: &CreateOrder,
) -> Result<(Option<OpenId>, bool), Refusal> {
    let Some(payer) = &request.payer else {
        return Ok((None, false));
    };
    let (field, openid, is_sub) = match (&payer.openid, &payer.sub_openid) {
        (Some(openid), None) => ("payer.openid", openid, false),
        (None, Some(openid)) => ("payer.sub_openid", openid, true),
        _ => {
            let rule = "must hold openid or sub_openid, and one alone";
            return Err(Refusal::invalid("payer", rule));
        }
    };
    let openid = OpenId::parse(&**openid)
        .map_err(|error| Refusal::invalid(field, &error.rule.to_string()))?;
    let has_sub_appid = request
        .sub_mchid
        .as_deref()
        .and_then(|sub_mchid| payments.config.merchant.sub_merchant(sub_mchid))
        .is_some_and(|sub| sub.sub_appid.is_some());
    if is_sub && !has_sub_appid {
        let rule = "belongs to a sub_appid, and none is configured for this sub_mchid";
        return Err(Refusal::invalid(field, rule));
    }
    Ok((Some(openid), is_sub))
}

const NOT_BY_CODE_PAY: &str = "cannot be kept by code_pay: APIv3 has no such field there";
const NOT_COMBINED_BY_CODE_PAY: &str =
    "cannot be paid by code_pay: WeChat combines no orders there";

fn check_products(
    payments: &Payments,
    request: &CreateOrder,
) -> Result<Vec<AttemptProduct>, Refusal> {
    // APIv3 has no `limit_pay` for code pay: the buyer could use a credit card there.
    let is_limited = request.limit_pay.is_some() && payments.config.merchant.api == Api::V3;
    let not_by_code_pay = match (&request.sub_orders, is_limited) {
        (Some(_), _) => Some(("sub_orders", NOT_COMBINED_BY_CODE_PAY)),
        (None, true) => Some(("limit_pay", NOT_BY_CODE_PAY)),
        (None, false) => None,
    };
    let is_excluded =
        |product: &AttemptProduct| not_by_code_pay.is_some() && *product == AttemptProduct::CodePay;
    let refusal = || {
        let (field, rule) = not_by_code_pay.unwrap_or(("products", NOT_BY_CODE_PAY));
        Refusal::invalid(field, rule)
    };
    let Some(products) = &request.products else {
        let mut products = payments.config.products.clone();
        products.retain(|product| !is_excluded(product));
        if products.is_empty() {
            return Err(refusal());
        }
        return Ok(products);
    };
    if products.iter().any(is_excluded) {
        return Err(refusal());
    }
    let are_offered = products
        .iter()
        .all(|product| payments.config.products.contains(product));
    if products.is_empty() || !are_offered {
        return Err(Refusal::invalid(
            "products",
            "must name at least one, and only what this server is configured for",
        ));
    }
    Ok(products.clone())
}

fn created(payments: &Payments, order: Order) -> CreatedOrder {
    let mut checkout_url = payments.config.public_base_url.clone();
    checkout_url.set_path(&format!("/c/{}", order.token));
    let left_ms = order.expires_ms.saturating_sub(payments.clock.now_ms());
    CreatedOrder {
        order_no: order.order_no,
        token: order.token,
        checkout_url: checkout_url.into(),
        total_fen: order.total_fen,
        remaining_ms: u64::try_from(left_ms).unwrap_or(0),
        live: payments.config.gateway.is_live(),
    }
}
