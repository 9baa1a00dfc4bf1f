//! The network as it fails, and the certificate that a connection presents.

mod client_certificate;

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
