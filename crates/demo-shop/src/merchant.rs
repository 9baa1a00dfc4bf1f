//! The shop's client for the merchant server's API. It never talks to WeChat.

use std::time::Duration;

use merchant_api::{ApiError, CheckoutAnswer, CreateOrder, CreatedOrder, ErrorCode, OrderState};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};

use crate::config::ShopConfig;

/// The timeout of a call, during which the buyer sees a blank page.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Why an order could not be created, or its state not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MerchantError {
    /// No answer: the server is not running, or too slow.
    #[error("the merchant server could not be reached: {0}")]
    Unreachable(reqwest::Error),
    /// The server refused; the code says why.
    #[error("the merchant server refused with {status} {}: {message}", code.map_or("(no code)", ErrorCode::as_str))]
    Refused {
        status: u16,
        code: Option<ErrorCode>,
        message: String,
    },
    /// The answer breaks the contract.
    #[error("the merchant server's answer breaks the contract: {0}")]
    Malformed(String),
}

#[derive(Clone)]
pub(crate) struct MerchantClient {
    http: reqwest::Client,
    base: String,
    bearer: String,
}

impl MerchantClient {
    pub(crate) fn new(config: &ShopConfig) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            // A redirect could send the API key to another host, and a proxy from the environment
            // would see it.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            http,
            base: merchant_base(config),
            bearer: format!("Bearer {}", config.api_key.expose()),
        })
    }

    /// Creates the order. The call is idempotent: the same order gets the same answer.
    pub(crate) async fn create(&self, order: &CreateOrder) -> Result<CreatedOrder, MerchantError> {
        let body = serde_json::to_vec(order)
            .map_err(|error| MerchantError::Malformed(error.to_string()))?;
        let request = self
            .http
            .post(format!("{}/orders", self.base))
            .header(AUTHORIZATION, &self.bearer)
            .header(CONTENT_TYPE, "application/json")
            .body(body);
        let answer = answer_of(request).await?;
        serde_json::from_value(answer).map_err(|error| MerchantError::Malformed(error.to_string()))
    }

    /// Whether the merchant server reports the order as paid.
    pub(crate) async fn is_paid(&self, token: &str) -> Result<bool, MerchantError> {
        let answer = answer_of(self.http.get(format!("{}/checkouts/{token}", self.base))).await?;
        let answer = CheckoutAnswer::read(&answer).map_err(|malformed| {
            MerchantError::Malformed(format!("{} {}", malformed.field, malformed.rule))
        })?;
        Ok(answer.state == OrderState::Paid)
    }
}

/// `{merchant-server}/v1`: the value of the element's `merchant-api`.
pub(crate) fn merchant_base(config: &ShopConfig) -> String {
    format!(
        "{}/v1",
        config.merchant_server.as_str().trim_end_matches('/')
    )
}

async fn answer_of(request: reqwest::RequestBuilder) -> Result<serde_json::Value, MerchantError> {
    // The error's address holds the token, which must not be logged.
    let unreachable = |error: reqwest::Error| MerchantError::Unreachable(error.without_url());
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let body = response.bytes().await.map_err(unreachable)?;
    let json = serde_json::from_slice(&body);
    if !status.is_success() {
        let error = json.ok().and_then(|value| ApiError::read(&value).ok());
        return Err(MerchantError::Refused {
            status: status.as_u16(),
            code: error.as_ref().and_then(|error| error.code),
            message: error.map(|error| error.message).unwrap_or_default(),
        });
    }
    json.map_err(|error| MerchantError::Malformed(error.to_string()))
}
