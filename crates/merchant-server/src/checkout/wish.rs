//! What a page wants, read from its form and the order: where the buyer comes back to, who pays,
//! from which address. Nothing is changed here; only a hop for the openid is prepared.

use merchant_api::{AttemptForm, ErrorCode, PAYER_UNAVAILABLE_HANDLE, Product};
use url::Url;
use wechat_pay::{H5Type, OpenId, ProductFields};

use super::answer::answer;
use crate::client_address::Caller;
use crate::error::Failure;
use crate::ledger::Checkout;
use crate::oauth;
use crate::return_address;
use crate::server::MerchantServer;

/// What a page wants, with everything that the order's body needs.
pub(super) struct Wish {
    /// The product with what only it needs.
    pub(super) fields: ProductFields,
    /// Used up by the attempt that it starts.
    pub(super) payer_handle: Option<String>,
    /// Where the buyer comes back to (H5).
    pub(super) return_url: Option<Url>,
}

/// What reading a wish came to.
pub(super) enum Wanted {
    /// It can be tried.
    Attempt(Wish),
    /// The payer must be asked for first.
    Authorize(String),
}

/// Reads a wish, or says why it cannot be had.
pub(super) async fn read_wish(
    server: &MerchantServer,
    caller: Caller,
    checkout: &Checkout,
    form: &AttemptForm,
) -> Result<Wanted, Failure> {
    let wish = |fields| Wish {
        fields,
        payer_handle: None,
        return_url: None,
    };
    match form.product {
        Product::Native => Ok(Wanted::Attempt(wish(ProductFields::Native))),
        Product::H5 => {
            let return_url = return_url(server, checkout, form)?;
            let payer_client_ip = caller.address.ok_or_else(|| {
                Failure::new(
                    ErrorCode::ProductUnavailable,
                    "h5 needs the buyer's address, which is not known: check trusted_proxies",
                )
            })?;
            Ok(Wanted::Attempt(Wish {
                return_url: Some(return_url),
                ..wish(ProductFields::H5 {
                    payer_client_ip,
                    h5_type: H5Type::Wap,
                })
            }))
        }
        Product::Jsapi => read_jsapi_wish(server, checkout, form).await,
        Product::MiniProgram => Err(Failure::field(
            ErrorCode::ProductUnavailable,
            "product",
            "is not offered for this order",
        )),
    }
}

async fn read_jsapi_wish(
    server: &MerchantServer,
    checkout: &Checkout,
    form: &AttemptForm,
) -> Result<Wanted, Failure> {
    let order = &checkout.order;
    let invalid = || {
        Failure::field(
            ErrorCode::PayerInvalid,
            "payer",
            "is unknown, used or too old",
        )
    };
    let (openid, payer_handle) = match (&form.payer, &order.openid) {
        // The shop knows its buyer; what the page says is not asked for then.
        (_, Some(openid)) => (openid.clone(), None),
        (Some(handle), None) if handle == PAYER_UNAVAILABLE_HANDLE => {
            return Err(Failure::new(
                ErrorCode::PayerUnavailable,
                "WeChat gave no openid for this buyer",
            ));
        }
        (Some(handle), None) => {
            let payer = server
                .ledger
                .payer_of_handle(handle, order.id, server.clock.now_ms())
                .await?
                .ok_or_else(invalid)?;
            (payer.openid, Some(payer.handle))
        }
        (None, None) => {
            refuse_silent_take_over(server, checkout, form)?;
            let back = return_url(server, checkout, form)?;
            return oauth::authorize_url(server, order, &back)
                .await
                .map(Wanted::Authorize);
        }
    };
    let openid = OpenId::parse(openid).map_err(|_| invalid())?;
    Ok(Wanted::Attempt(Wish {
        fields: ProductFields::Jsapi { openid },
        payer_handle,
        return_url: None,
    }))
}

/// Nobody is sent for an openid to take over what they have not seen.
fn refuse_silent_take_over(
    server: &MerchantServer,
    checkout: &Checkout,
    form: &AttemptForm,
) -> Result<(), Failure> {
    let is_other = checkout
        .attempt
        .as_ref()
        .is_some_and(|attempt| attempt.state.is_alive() && attempt.product != form.product);
    if is_other && form.after.unwrap_or(0) != checkout.order.current_attempt {
        return Err(Failure::Superseded(Box::new(answer(
            server, checkout, None,
        ))));
    }
    Ok(())
}

fn return_url(
    server: &MerchantServer,
    checkout: &Checkout,
    form: &AttemptForm,
) -> Result<Url, Failure> {
    let text = form
        .return_url
        .as_ref()
        .or(checkout.order.return_url.as_ref());
    let text = text.ok_or_else(|| {
        Failure::field(
            ErrorCode::ReturnUrlRefused,
            "return_url",
            "is missing, and neither does the order carry one",
        )
    })?;
    return_address::check(&server.config, "return_url", text)
}
