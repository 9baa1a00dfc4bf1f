//! Whether an appid belongs to the merchant number. Only an order proves that. If the caller
//! requests the check, an order of one fen is created for each appid and closed, by the version that
//! makes the merchant's orders. Its code is never shown, so it cannot be paid, and it expires by
//! itself if closing fails; version 2 closes no order that young.

use std::time::Duration;

use jiff::Timestamp;
use wechat_pay::{Account, Description, Fen, Order, Orderer, OutTradeNo, ProductFields};

use super::{Check, LiveCheckError, OrderCheck, Proof, Verdict};
use crate::config::{Api, Config, SubMerchant};
use crate::wechat::{CallError, Reason, WechatClient};

/// The expiry of such an order, should closing fail.
const LIFE: Duration = Duration::from_mins(5);

/// An appid, and the merchant that it should belong to.
struct Binding<'a> {
    subject: String,
    appid: &'a str,
    sub: Option<&'a SubMerchant>,
    product: ProductFields,
}

pub(super) async fn prove(
    check: &Check<'_>,
    working: &Config,
    orders: OrderCheck,
) -> Result<Vec<Proof>, LiveCheckError> {
    let mut proofs = Vec::new();
    for binding in bindings(working) {
        let (verdict, text) = match orders {
            OrderCheck::Skip => (
                Verdict::NotProved,
                "only an order shows it: --place-order makes one of one fen and closes it"
                    .to_owned(),
            ),
            OrderCheck::PlaceAndClose => place_and_close(check, working, &binding).await?,
        };
        proofs.push(Proof::new(binding.subject, verdict, text));
    }
    Ok(proofs)
}

/// A Native order needs no buyer and accepts any appid of the merchant; an app's appid needs an app
/// order.
fn bindings(config: &Config) -> Vec<Binding<'_>> {
    let merchant = &config.merchant;
    let mchid = merchant.key.mchid();
    let official = ("merchant.appid", &*merchant.appid, ProductFields::Native);
    let mini_program = merchant.mini_program.as_ref();
    let mini_program = mini_program.map(|program| {
        (
            "merchant.mini_program_appid",
            &*program.appid,
            ProductFields::Native,
        )
    });
    let app = merchant.app_appid.as_deref();
    let app = app.map(|appid| ("merchant.app_appid", appid, ProductFields::App));
    let others = (merchant
        .other_accounts
        .iter()
        .map(|account| &*account.appid))
    .chain(
        merchant
            .other_mini_programs
            .iter()
            .map(|program| &*program.appid),
    )
    .map(|appid| ("merchant.applications", appid, ProductFields::Native));
    let other_apps = merchant.other_app_appids.iter();
    let other_apps =
        other_apps.map(|appid| ("merchant.applications", &**appid, ProductFields::App));
    let own = std::iter::once(official).chain(mini_program).chain(app);
    let own = own.chain(others).chain(other_apps);
    let own = own.map(|(field, appid, product)| Binding {
        subject: format!("{field} {appid} belongs to mchid {mchid}"),
        appid,
        sub: None,
        product,
    });
    if merchant.sub_merchants.is_empty() {
        return own.collect();
    }
    // A service provider orders only for sub-merchants.
    let first = merchant.sub_merchants.first();
    let own = own.map(|binding| Binding {
        sub: first,
        ..binding
    });
    let others = merchant.sub_merchants.iter().map(|sub| Binding {
        subject: match &sub.sub_appid {
            Some(sub_appid) => format!(
                "merchant.sub_merchants {} acts under mchid {mchid}, with sub_appid {sub_appid}",
                sub.sub_mchid
            ),
            None => format!(
                "merchant.sub_merchants {} acts under mchid {mchid}",
                sub.sub_mchid
            ),
        },
        appid: &merchant.appid,
        sub: Some(sub),
        product: ProductFields::Native,
    });
    own.chain(others).collect()
}

async fn place_and_close(
    check: &Check<'_>,
    working: &Config,
    binding: &Binding<'_>,
) -> Result<(Verdict, String), LiveCheckError> {
    let number = check.random_number()?;
    let client = check.client(working);
    let order = order(check, working, binding, &number)?;
    let orderer = order.orderer.clone();
    let placed = client.place_trial_order(order).await;
    Ok(match placed {
        Ok(()) => {
            let closed = close(&client, &orderer, &number).await;
            (
                Verdict::Proved,
                format!(
                    "WeChat took an order of one fen, {}, which {closed}",
                    number.as_str()
                ),
            )
        }
        Err(error) => {
            let (verdict, text) = judge(&error);
            if !error.is_refusal() && !matches!(verdict, Verdict::Wrong) {
                let closed = close(&client, &orderer, &number).await;
                (
                    verdict,
                    format!(
                        "{text}; the order {}, if it is there, {closed}",
                        number.as_str()
                    ),
                )
            } else {
                (verdict, text)
            }
        }
    })
}

fn judge(error: &CallError) -> (Verdict, String) {
    match error.wechat_code() {
        Some("APPID_MCHID_NOT_MATCH") => (
            Verdict::Wrong,
            format!("bind the two in the merchant portal, 产品中心 → AppID 账号管理: {error}"),
        ),
        Some("APPID_NOT_EXIST") => (Verdict::Wrong, format!("there is no such appid: {error}")),
        Some("NO_AUTH" | "NOAUTH") => (
            Verdict::NotProved,
            format!("the product of the order is not open for this merchant: {error}"),
        ),
        _ => (Verdict::NotProved, error.to_string()),
    }
}

/// The result of closing, to follow the word "which".
async fn close(client: &WechatClient, orderer: &Orderer, number: &OutTradeNo) -> String {
    match client.close_trial_order(orderer, number).await {
        Ok(()) => "is closed".to_owned(),
        Err(error) if error.reason() == Some(Reason::Paid) => {
            "WeChat calls paid: look at it in the portal".to_owned()
        }
        // Only a signed answer says that there is nothing to close.
        Err(error)
            if error.is_signed()
                && matches!(error.reason(), Some(Reason::Closed | Reason::OrderUnknown)) =>
        {
            "is closed".to_owned()
        }
        // Version 2 closes no order that is younger than five minutes.
        Err(error) if matches!(client.merchant.api, Api::V2(_)) && error.is_refusal() => {
            "ends by itself within five minutes".to_owned()
        }
        Err(error) => format!("ends by itself within five minutes; closing failed: {error}"),
    }
}

fn order(
    check: &Check<'_>,
    config: &Config,
    binding: &Binding<'_>,
    number: &OutTradeNo,
) -> Result<Order, LiveCheckError> {
    let merchant = &config.merchant;
    let mut order = Order::new(
        Orderer {
            account: Account::new(merchant.key.mchid(), binding.sub.map(|sub| &*sub.sub_mchid)),
            appid: binding.appid.to_owned(),
            sub_appid: binding.sub.and_then(|sub| sub.sub_appid.clone()),
        },
        number.clone(),
        Description::parse("check-config --place-order")?,
        Fen::new(1)?,
        merchant.notify_url.clone(),
        binding.product.clone(),
    );
    order.time_expire = Timestamp::from_second(check.now_s())
        .ok()
        .and_then(|now| now.checked_add(LIFE).ok());
    Ok(order)
}
