//! Loopback ports, each bound before a program listens on it.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tokio::net::TcpListener;

/// A port that is bound before any program learns its number.
pub struct Port {
    listener: std::net::TcpListener,
    /// `http://127.0.0.1:…`.
    pub origin: String,
}

impl Port {
    /// A free port.
    pub async fn take() -> Self {
        Self::bind(0).await.unwrap()
    }

    /// The port of this number, or a free one for 0.
    pub async fn bind(number: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, number)).await?;
        Ok(Self {
            origin: format!("http://{}", listener.local_addr()?),
            listener: listener.into_std()?,
        })
    }

    /// Releases the port for a program that binds it by its number.
    pub fn release(self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// The listener, for a program that serves by itself.
    pub fn listener(&self) -> TcpListener {
        TcpListener::from_std(self.listener.try_clone().unwrap()).unwrap()
    }

    /// Serves until the runtime ends.
    pub fn serve(&self, app: Router) {
        let listener = self.listener();
        let app = app.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    }
}
