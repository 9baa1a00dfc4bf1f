//! HTTP/1.1 with header names spelt as WeChat's gateway spells them: each word begins with a capital,
//! and `Request-ID` ends with two. HTTP does not distinguish `Wechatpay-Timestamp` and
//! `wechatpay-timestamp`; WeChat's wechatpay-java does, and does not find lower-case names.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Extensions, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tower::{Service, ServiceExt};

/// The pause after a connection could not be accepted, usually because of too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A request with the header names that hyper's title case spells differently than WeChat.
const UNUSUAL_NAMES: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nRequest-ID: 0\r\n\r\n";

/// Serves for as long as it is polled. It never ends with an error: a failed connection affects only
/// its client.
pub async fn serve(listener: TcpListener, app: Router) -> io::Result<()> {
    accept(listener, move |stream, spelling| {
        answer(stream, app.clone(), spelling)
    })
    .await
}

/// Accepts connections; each is answered by a task of its own. `answer` also gets the spelling of
/// header names.
pub(crate) async fn accept<Answering>(
    listener: TcpListener,
    answer: impl Fn(TcpStream, Extensions) -> Answering,
) -> io::Result<()>
where
    Answering: Future<Output = ()> + Send + 'static,
{
    let spelling = spelling().await;
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are written whole, so Nagle's algorithm would only delay them.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "the connection was closed");
                    continue;
                }
                tokio::spawn(answer(stream, spelling.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers all requests of a connection.
pub(crate) async fn answer<App>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    app: App,
    spelling: Extensions,
) where
    App: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    App::Future: Send + 'static,
{
    let app = app
        .map_request(|request: Request<Incoming>| request.map(Body::new))
        .map_response(move |mut response: Response<Body>| {
            response.extensions_mut().extend(spelling.clone());
            response
        });
    let answered = http1::Builder::new()
        .timer(TokioTimer::new())
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app))
        .await;
    if let Err(error) = answered {
        tracing::debug!(%error, "a connection was interrupted");
    }
}

/// hyper takes the exact spelling of headers from an extension with a private type (hyper issue
/// 2695). It makes this extension when it reads a message, so it reads one in memory, once.
async fn spelling() -> Extensions {
    let (mut client, server) = tokio::io::duplex(1024);
    let (found, mut seen) = mpsc::unbounded_channel();
    let keep = service_fn(move |request: Request<Incoming>| {
        // The receiver lives until the connection is over.
        let _ = found.send(request.extensions().clone());
        std::future::ready(Ok::<_, Infallible>(Response::new(Body::empty())))
    });
    let reading = http1::Builder::new()
        .preserve_header_case(true)
        .keep_alive(false)
        .serve_connection(TokioIo::new(server), keep);
    let (written, read) = tokio::join!(client.write_all(UNUSUAL_NAMES), reading);
    if let Some(error) = written
        .err()
        .map_or_else(|| read.err().map(io::Error::other), Some)
    {
        tracing::warn!(%error, "header names are spelt in title case");
    }
    seen.recv().await.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn header_names_are_spelled_as_wechat_spells_them() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let headers = [
            ("request-id", "08F5-0"),
            ("wechatpay-timestamp", "1"),
            ("wechatpay-signature-type", "2"),
            ("content-type", "application/json; charset=utf-8"),
        ];
        let app = Router::new().route("/", get(async move || headers));
        let serving = tokio::spawn(serve(listener, app));
        let mut client = TcpStream::connect(address).await.unwrap();
        // A second request on the same connection is answered in the same way.
        for connection in ["keep-alive", "close"] {
            let request = format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: {connection}\r\n\r\n");
            client.write_all(request.as_bytes()).await.unwrap();
        }
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        for line in [
            "HTTP/1.1 200 OK\r\n",
            "Request-ID: 08F5-0\r\n",
            "Wechatpay-Timestamp: 1\r\n",
            "Wechatpay-Signature-Type: 2\r\n",
            "Content-Type: application/json; charset=utf-8\r\n",
            "Content-Length: 0\r\n",
            "Date: ",
        ] {
            assert_eq!(answer.matches(line).count(), 2, "{line}\n{answer}");
        }
        serving.abort();
    }
}
