//! The four ports of a demo, all on loopback.

use std::net::{Ipv4Addr, TcpListener};

use crate::failure::Failure;

/// The port of each server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(super) simulator: u16,
    /// Always the port after the simulator's.
    pub(super) wechat_browser: u16,
    pub(super) merchant: u16,
    pub(super) shop: u16,
}

impl Ports {
    /// The ports of the command line; an error if two are the same.
    pub(super) fn wanted(simulator: u16, merchant: u16, shop: u16) -> Result<Self, Failure> {
        let ports = Self {
            simulator,
            wechat_browser: simulator.checked_add(1).ok_or_else(|| {
                refused("--simulator-port must be below 65535: the WeChat browser has the next one")
            })?,
            merchant,
            shop,
        };
        let mut all = ports.named().map(|(port, _, _)| port);
        all.sort_unstable();
        if all[0] == 0 {
            return Err(refused("port 0 cannot be named to the other servers"));
        }
        if all.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(refused(
                "the simulator, its WeChat browser (the port after it), the merchant server and the shop need four different ports",
            ));
        }
        Ok(ports)
    }

    /// Four ports on which no program listens now.
    pub(super) fn free() -> Result<Self, Failure> {
        // A port after a free one is nearly always free too.
        for _ in 0..100 {
            let held = [listen(0)?, listen(0)?, listen(0)?];
            let [simulator, merchant, shop] = [port(&held[0])?, port(&held[1])?, port(&held[2])?];
            if let Ok(ports) = Self::wanted(simulator, merchant, shop)
                && listen(ports.wechat_browser).is_ok()
            {
                return Ok(ports);
            }
        }
        Err(refused("no two free ports beside each other on 127.0.0.1"))
    }

    /// An error that names the flag, if a program already listens on a port.
    pub(super) fn ensure_free(self) -> Result<(), Failure> {
        self.ensure(|port| listen(port).is_ok())
    }

    fn ensure(self, is_free: impl Fn(u16) -> bool) -> Result<(), Failure> {
        for (port, wanted_by, flag) in self.named() {
            if !is_free(port) {
                return Err(Failure::Port {
                    port,
                    wanted_by,
                    flag,
                });
            }
        }
        Ok(())
    }

    pub(super) fn simulator_origin(self) -> String {
        origin(self.simulator)
    }

    pub(super) fn wechat_origin(self) -> String {
        origin(self.wechat_browser)
    }

    pub(super) fn merchant_origin(self) -> String {
        origin(self.merchant)
    }

    pub(super) fn shop_origin(self) -> String {
        origin(self.shop)
    }

    fn named(self) -> [(u16, &'static str, &'static str); 4] {
        [
            (self.simulator, "simulator", "--simulator-port"),
            (
                self.wechat_browser,
                "WeChat browser (the port after the simulator's)",
                "--simulator-port",
            ),
            (self.merchant, "merchant server", "--merchant-port"),
            (self.shop, "shop", "--shop-port"),
        ]
    }
}

/// `127.0.0.1:PORT`, for `--listen`.
pub(super) fn address(port: u16) -> String {
    format!("{}:{port}", Ipv4Addr::LOCALHOST)
}

fn origin(port: u16) -> String {
    format!("http://{}", address(port))
}

fn listen(port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| refused(&format!("127.0.0.1:{port}: {error}")))
}

fn port(listener: &TcpListener) -> Result<u16, Failure> {
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(|error| refused(&error.to_string()))
}

fn refused(why: &str) -> Failure {
    Failure::Server(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Ports, listen, port};
    use crate::failure::Failure;

    #[test]
    fn two_servers_never_get_the_same_port() {
        for (simulator, merchant, shop) in [
            (9410, 9410, 8000),
            (9410, 9411, 8000),
            (9410, 8000, 8000),
            (65535, 1, 2),
            (0, 1, 2),
        ] {
            assert!(Ports::wanted(simulator, merchant, shop).is_err());
        }
        assert!(Ports::wanted(9410, 8080, 8000).is_ok());
    }

    #[test]
    fn a_port_in_use_is_named_with_the_flag_that_changes_it() {
        let ports = Ports::wanted(9410, 8080, 8000).unwrap();
        let cases = [
            (9410, "--simulator-port"),
            (9411, "--simulator-port"),
            (8080, "--merchant-port"),
            (8000, "--shop-port"),
        ];
        for (taken, flag) in cases {
            let refusal = ports.ensure(|port| port != taken).unwrap_err();
            assert!(matches!(refusal, Failure::Port { .. }));
            assert!(refusal.to_string().contains(flag), "{taken}: {refusal}");
        }
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_not_free() {
        let held = listen(0).unwrap();
        assert!(listen(port(&held).unwrap()).is_err());
        assert!(Ports::free().is_ok());
    }
}
