//! A transport to a simulated WeChat, or to a backend, that is a service in the same process. It is
//! for journeys and demos, and uses no network.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use merchant_core::surroundings::{Call, REPLY_MAX_BYTES, TransportError, WechatTransport};
use tower::{Service, ServiceExt as _};

/// A transport into a service of this process, such as an axum `Router`.
#[derive(Clone, Debug)]
pub struct ServiceTransport<S>(S);

impl<S> ServiceTransport<S> {
    /// Makes a transport into the service that acts as WeChat.
    pub const fn new(service: S) -> Self {
        Self(service)
    }
}

impl<S> WechatTransport for ServiceTransport<S>
where
    S: Service<http::Request<Body>, Response = Response> + Clone + Send + Sync + 'static,
    S::Future: Send,
    S::Error: std::fmt::Display,
{
    fn call(&self, request: http::Request<Bytes>) -> Call<'_> {
        let service = self.0.clone();
        Box::pin(async move {
            let response = service
                .oneshot(request.map(Body::from))
                .await
                .map_err(|error| TransportError::NoAnswer(error.to_string()))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, REPLY_MAX_BYTES)
                .collect()
                .await
                .map_err(|error| TransportError::NoAnswer(error.to_string()))?;
            Ok(http::Response::from_parts(parts, body.to_bytes()))
        })
    }
}
