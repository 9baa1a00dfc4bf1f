//! What the page does next: the link of an attempt in the form that its product needs.

use merchant_api::{Action, CheckoutAnswer, PayParameters, Product, RETURN_PARAMETER};
use url::form_urlencoded;

use super::answer::answer;
use super::wish::Wish;
use crate::error::Failure;
use crate::ledger::{Attempt, Checkout};
use crate::return_address;
use crate::server::MerchantServer;

/// The answer with what the page does next for this attempt.
pub(super) fn with_action(
    server: &MerchantServer,
    checkout: &Checkout,
    attempt: &Attempt,
    wish: &Wish,
) -> Result<CheckoutAnswer, Failure> {
    let link = attempt.link.as_ref().map_or("", |link| &*link.text);
    let action = match attempt.product {
        Product::Native => Action::CodeUrl(link.to_owned()),
        Product::H5 => Action::H5Url(h5_url(link, attempt, wish)),
        Product::Jsapi => Action::Jsapi(pay_parameters(server, attempt, link)?),
        Product::MiniProgram => Action::MiniProgram(pay_parameters(server, attempt, link)?),
    };
    Ok(answer(server, checkout, Some(action)))
}

/// WeChat's address with the way back, the one thing that may be added to it.
fn h5_url(link: &str, attempt: &Attempt, wish: &Wish) -> String {
    let Some(return_url) = &wish.return_url else {
        return link.to_owned();
    };
    let back = return_address::with_parameter(
        return_url.clone(),
        RETURN_PARAMETER,
        &attempt.return_handle,
    );
    let back: String = form_urlencoded::byte_serialize(back.as_str().as_bytes()).collect();
    let joint = if link.contains('?') { '&' } else { '?' };
    format!("{link}{joint}redirect_url={back}")
}

fn pay_parameters(
    server: &MerchantServer,
    attempt: &Attempt,
    prepay_id: &str,
) -> Result<PayParameters, Failure> {
    let signed = server
        .wechat
        .pay_parameters(&attempt.appid, prepay_id)
        .map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(PayParameters {
        app_id: signed.app_id,
        time_stamp: signed.time_stamp,
        nonce_str: signed.nonce_str,
        package: signed.package,
        sign_type: signed.sign_type,
        pay_sign: signed.pay_sign,
    })
}
