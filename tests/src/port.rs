//! Free loopback ports.

use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;

/// A port that is ours before anybody is told of it.
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

    /// Gives the port up for a program that can only be told a number.
    #[cfg(feature = "browser")]
    pub(crate) fn release(self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// For whoever serves by itself.
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
