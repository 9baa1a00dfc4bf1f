//! Sends a page's requests over HTTP, unchanged.

use http::{Request, Response};

use crate::native_page::{Backend, Later};

/// The merchant's backend, reached by this client.
#[derive(Clone, Debug)]
pub struct HttpBackend(pub reqwest::Client);

impl Backend for HttpBackend {
    fn send(&self, request: Request<String>) -> Later<Option<Response<Vec<u8>>>> {
        let http = self.0.clone();
        Box::pin(async move { send_over_http(&http, request).await.ok() })
    }
}

/// Sends a request and reads the whole answer.
pub async fn send_over_http(
    http: &reqwest::Client,
    request: Request<String>,
) -> reqwest::Result<Response<Vec<u8>>> {
    let response = http.execute(request.try_into()?).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut whole = Response::new(response.bytes().await?.to_vec());
    (*whole.status_mut(), *whole.headers_mut()) = (status, headers);
    Ok(whole)
}
