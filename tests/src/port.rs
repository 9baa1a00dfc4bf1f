//! Free loopback ports.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;

/// A port that is bound before any program learns its number.
pub(crate) struct Port {
    listener: std::net::TcpListener,
    pub(crate) origin: String,
}

impl Port {
    pub(crate) async fn take() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self {
            origin: format!("http://{}", listener.local_addr().unwrap()),
            listener: listener.into_std().unwrap(),
        }
    }

    /// Releases the port for a program that accepts only a number.
    #[cfg(feature = "browser")]
    pub(crate) fn release(self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// The listener, for a program that serves by itself.
    pub(crate) fn listener(&self) -> TcpListener {
        TcpListener::from_std(self.listener.try_clone().unwrap()).unwrap()
    }

    /// Serves until the test's runtime ends.
    pub(crate) fn serve(&self, app: Router) {
        let listener = self.listener();
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    }
}
