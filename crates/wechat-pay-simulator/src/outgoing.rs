//! Outgoing requests: notifications to the merchant, pages for the WeChat browser. The sender is
//! injected, so that tests run in one process without sockets.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use tower::{Service, ServiceExt};
use wechat_pay::is_loopback_host;

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, OutgoingError>> + Send>>;

/// Sends requests. Cheap to clone.
#[derive(Clone)]
pub struct Outgoing(Arc<dyn Fn(Request<Bytes>) -> Answer + Send + Sync>);

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutgoingError {
    /// The host is another machine, and the simulator may not connect to other machines.
    #[error("the host is not this machine")]
    NotLoopback,
    /// No answer in time.
    #[error("no answer in time")]
    TimedOut,
    /// No connection, or it was interrupted.
    #[error("no connection: {0}")]
    Unreachable(String),
}

impl Outgoing {
    /// Sends with an asynchronous function.
    pub fn from_fn<F, A>(send: F) -> Self
    where
        F: Fn(Request<Bytes>) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Response<Body>, OutgoingError>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(send(request))))
    }

    /// Sends to a tower service, such as an axum `Router`, for any address.
    pub fn from_service<S>(service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + Sync + 'static,
        S::Error: fmt::Display,
        S::Future: Send,
    {
        Self::from_fn(move |request: Request<Bytes>| {
            let service = service.clone();
            async move {
                service
                    .oneshot(request.map(Body::from))
                    .await
                    .map_err(|error| OutgoingError::Unreachable(error.to_string()))
            }
        })
    }

    /// HTTP over sockets, each request within `timeout`, following no redirect. Connects
    /// only to this machine unless `anywhere` is set.
    pub fn over_http(timeout: Duration, anywhere: bool) -> Result<Self, OutgoingError> {
        let client = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // With the spelling that WeChat uses, for merchants that compare header names with
            // case.
            .http1_title_case_headers()
            .build()
            .map_err(|error| OutgoingError::Unreachable(error.to_string()))?;
        Ok(Self::from_fn(move |request: Request<Bytes>| {
            let client = client.clone();
            async move {
                if !anywhere && !request.uri().host().is_some_and(is_loopback_host) {
                    return Err(OutgoingError::NotLoopback);
                }
                let request = reqwest::Request::try_from(request)
                    .map_err(|error| OutgoingError::Unreachable(error.to_string()))?;
                match client.execute(request).await {
                    Ok(response) => Ok(Response::<reqwest::Body>::from(response).map(Body::new)),
                    Err(error) if error.is_timeout() => Err(OutgoingError::TimedOut),
                    Err(error) => Err(OutgoingError::Unreachable(
                        // Without the address: it may contain a buyer's input.
                        error.without_url().to_string(),
                    )),
                }
            }
        }))
    }

    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Body>, OutgoingError> {
        (self.0)(request).await
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outgoing")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_to_another_machine_is_refused_before_it_is_sent() {
        let outgoing = Outgoing::over_http(Duration::from_secs(5), false).unwrap();
        for url in ["http://shop.example/n", "https://10.0.0.1/n", "/n"] {
            let request = Request::post(url).body(Bytes::new()).unwrap();
            let error = outgoing.send(request).await.unwrap_err();
            assert_eq!(error, OutgoingError::NotLoopback, "{url}");
        }
    }
}
