//! A call to the payment service whose API key may use it. It does not know the calls' fields.

use axum::body::Bytes;
use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use merchant_api::ErrorCode;
use merchant_core::config::Scope;
use merchant_core::{Merchants, Payments, Refusal};

use super::failure::PayFailure;
use super::form::Form;
use crate::extract::{Backend, read_body};

/// The whole body of such a call. Extraction fails in the form of the payment service.
pub(crate) struct Call {
    payments: Payments,
    body: Bytes,
}

impl Call {
    /// The payments of the merchant whose key it is.
    pub(super) const fn payments(&self) -> &Payments {
        &self.payments
    }

    /// The fields of the call.
    pub(super) fn form(&self) -> Result<Form<'_>, Refusal> {
        Form::read(&self.body)
    }
}

impl<S: Send + Sync> FromRequest<S> for Call
where
    Merchants: FromRef<S>,
{
    type Rejection = PayFailure;

    async fn from_request(request: Request, state: &S) -> Result<Self, PayFailure> {
        let (mut parts, body) = request.into_parts();
        let backend = Backend::from_request_parts(&mut parts, state).await?;
        let payments = backend.may(Scope::WxpayServer)?.clone();
        if payments.config().wxpay_server.is_none() {
            // The routes are there for another merchant.
            let message = "this merchant's configuration has no payment service";
            return Err(Refusal::new(ErrorCode::RouteUnknown, message).into());
        }
        let body = Bytes::from_request(Request::from_parts(parts, body), state).await;
        let body = read_body(body)?;
        Ok(Self { payments, body })
    }
}
