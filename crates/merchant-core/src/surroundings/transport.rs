//! The transport to WeChat: over the network in production, or into a simulator in the same process
//! in a test. Nothing is signed or verified here.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};

use crate::config::is_loopback_host;

/// Largest reply that is read into memory, in bytes. WeChat's replies are below 10 KB. Only bills
/// are larger, and they are downloaded into a file.
pub const REPLY_MAX_BYTES: usize = 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The default time limit of a call.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// WeChat keeps an idle connection for eight seconds (`Keep-Alive: timeout=8`). A connection that
/// it may have closed must not carry an order.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long this one try may take, from connecting to the answer's last byte: an extension of the
/// request. A connection alone never takes longer than three seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryTimeout(Duration);

impl TryTimeout {
    /// A timeout of this many milliseconds.
    pub const fn from_ms(ms: u64) -> Self {
        Self(Duration::from_millis(ms))
    }
}

/// The answer to one call, or the error.
pub type Call<'a> =
    Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, TransportError>> + Send + 'a>>;

/// An answer's body as it comes, piece by piece.
pub type ReplyBody = UnsyncBoxBody<Bytes, BodyError>;

/// A body broke off. The error gives no reason, because the reason may name the request's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body broke off")]
pub struct BodyError;

/// A body whose bytes are already present.
pub fn whole_body(bytes: impl Into<Bytes>) -> ReplyBody {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// The answer to one call as soon as its head has arrived, with the body still to come.
pub type Download<'a> =
    Pin<Box<dyn Future<Output = Result<http::Response<ReplyBody>, TransportError>> + Send + 'a>>;

/// Why there is no answer. Texts never hold the request's address: it may carry a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// There was no connection, so nothing happened at the other end.
    #[error("WeChat could not be reached: {0}")]
    NotSent(String),
    /// Something may have happened at the other end.
    #[error("no answer from WeChat: {0}")]
    NoAnswer(String),
}

/// A transport to WeChat.
pub trait WechatTransport: Send + Sync + 'static {
    /// Sends once, without retries.
    fn call(&self, request: http::Request<Bytes>) -> Call<'_>;

    /// The same for a file that may not fit into memory. The time limit applies to the whole file.
    /// By default it is an ordinary call.
    fn download(&self, request: http::Request<Bytes>) -> Download<'_> {
        let call = self.call(request);
        Box::pin(async move { Ok(call.await?.map(whole_body)) })
    }
}

/// Over the network: no redirects, bounded in time and size.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    public: reqwest::Client,
    /// For addresses of this machine: a system proxy would look for them elsewhere, and could read
    /// the call.
    loopback: reqwest::Client,
}

impl HttpTransport {
    /// A client that is kept for the whole run. `only_loopback` ignores the system's proxy
    /// settings: a proxy cannot reach a simulator on this machine.
    pub fn new(only_loopback: bool) -> Result<Self, reqwest::Error> {
        let client = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .pool_idle_timeout(IDLE_TIMEOUT)
                .timeout(CALL_TIMEOUT)
                .user_agent(concat!("merchant-server/", env!("CARGO_PKG_VERSION")))
        };
        let loopback = client().no_proxy().build()?;
        let public = if only_loopback {
            loopback.clone()
        } else {
            client().build()?
        };
        Ok(Self { public, loopback })
    }

    /// Sends, and waits for the answer's head.
    async fn execute(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<reqwest::Response, TransportError> {
        let timeout = request.extensions().get::<TryTimeout>().copied();
        let mut request = reqwest::Request::try_from(request).map_err(not_sent)?;
        if let Some(TryTimeout(timeout)) = timeout {
            *request.timeout_mut() = Some(timeout);
        }
        let client = if is_loopback_host(request.url()) {
            &self.loopback
        } else {
            &self.public
        };
        client.execute(request).await.map_err(|error| {
            if error.is_connect() {
                not_sent(error)
            } else {
                no_answer(error)
            }
        })
    }
}

impl WechatTransport for HttpTransport {
    fn call(&self, request: http::Request<Bytes>) -> Call<'_> {
        Box::pin(async move {
            let mut response = self.execute(request).await?;
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
                if body.len() + chunk.len() > REPLY_MAX_BYTES {
                    return Err(TransportError::NoAnswer(format!(
                        "the reply is longer than {REPLY_MAX_BYTES} bytes"
                    )));
                }
                body.extend_from_slice(&chunk);
            }
            let mut reply = http::Response::new(Bytes::from(body));
            *reply.status_mut() = response.status();
            *reply.headers_mut() = response.headers().clone();
            Ok(reply)
        })
    }

    fn download(&self, request: http::Request<Bytes>) -> Download<'_> {
        Box::pin(async move {
            let response = self.execute(request).await?;
            let response = http::Response::<reqwest::Body>::from(response);
            Ok(response.map(|body| body.map_err(|_| BodyError).boxed_unsync()))
        })
    }
}

fn not_sent(error: reqwest::Error) -> TransportError {
    TransportError::NotSent(chain(&error.without_url()))
}

fn no_answer(error: reqwest::Error) -> TransportError {
    TransportError::NoAnswer(chain(&error.without_url()))
}

/// The error with its causes, because the outermost one says little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    async fn call(address: std::net::SocketAddr) -> TransportError {
        let mut request = http::Request::get(format!("http://{address}/secret?token=abc"))
            .body(Bytes::new())
            .unwrap();
        request.extensions_mut().insert(TryTimeout::from_ms(50));
        let transport = HttpTransport::new(true).unwrap();
        transport.call(request).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_host_that_never_answers_may_have_received_the_request() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let error = call(listener.local_addr().unwrap()).await;
        assert!(matches!(error, TransportError::NoAnswer(_)), "{error}");
        assert!(!error.to_string().contains("abc"), "{error}");
    }

    #[tokio::test]
    async fn a_closed_port_has_not_received_the_request() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = call(address).await;
        assert!(matches!(error, TransportError::NotSent(_)), "{error}");
        assert!(!error.to_string().contains("abc"), "{error}");
    }
}
