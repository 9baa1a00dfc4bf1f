//! Prepares an attempt: the return address, the payer, and the merchant's application. Nothing is
//! changed here, except that an OAuth redirect is stored and a mini-program's login code is used
//! up.

use merchant_api::{Action, AttemptProduct, ErrorCode, PAYER_UNAVAILABLE_HANDLE};
use payment_values::OpenId;
use url::{Url, form_urlencoded};
use wechat_pay::{H5Type, ProductFields};

use super::request::{AttemptRequest, PayerClaim, Scanned};
use super::{oauth, return_address};
use crate::checkouts::answer;
use crate::config::MiniProgram;
use crate::ledger::{Checkout, Order, Parties};
use crate::payments::Payments;
use crate::refusal::Refusal;
use crate::wechat::Application;

/// A prepared attempt: everything that the order's body needs.
pub(super) struct PreparedAttempt {
    /// The product with its own fields.
    pub(super) payment: Payment,
    pub(super) parties: Parties,
    /// Whether the openid is of the sub-merchant's application.
    pub(super) openid_is_sub: bool,
    /// The payer handle, used up by the attempt that it starts.
    pub(super) payer_handle: Option<String>,
    /// The return address (H5).
    pub(super) return_url: Option<Url>,
}

/// The product.
pub(super) enum Payment {
    /// By a link or parameters for the cashier.
    Link(ProductFields),
    /// By the buyer's code.
    Code(Scanned),
}

/// The result of preparing a request.
pub(super) enum Preparation {
    /// The attempt can start.
    Ready(Box<PreparedAttempt>),
    /// The buyer must be redirected first. This is not an attempt and changes nothing.
    NeedsRedirect(Action),
}

/// Prepares a request, or returns the refusal.
pub(super) async fn prepare(
    payments: &Payments,
    checkout: &Checkout,
    request: &AttemptRequest,
) -> Result<Preparation, Refusal> {
    let order = &checkout.order;
    let (merchant, appids) = (&payments.config.merchant, request.appids(order));
    let official = || Some(merchant.official_account(&appids).0.to_owned());
    let prepared = |appid: Option<String>, payment| -> Result<PreparedAttempt, Refusal> {
        let appid = appid.ok_or_else(not_offered)?;
        Ok(PreparedAttempt {
            payment,
            parties: parties(payments, order, appid),
            openid_is_sub: false,
            payer_handle: None,
            return_url: None,
        })
    };
    let prepared = match request.product {
        AttemptProduct::Native => prepared(official(), Payment::Link(ProductFields::Native))?,
        AttemptProduct::H5 => {
            let return_url = return_url(payments, checkout, request)?;
            let payer_client_ip = request.buyer_address.ok_or_else(|| {
                Refusal::new(
                    ErrorCode::ProductUnavailable,
                    "h5 needs the buyer's address, which is not known: check trusted_proxies, or send payer_client_ip",
                )
            })?;
            let fields = ProductFields::H5 {
                payer_client_ip,
                h5_type: H5Type::Wap,
            };
            PreparedAttempt {
                return_url: Some(return_url),
                ..prepared(official(), Payment::Link(fields))?
            }
        }
        AttemptProduct::Jsapi => match payer_in_wechat(payments, checkout, request).await? {
            Err(redirect) => return Ok(Preparation::NeedsRedirect(redirect)),
            Ok(payer) => prepared(official(), Payment::Link(payer.fields()))?.paid_by(payer),
        },
        AttemptProduct::MiniProgram => {
            let mini_program = merchant.mini_program_of(&appids);
            let mini_program = mini_program.ok_or_else(not_offered)?;
            match payer_in_mini_program(payments, mini_program, checkout, request).await? {
                Err(redirect) => return Ok(Preparation::NeedsRedirect(redirect)),
                Ok(payer) => {
                    let appid = Some(mini_program.appid.clone());
                    prepared(appid, Payment::Link(payer.fields()))?.paid_by(payer)
                }
            }
        }
        AttemptProduct::App => {
            let appid = merchant.app_of(&appids).map(str::to_owned);
            prepared(appid, Payment::Link(ProductFields::App))?
        }
        AttemptProduct::CodePay => {
            let scanned = request.scanned.clone().ok_or_else(not_offered)?;
            prepared(official(), Payment::Code(scanned))?
        }
    };
    Ok(Preparation::Ready(Box::new(prepared)))
}

/// A payer under one application.
struct Payer {
    openid: OpenId,
    is_sub: bool,
    handle: Option<String>,
}

impl Payer {
    fn fields(&self) -> ProductFields {
        let openid = self.openid.clone();
        ProductFields::Jsapi { openid }
    }
}

impl PreparedAttempt {
    fn paid_by(mut self, payer: Payer) -> Self {
        self.payer_handle = payer.handle;
        self.openid_is_sub = payer.is_sub;
        if let Some(sub_appid) = self.parties.sub_appid.clone().filter(|_| payer.is_sub) {
            self.parties.payer_appid = sub_appid;
        }
        self
    }
}

