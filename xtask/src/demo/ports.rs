//! The four ports of a demo, all on loopback.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};

use crate::failure::Failure;

/// The port of each server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ports {
    simulator: u16,
    /// Always the port after the simulator's.
    wechat_browser: u16,
    merchant: u16,
    shop: u16,
}

impl Ports {
    /// The ports of the command line; an error if two are the same.
    pub(super) fn wanted(simulator: u16, merchant: u16, shop: u16) -> Result<Self, Failure> {
        let ports = Self {
            simulator,
            wechat_browser: simulator.checked_add(1).ok_or(Failure::Ports(
                "--simulator-port must be below 65535: the WeChat browser has the next one",
            ))?,
            merchant,
            shop,
        };
        let mut all = ports.named().map(|(port, _, _)| port);
        all.sort_unstable();
        if all[0] == 0 {
            return Err(Failure::Ports(
                "port 0 cannot be named to the other servers",
            ));
        }
        if all.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Failure::Ports(
                "the simulator, its WeChat browser (the port after it), the merchant server and the shop need four different ports",
            ));
        }
        Ok(ports)
    }

    /// An error that names the flag, if a program already listens on a port, or if nobody may.
    pub(super) fn ensure_free(self) -> Result<(), Failure> {
        self.ensure(bind)
    }

    fn ensure(self, bind: impl Fn(u16) -> io::Result<()>) -> Result<(), Failure> {
        for (port, wanted_by, flag) in self.named() {
            bind(port).map_err(|error| Failure::Port {
                port,
                why: match error.kind() {
                    ErrorKind::AddrInUse => "is in use".to_owned(),
                    ErrorKind::PermissionDenied => {
                        "needs a right of its own, as all below 1024 do".to_owned()
                    }
                    _ => format!("cannot be used ({error})"),
                },
                wanted_by,
                flag,
            })?;
        }
        Ok(())
    }

    /// The arguments of the demo's program.
    pub(super) fn arguments(self) -> [String; 4] {
        [
            format!("--simulator-port={}", self.simulator),
            format!("--wechat-browser-port={}", self.wechat_browser),
            format!("--merchant-port={}", self.merchant),
            format!("--shop-port={}", self.shop),
        ]
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

/// Binds a port for a moment.
fn bind(port: u16) -> io::Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop)
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};
    use std::net::{Ipv4Addr, TcpListener};

    use super::{Ports, bind};
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
            for (kind, why) in [
                (ErrorKind::AddrInUse, "is in use"),
                (ErrorKind::PermissionDenied, "below 1024"),
            ] {
                let bind = |port| {
                    if port == taken {
                        Err(Error::from(kind))
                    } else {
                        Ok(())
                    }
                };
                let refusal = ports.ensure(bind).unwrap_err();
                assert!(matches!(refusal, Failure::Port { .. }));
                let refusal = refusal.to_string();
                assert!(refusal.contains(flag), "{taken}: {refusal}");
                assert!(refusal.contains(why), "{taken}: {refusal}");
            }
        }
    }

    #[test]
    fn a_port_that_somebody_listens_on_is_not_free() {
        let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = held.local_addr().unwrap().port();
        assert_eq!(bind(port).unwrap_err().kind(), ErrorKind::AddrInUse);
    }
}
