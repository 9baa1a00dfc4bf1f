//! The private side: the merchant's own backend makes and closes orders. Amount and text come
//! from here and never from a browser.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use merchant_api::{
    ATTACH_MAX_BYTES, AttemptProduct, CheckoutAnswer, CreateOrder, CreatedOrder, ErrorCode,
    OrderState, is_order_no,
};
use serde_json::Value;
use wechat_pay::{Description, OpenId};

use crate::attempts::return_address;
use crate::checkouts::answer;
use crate::config::{EXPIRES_IN_MS, Scope};
use crate::error::Failure;
use crate::extract::{Backend, PathText, json_body, read_body};
use crate::ledger::{Checkout, Created, NewOrder, Order};
use crate::payments::{MerchantServer, Queue};
use crate::surroundings::{hex, unguessable};
use crate::{attempts, due_work};

/// The largest amount, in fen: ten million yuan. More is a slip of the unit, not an order.
const TOTAL_MAX_FEN: u64 = 1_000_000_000;

/// `POST /v1/orders`
pub(crate) async fn create_order(
    State(server): State<MerchantServer>,
    backend: Backend,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    backend.may(Scope::OrdersWrite)?;
    let body = read_body(body)?;
    let wanted = read_order(&body)?;
    let new = check(&server, &wanted)?;
    let (status, order) = match server.ledger.create_order(&new).await? {
        Created::New(order) => {
            tracing::info!(
                event = "order.created",
                order_no = order.order_no,
                "an order is made"
            );
            (StatusCode::CREATED, order)
        }
        Created::Same(order) => (StatusCode::OK, order),
        Created::NumberUsed => {
            return Err(Failure::field(
                ErrorCode::OrderNoUsed,
                "order_no",
                "is in use with other values",
            ));
        }
    };
    Ok((status, Json(created(&server, order))).into_response())
}

/// `POST /v1/orders/{order_no}/close`
pub(crate) async fn close_order(
    State(server): State<MerchantServer>,
    backend: Backend,
    PathText(order_no): PathText,
) -> Result<Json<CheckoutAnswer>, Failure> {
    backend.may(Scope::OrdersWrite)?;
    let order = find(&server, &order_no).await?.order;
    let _lock = server.lock_order(order.id, Queue::Backend).await?;
    let checkout = find(&server, &order_no).await?;
    if checkout.order.state == OrderState::Open {
        // Written down first: where WeChat cannot say yet, due work goes on with it.
        server
            .ledger
            .begin_closing(order.id, server.clock.now_ms())
            .await?;
        due_work::close_now(&server, &checkout).await?;
    }
    let checkout = find(&server, &order_no).await?;
    match checkout.order.state {
        OrderState::Paid => Err(Failure::new(
            ErrorCode::OrderPaid,
            "the order is paid, so it cannot be closed",
        )),
        OrderState::Closed => Ok(Json(answer(&server, &checkout, None))),
        OrderState::Open => Err(Failure::in_doubt("the order is being closed", None)),
    }
}

/// The order of a number.
pub(crate) async fn find(server: &MerchantServer, order_no: &str) -> Result<Checkout, Failure> {
    server
        .ledger
        .checkout_by_order_no(order_no)
        .await?
        .ok_or_else(|| Failure::new(ErrorCode::OrderUnknown, "no order has this number"))
}

/// Reads the body. The amount is looked at first and by itself, for its refusal has a code of its
/// own whatever else is wrong.
fn read_order(body: &[u8]) -> Result<CreateOrder, Failure> {
    let json: Value = serde_json::from_slice(json_body::without_byte_order_mark(body))
        .map_err(|_| Failure::new(ErrorCode::InvalidRequest, "the body is not JSON"))?;
    let total = json.get("total_fen").and_then(Value::as_u64);
    if !total.is_some_and(|total| (1..=TOTAL_MAX_FEN).contains(&total)) {
        return Err(Failure::field(
            ErrorCode::AmountInvalid,
            "total_fen",
            "must be a whole number of fen from 1 to 1000000000, as a JSON number without decimals",
        ));
    }
    // From the bytes and not from the value above: a field that comes twice is refused here.
    json_body::read_nested(body, "an order")
}