async fn payer_in_wechat(
    payments: &Payments,
    checkout: &Checkout,
    request: &AttemptRequest,
) -> Result<Result<Payer, Action>, Refusal> {
    let order = &checkout.order;
    // A handle was obtained under the application that is used now; see `oauth`.
    let asked_is_sub = oauth::asks_sub_merchants_account(&payments.config.merchant, order);
    match (&request.payer, &order.openid) {
        (PayerClaim::OpenId { openid, is_sub }, _) => {
            if *is_sub && !has_sub_appid(payments, order) {
                return Err(Refusal::field(
                    ErrorCode::PayerInvalid,
                    "payer.sub_openid",
                    "belongs to a sub_appid, and none is configured for this order",
                ));
            }
            Ok(Ok(Payer {
                openid: named_openid(openid)?,
                is_sub: *is_sub,
                handle: None,
            }))
        }
        (PayerClaim::LoginCode(_), _) => Err(invalid_payer("code")),
        // The merchant's backend named the payer in the order, so the page's fields are not used.
        (_, Some(openid)) => Ok(Ok(Payer {
            openid: openid.clone(),
            is_sub: order.openid_is_sub,
            handle: None,
        })),
        (PayerClaim::Handle(handle), None) if handle == PAYER_UNAVAILABLE_HANDLE => {
            Err(Refusal::new(
                ErrorCode::PayerUnavailable,
                "WeChat gave no openid for this buyer",
            ))
        }
        (PayerClaim::Handle(handle), None) => {
            let payer = payments
                .ledger
                .payer_of_handle(handle, order.id, payments.clock.now_ms())
                .await?
                .ok_or_else(|| invalid_payer("payer"))?;
            Ok(Ok(Payer {
                openid: payer.openid,
                is_sub: asked_is_sub,
                handle: Some(payer.handle),
            }))
        }
        (PayerClaim::NotGiven, None) => {
            refuse_silent_take_over(payments, checkout, request)?;
            let back = return_url(payments, checkout, request)?;
            let url = oauth::authorize_url(payments, order, &back).await?;
            Ok(Err(Action::AuthorizeUrl(url)))
        }
    }
}

/// A web-view gets the path of the mini-program's page. That page sends a login code, or its
/// backend knows the openid.
async fn payer_in_mini_program(
    payments: &Payments,
    mini_program: &MiniProgram,
    checkout: &Checkout,
    request: &AttemptRequest,
) -> Result<Result<Payer, Action>, Refusal> {
    let openid = match &request.payer {
        PayerClaim::OpenId { is_sub: true, .. } | PayerClaim::Handle(_) => {
            return Err(invalid_payer("payer"));
        }
        PayerClaim::OpenId { openid, .. } => named_openid(openid)?,
        PayerClaim::LoginCode(code) => openid_of_login(payments, mini_program, code).await?,
        PayerClaim::NotGiven => {
            refuse_silent_take_over(payments, checkout, request)?;
            let path = mini_program.path.as_deref().ok_or_else(not_offered)?;
            let action = Action::MiniProgramPath(path_with_token(path, &checkout.order.token));
            return Ok(Err(action));
        }
    };
    Ok(Ok(Payer {
        openid,
        is_sub: false,
        handle: None,
    }))
}

async fn openid_of_login(
    payments: &Payments,
    mini_program: &MiniProgram,
    code: &str,
) -> Result<OpenId, Refusal> {
    let secret = mini_program.secret.as_ref().ok_or_else(|| {
        Refusal::new(
            ErrorCode::PayerUnavailable,
            "without merchant.mini_program_secret WeChat cannot be asked who pays",
        )
    })?;
    let application = Application {
        appid: &mini_program.appid,
        secret,
    };
    match payments.wechat.openid_of_login(application, code).await {
        Ok(openid) => Ok(openid),
        Err(error) => {
            tracing::warn!(event = "mini_program.no_openid", %error, "WeChat gave no openid");
            Err(if error.is_bad_code() {
                invalid_payer("code")
            } else {
                Refusal::new(
                    ErrorCode::PayerUnavailable,
                    "WeChat gave no openid for this buyer",
                )
            })
        }
    }
}

/// An openid that the backend named in its call.
fn named_openid(text: &str) -> Result<OpenId, Refusal> {
    OpenId::parse(text).map_err(|_| invalid_payer("payer"))
}

fn path_with_token(path: &str, token: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
    format!("{path}{joint}token={token}")
}

/// The parties of the order. The payer's application is the ordering one, unless the payer has
/// another one.
fn parties(payments: &Payments, order: &Order, appid: String) -> Parties {
    let sub = order
        .sub_mchid
        .as_deref()
        .and_then(|sub_mchid| payments.config.merchant.sub_merchant(sub_mchid));
    Parties {
        payer_appid: appid.clone(),
        appid,
        sub_mchid: order.sub_mchid.clone(),
        sub_appid: sub.and_then(|sub| sub.sub_appid.clone()),
    }
}

fn has_sub_appid(payments: &Payments, order: &Order) -> bool {
    parties(payments, order, String::new()).sub_appid.is_some()
}

/// Do not redirect a page whose `after` is stale: answer ATTEMPT_SUPERSEDED first.
fn refuse_silent_take_over(
    payments: &Payments,
    checkout: &Checkout,
    request: &AttemptRequest,
) -> Result<(), Refusal> {
    let is_other = checkout
        .attempt
        .as_ref()
        .is_some_and(|attempt| attempt.state.is_alive() && attempt.product != request.product);
    if is_other && request.after != checkout.order.current_attempt {
        return Err(Refusal::Superseded(Box::new(answer(
            payments, checkout, None,
        ))));
    }
    Ok(())
}

fn return_url(
    payments: &Payments,
    checkout: &Checkout,
    request: &AttemptRequest,
) -> Result<Url, Refusal> {
    let text = request
        .return_url
        .as_ref()
        .or(checkout.order.return_url.as_ref());
    let text = text.ok_or_else(|| {
        Refusal::field(
            ErrorCode::ReturnUrlRefused,
            "return_url",
            "is missing, and neither does the order carry one",
        )
    })?;
    return_address::check(&payments.config, "return_url", text)
}

fn invalid_payer(field: &str) -> Refusal {
    Refusal::field(
        ErrorCode::PayerInvalid,
        field,
        "is unknown, used or too old",
    )
}

fn not_offered() -> Refusal {
    Refusal::field(
        ErrorCode::ProductUnavailable,
        "product",
        "is not offered for this order",
    )
}
