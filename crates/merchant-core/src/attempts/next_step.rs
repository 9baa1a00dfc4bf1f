//! The next step of an attempt: its link in the form that its product needs.

use merchant_api::{Action, AppPayParameters, AttemptProduct, PayParameters, RETURN_PARAMETER};
use url::form_urlencoded;

use super::preparation::PreparedAttempt;
use super::return_address;
use crate::ledger::Attempt;
use crate::payments::Payments;
use crate::refusal::Refusal;

/// What the caller does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NextStep {
    /// An action for a page.
    Page(Action),
    /// Parameters that an app passes to WeChat's SDK.
    App(AppPayParameters),
    /// Nothing: the buyer's code was accepted, and the buyer confirms on the phone.
    Wait,
}

/// The next step for this attempt. Parameters are signed again.
pub(super) fn next_step(
    payments: &Payments,
    attempt: &Attempt,
    prepared: &PreparedAttempt,
) -> Result<NextStep, Refusal> {
    let link = attempt.link.as_ref().map_or("", |link| &*link.text);
    let action = match attempt.product {
        AttemptProduct::Native => Action::CodeUrl(link.to_owned()),
        AttemptProduct::H5 => Action::H5Url(h5_url(link, attempt, prepared)),
        AttemptProduct::Jsapi => Action::Jsapi(pay_parameters(payments, attempt, link)?),
        AttemptProduct::MiniProgram => {
            Action::MiniProgram(pay_parameters(payments, attempt, link)?)
        }
        AttemptProduct::App => return app_parameters(payments, attempt, link).map(NextStep::App),
        AttemptProduct::CodePay => return Ok(NextStep::Wait),
    };
    Ok(NextStep::Page(action))
}

/// WeChat's address with the return address, the only parameter that may be added.
fn h5_url(link: &str, attempt: &Attempt, prepared: &PreparedAttempt) -> String {
    let Some(return_url) = &prepared.return_url else {
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
    payments: &Payments,
    attempt: &Attempt,
    prepay_id: &str,
) -> Result<PayParameters, Refusal> {
    let signed = payments
        .wechat
        .pay_parameters(attempt, prepay_id)
        .map_err(|error| Refusal::Internal(error.to_string()))?;
    Ok(PayParameters {
        app_id: signed.app_id,
        time_stamp: signed.time_stamp,
        nonce_str: signed.nonce_str,
        package: signed.package,
        sign_type: signed.sign_type,
        pay_sign: signed.pay_sign,
    })
}

fn app_parameters(
    payments: &Payments,
    attempt: &Attempt,
    prepay_id: &str,
) -> Result<AppPayParameters, Refusal> {
    let signed = payments
        .wechat
        .app_parameters(attempt, prepay_id)
        .map_err(|error| Refusal::Internal(error.to_string()))?;
    Ok(AppPayParameters {
        appid: signed.appid,
        partnerid: signed.partnerid,
        prepayid: signed.prepayid,
        package: signed.package,
        noncestr: signed.noncestr,
        timestamp: signed.timestamp,
        sign: signed.sign,
    })
}