/// Checks everything that WeChat or a buyer would stumble over later.
fn check(server: &MerchantServer, wanted: &CreateOrder) -> Result<NewOrder, Failure> {
    let order_no = match &wanted.order_no {
        None => hex(&server.randomness.bytes()?),
        Some(order_no) if is_order_no(order_no) => order_no.clone(),
        Some(_) => {
            return Err(Failure::field(
                ErrorCode::OrderNoInvalid,
                "order_no",
                r"must be 6 to 32 characters of [0-9a-zA-Z_\-|*]",
            ));
        }
    };
    check_description(&wanted.description)?;
    check_attach(wanted.attach.as_deref())?;
    let products = check_products(server, wanted)?;
    check_sub_mchid(server, wanted.sub_mchid.as_deref())?;
    attempts::check_terms(&server.config, &order_no, wanted, &products)
        .map_err(|error| Failure::invalid_field(&error))?;
    let expires_in_ms = wanted
        .expires_in_ms
        .unwrap_or(server.config.order_expires_in_ms);
    if !EXPIRES_IN_MS.contains(&expires_in_ms) {
        return Err(Failure::invalid(
            "expires_in_ms",
            "must be from 60000 (a minute) to 604800000 (seven days)",
        ));
    }
    let (openid, openid_is_sub) = check_payer(server, wanted)?;
    for (field, url) in [
        ("return_url", &wanted.return_url),
        ("success_url", &wanted.success_url),
    ] {
        if let Some(url) = url {
            return_address::check(&server.config, field, url)?;
        }
    }
    let now_ms = server.clock.now_ms();
    Ok(NewOrder {
        order_no,
        token: unguessable(server.randomness.bytes()?),
        // Field by field in the contract's order: the same wish has the same text.
        request: serde_json::to_string(wanted)
            .map_err(|error| Failure::Internal(error.to_string()))?,
        total_fen: wanted.total_fen,
        description: wanted.description.clone(),
        openid,
        openid_is_sub,
        sub_mchid: wanted.sub_mchid.clone(),
        return_url: wanted.return_url.clone(),
        success_url: wanted.success_url.clone(),
        products,
        created_ms: now_ms,
        expires_ms: now_ms.saturating_add(i64::try_from(expires_in_ms).unwrap_or(i64::MAX)),
    })
}

fn check_description(description: &str) -> Result<(), Failure> {
    let rule = match Description::parse(description) {
        Err(error) => error.rule.to_string(),
        // What it must show is a rule of every text: see `json_body`.
        Ok(_) => return Ok(()),
    };
    Err(Failure::field(
        ErrorCode::DescriptionInvalid,
        "description",
        &rule,
    ))
}

fn check_attach(attach: Option<&str>) -> Result<(), Failure> {
    let Some(attach) = attach else {
        return Ok(());
    };
    if attach.is_empty() {
        return Err(Failure::invalid("attach", "must not be empty"));
    }
    if attach.len() > ATTACH_MAX_BYTES {
        return Err(Failure::invalid(
            "attach",
            "must be at most 95 bytes of UTF-8: WeChat takes 128, and order_no goes before it",
        ));
    }
    Ok(())
}

/// In partner mode every order is for somebody; else none is.
fn check_sub_mchid(server: &MerchantServer, sub_mchid: Option<&str>) -> Result<(), Failure> {
    let merchant = &server.config.merchant;
    let rule = match sub_mchid {
        None if merchant.sub_merchants.is_empty() => return Ok(()),
        None => "is missing: a service provider orders for one of its sub-merchants",
        Some(sub_mchid) => match merchant.known_sub_merchant(sub_mchid) {
            Ok(_) => return Ok(()),
            Err(rule) => rule,
        },
    };
    Err(Failure::invalid("sub_mchid", rule))
}

/// The openid, and whether it is one of the sub-merchant's application.
fn check_payer(
    server: &MerchantServer,
    wanted: &CreateOrder,
) -> Result<(Option<String>, bool), Failure> {
    let Some(payer) = &wanted.payer else {
        return Ok((None, false));
    };
    let (field, openid, is_sub) = match (&payer.openid, &payer.sub_openid) {
        (Some(openid), None) => ("payer.openid", openid, false),
        (None, Some(openid)) => ("payer.sub_openid", openid, true),
        _ => {
            let rule = "must hold openid or sub_openid, and one alone";
            return Err(Failure::invalid("payer", rule));
        }
    };
    OpenId::parse(&**openid).map_err(|error| Failure::invalid(field, &error.rule.to_string()))?;
    let has_sub_appid = wanted
        .sub_mchid
        .as_deref()
        .and_then(|sub_mchid| server.config.merchant.sub_merchant(sub_mchid))
        .is_some_and(|sub| sub.sub_appid.is_some());
    if is_sub && !has_sub_appid {
        let rule = "belongs to a sub_appid, and none is configured for this sub_mchid";
        return Err(Failure::invalid(field, rule));
    }
    Ok((Some(openid.clone()), is_sub))
}

fn check_products(
    server: &MerchantServer,
    wanted: &CreateOrder,
) -> Result<Vec<AttemptProduct>, Failure> {
    let Some(products) = &wanted.products else {
        return Ok(server.config.products.clone());
    };
    let are_offered = products
        .iter()
        .all(|product| server.config.products.contains(product));
    if products.is_empty() || !are_offered {
        return Err(Failure::invalid(
            "products",
            "must name at least one, and only what this server is configured for",
        ));
    }
    Ok(products.clone())
}

fn created(server: &MerchantServer, order: Order) -> CreatedOrder {
    let mut checkout_url = server.config.public_base_url.clone();
    checkout_url.set_path(&format!("/c/{}", order.token));
    let left_ms = order.expires_ms.saturating_sub(server.clock.now_ms());
    CreatedOrder {
        order_no: order.order_no,
        token: order.token,
        checkout_url: checkout_url.into(),
        total_fen: order.total_fen,
        remaining_ms: u64::try_from(left_ms).unwrap_or(0),
        live: server.config.gateway.is_live(),
    }
}
