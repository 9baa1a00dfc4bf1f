//! The merchant's notify_url: receives notifications, acknowledges them, and passes them on.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use wxpay_rs::notify::NotifyHeaders;

/// A notification as it was received.
pub(crate) struct Notification {
    headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Notification {
    pub(crate) fn signature(&self) -> NotifyHeaders<'_> {
        NotifyHeaders {
            timestamp: &self.headers["wechatpay-timestamp"],
            nonce: &self.headers["wechatpay-nonce"],
            serial: &self.headers["wechatpay-serial"],
            signature: &self.headers["wechatpay-signature"],
        }
    }
}

/// Listens on a free port. Returns the address and the notifications.
pub(crate) fn inbox() -> (String, mpsc::Receiver<Notification>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/notify", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut headers = BTreeMap::new();
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            loop {
                line.clear();
                reader.read_line(&mut line).unwrap();
                let Some((name, value)) = line.trim_end().split_once(": ") else {
                    break;
                };
                headers.insert(name.to_ascii_lowercase(), value.to_owned());
            }
            let mut body = vec![0; headers["content-length"].parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            stream
                .write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
                .unwrap();
            sender.send(Notification { headers, body }).unwrap();
        }
    });
    (url, receiver)
}
