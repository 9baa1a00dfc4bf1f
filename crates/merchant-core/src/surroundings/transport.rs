//! The transport to WeChat: over the network in production, or into a simulator in the same process
//! in a test. Nothing is signed or verified here.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use wechat_pay::ClientIdentity;

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

/// The most identities whose connections are kept. The one that came first makes room.
const IDENTITIES_MAX: usize = 64;

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

/// Over the network: no redirects, bounded in time and size. A request with a [`ClientIdentity`] as
/// an extension is sent over a connection of its own kind, which presents that certificate.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    only_loopback: bool,
    /// Trusted besides the system's.
    roots: Vec<reqwest::Certificate>,
    plain: Clients,
    /// For each identity that was used: several merchants have several, and a reload of the
    /// configuration may bring another one.
    identified: Arc<Mutex<Vec<(ClientIdentity, Clients)>>>,
}

/// Clients that present the same certificate, or none.
#[derive(Clone, Debug)]
struct Clients {
    public: reqwest::Client,
    /// For addresses of this machine: a system proxy would look for them elsewhere, and could read
    /// the call.
    loopback: reqwest::Client,
}

impl Clients {
    fn new(
        only_loopback: bool,
        roots: &[reqwest::Certificate],
        identity: Option<&ClientIdentity>,
    ) -> Result<Self, reqwest::Error> {
        let client = || -> Result<_, reqwest::Error> {
            let builder = reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .pool_idle_timeout(IDLE_TIMEOUT)
                .timeout(CALL_TIMEOUT)
                .tls_certs_merge(roots.iter().cloned())
                .user_agent(concat!("merchant-server/", env!("CARGO_PKG_VERSION")));
            Ok(match identity {
                None => builder,
                Some(identity) => {
                    builder.identity(reqwest::Identity::from_pem(identity.pem().as_bytes())?)
                }
            })
        };
        let loopback = client()?.no_proxy().build()?;
        let public = if only_loopback {
            loopback.clone()
        } else {
            client()?.build()?
        };
        Ok(Self { public, loopback })
    }
}

impl HttpTransport {
    /// A client that is kept for the whole run. `only_loopback` ignores the system's proxy
    /// settings: a proxy cannot reach a simulator on this machine.
    pub fn new(only_loopback: bool) -> Result<Self, reqwest::Error> {
        Self::trusting(only_loopback, Vec::new())
    }

    fn trusting(
        only_loopback: bool,
        roots: Vec<reqwest::Certificate>,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self {
            only_loopback,
            plain: Clients::new(only_loopback, &roots, None)?,
            identified: Arc::default(),
            roots,
        })
    }

    /// The clients that present this certificate.
    fn clients(&self, identity: Option<&ClientIdentity>) -> Result<Clients, reqwest::Error> {
        let Some(identity) = identity else {
            return Ok(self.plain.clone());
        };
        let mut identified = self
            .identified
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((_, clients)) = identified.iter().find(|(known, _)| known == identity) {
            return Ok(clients.clone());
        }
        let clients = Clients::new(self.only_loopback, &self.roots, Some(identity))?;
        if identified.len() >= IDENTITIES_MAX {
            identified.remove(0);
        }
        identified.push((identity.clone(), clients.clone()));
        Ok(clients)
    }

    /// Sends, and waits for the answer's head.
    async fn execute(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<reqwest::Response, TransportError> {
        let timeout = request.extensions().get::<TryTimeout>().copied();
        let identity = request.extensions().get::<ClientIdentity>().cloned();
        let clients = self.clients(identity.as_ref()).map_err(not_sent)?;
        let mut request = reqwest::Request::try_from(request).map_err(not_sent)?;
        if let Some(TryTimeout(timeout)) = timeout {
            *request.timeout_mut() = Some(timeout);
        }
        let client = if is_loopback_host(request.url()) {
            &clients.loopback
        } else {
            &clients.public
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
mod tests;
