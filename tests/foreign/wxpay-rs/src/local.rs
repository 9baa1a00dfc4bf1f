//! The one change to the client: requests to WeChat's address go to the simulator's address.

use async_trait::async_trait;
use wxpay_rs::WxPayResult;
use wxpay_rs::http::client::HttpResponse;
use wxpay_rs::http::{HttpClient, ReqwestHttpClient};

pub(crate) const WECHAT: &str = "https://api.mch.weixin.qq.com";

/// The client's own HTTP client, with the address changed.
pub(crate) struct Local {
    client: ReqwestHttpClient,
    base_url: String,
}

impl Local {
    pub(crate) fn new(base_url: &str) -> WxPayResult<Self> {
        let client = ReqwestHttpClient::builder()
            .timeout(10)
            .max_retries(0)
            .build()?;
        Ok(Self {
            client,
            base_url: base_url.to_owned(),
        })
    }

    fn url(&self, url: &str) -> String {
        url.replacen(WECHAT, &self.base_url, 1)
    }
}

type Headers = Vec<(String, String)>;

#[async_trait]
impl HttpClient for Local {
    async fn get(&self, url: &str, headers: Headers) -> WxPayResult<HttpResponse> {
        self.client.get(&self.url(url), headers).await
    }

    async fn post(&self, url: &str, headers: Headers, body: &str) -> WxPayResult<HttpResponse> {
        self.client.post(&self.url(url), headers, body).await
    }

    async fn put(&self, url: &str, headers: Headers, body: &str) -> WxPayResult<HttpResponse> {
        self.client.put(&self.url(url), headers, body).await
    }

    async fn delete(&self, url: &str, headers: Headers) -> WxPayResult<HttpResponse> {
        self.client.delete(&self.url(url), headers).await
    }

    async fn patch(&self, url: &str, headers: Headers, body: &str) -> WxPayResult<HttpResponse> {
        self.client.patch(&self.url(url), headers, body).await
    }
}
