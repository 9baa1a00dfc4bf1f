//! Orders at the gateway: place, query, close, with WeChat's rules and words.
//!
//! Where the documentation and what was seen of the live gateway differ, this answers as the
//! live one: changed parameters are 400 `INVALID_REQUEST`. Another product under a known number
//! is the documented 403 `OUT_TRADE_NO_USED`.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use url::form_urlencoded;
use wechat_pay::{Fen, Product};

use super::{
    answer::{Answer, BAD_PARAMETER, Refusal},
    caller::Caller,
    schema,
};
use crate::{
    ledger::{
        OrderRefusal,
        order::{Link, Order, OrderKey, OrderRequest},
    },
    simulator::Simulator,
};

/// Places an order, or gives the same one a new link.
pub(super) fn order(
    simulator: &Simulator,
    product: Product,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let body = schema::read_order(product, body)?;
    let request = read_request(simulator, product, body, caller)?;
    let now = simulator.clock().now();
    let link = new_link(simulator, product, now);
    let answer = match product {
        Product::Jsapi => json!({ "prepay_id": link.prepay_id }),
        Product::Native => json!({ "code_url": link.code_url }),
        Product::H5 => json!({ "h5_url": h5_url(simulator, &link) }),
    };
    simulator
        .ledger()
        .order(request, link, now)
        .map_err(refuse_order)?;
    Ok(Answer::Json(answer))
}

/// Answers with the order of a merchant's number.
pub(super) fn query_by_number(
    simulator: &Simulator,
    number: &str,
    query: &str,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    schema::check_number_in_path(number)?;
    let key = OrderKey {
        mchid: mchid_of_query(query, caller)?,
        out_trade_no: number.to_owned(),
    };
    let now = simulator.clock().now();
    answer_with(simulator.ledger().find(&key), now)
}

/// Answers with the paid order of WeChat's number.
pub(super) fn query_by_id(
    simulator: &Simulator,
    transaction_id: &str,
    query: &str,
    caller: &Caller,
) -> Result<Answer, Refusal> {
    let mchid = mchid_of_query(query, caller)?;
    let now = simulator.clock().now();
    let ledger = simulator.ledger();
    let order = ledger
        .find_by_transaction_id(transaction_id)
        .filter(|order| order.request.key.mchid == mchid);
    answer_with(order, now)
}

/// Closes a number: again and again, and also one that nobody ordered.
pub(super) fn close(
    simulator: &Simulator,
    number: &str,
    body: &[u8],
    caller: &Caller,
) -> Result<Answer, Refusal> {
    schema::check_number_in_path(number)?;
    let body = schema::read_close(body)?;
    check_mchid(text(&body, "/mchid"), caller)?;
    let key = OrderKey {
        mchid: caller.mchid.clone(),
        out_trade_no: number.to_owned(),
    };
    if simulator.ledger().close(key) {
        Ok(Answer::Nothing)
    } else {
        Err(refuse_order(OrderRefusal::Paid))
    }
}

fn read_request(
    simulator: &Simulator,
    product: Product,
    body: Value,
    caller: &Caller,
) -> Result<OrderRequest, Refusal> {
    check_mchid(text(&body, "/mchid"), caller)?;
    let appid = text(&body, "/appid").to_owned();
    let merchant = simulator.keyring().merchant();
    if appid != merchant.appid && appid != merchant.mini_program_appid {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "APPID_MCHID_NOT_MATCH",
            "appid和mch_id不匹配",
            268_445_527,
        ));
    }
    if body
        .pointer("/amount/currency")
        .is_some_and(|currency| currency != "CNY")
    {
        return Err(Refusal::parameter(
            "输入源“/body/amount/currency”映射到值字段“货币类型”枚举规则校验失败，不支持的货币类型",
            Some("body"),
            text(&body, "/amount/currency").into(),
        ));
    }
    let total = body.pointer("/amount/total").and_then(Value::as_i64);
    let optional = |pointer| body.pointer(pointer).and_then(Value::as_str);
    Ok(OrderRequest {
        key: OrderKey {
            mchid: caller.mchid.clone(),
            out_trade_no: text(&body, "/out_trade_no").to_owned(),
        },
        appid,
        product,
        description: text(&body, "/description").to_owned(),
        attach: optional("/attach").map(str::to_owned),
        // The schema has refused what is below 1.
        total: Fen::new(total.unwrap_or_default()).unwrap_or_default(),
        notify_url: text(&body, "/notify_url").to_owned(),
        openid: optional("/payer/openid").map(str::to_owned),
        time_expire: optional("/time_expire").and_then(|text| text.parse::<Timestamp>().ok()),
        reply_key: caller.reply_key,
        body,
    })
}

fn new_link(simulator: &Simulator, product: Product, now: Timestamp) -> Link {
    let random = simulator.random();
    Link {
        prepay_id: random.prepay_id(now),
        code_url: (product == Product::Native)
            .then(|| format!("weixin://wxpay/bizpayurl?pr={}", random.alphanumeric(9))),
        h5_package: (product == Product::H5).then(|| random.digits(10)),
        issued_at: now,
    }
}

fn h5_url(simulator: &Simulator, link: &Link) -> String {
    format!(
        "{}{}?prepay_id={}&package={}",
        simulator.keyring().merchant().base_url,
        crate::pages::H5_PATH,
        link.prepay_id,
        link.h5_package.as_deref().unwrap_or_default()
    )
}

fn answer_with(order: Option<&Order>, now: Timestamp) -> Result<Answer, Refusal> {
    let order = order.ok_or_else(|| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "ORDER_NOT_EXIST",
            "订单不存在",
            268_512_771,
        )
    })?;
    Ok(Answer::Json(order.transaction_json(now)))
}

fn mchid_of_query(query: &str, caller: &Caller) -> Result<String, Refusal> {
    let mchid = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "mchid")
        .map(|(_, value)| value.into_owned())
        .filter(|mchid| !mchid.is_empty())
        .ok_or_else(|| schema::missing_in_query("mchid", "商户号"))?;
    check_mchid(&mchid, caller)?;
    Ok(mchid)
}

fn check_mchid(mchid: &str, caller: &Caller) -> Result<(), Refusal> {
    if mchid == caller.mchid {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::BAD_REQUEST,
        "PARAM_ERROR",
        "http header中的mchid与post payload中的mchid不匹配",
        BAD_PARAMETER,
    ))
}

fn refuse_order(refusal: OrderRefusal) -> Refusal {
    let bad = StatusCode::BAD_REQUEST;
    // The inner number of a closed order is not published; it gets that of an expired one.
    match refusal {
        OrderRefusal::Paid => Refusal::new(bad, "ORDERPAID", "该订单已支付", 268_449_538),
        OrderRefusal::Closed => Refusal::new(bad, "ORDER_CLOSED", "该订单已关闭", 268_447_914),
        OrderRefusal::Changed => Refusal::new(
            bad,
            "INVALID_REQUEST",
            "请求重入时，参数与首次请求时不一致",
            268_498_688,
        ),
        OrderRefusal::OtherProduct => Refusal::new(
            StatusCode::FORBIDDEN,
            "OUT_TRADE_NO_USED",
            "商户订单号重复",
            268_498_688,
        ),
        OrderRefusal::Expired => Refusal::new(
            bad,
            "INVALID_REQUEST",
            "订单已过期，请重新下单",
            268_447_914,
        ),
    }
}

/// Text that the schema has found there; nothing where it may be absent.
fn text<'a>(body: &'a Value, pointer: &str) -> &'a str {
    body.pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
