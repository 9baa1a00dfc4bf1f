//! HTTP/1.1 as WeChat's gateway speaks it: names of headers begin with capitals. The protocol makes
//! no difference between `Wechatpay-Timestamp` and `wechatpay-timestamp`; WeChat's own wechatpay-java
//! does, and verifies nothing that is written small.

use std::{io, time::Duration};

use axum::{Router, body::Body};
use http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

/// A pause after a connection could not be taken: mostly there are too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves for as long as it is polled. It ends with no error: a connection that cannot be taken, or
/// breaks off, is its client's matter.
pub async fn serve(listener: TcpListener, app: Router) -> io::Result<()> {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(answer(stream, app.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection was not taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, app: Router) {
    // Answers are written whole: waiting for more of them only costs time.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "the connection is gone");
        return;
    }
    let app = app.map_request(|request: Request<Incoming>| request.map(Body::new));
    let answered = http1::Builder::new()
        .timer(TokioTimer::new())
        .title_case_headers(true)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app))
        .await;
    if let Err(error) = answered {
        tracing::debug!(%error, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn names_of_headers_begin_with_capitals_on_the_wire() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/", get(async || [("wechatpay-timestamp", "1")]));
        let serving = tokio::spawn(serve(listener, app));
        let mut client = TcpStream::connect(address).await.unwrap();
        client
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(
            answer.contains("\r\nWechatpay-Timestamp: 1\r\n"),
            "{answer}"
        );
        serving.abort();
    }
}
