//! The address of a database server. Its password is shown nowhere.

use std::fmt;
use std::str::FromStr as _;
use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;

use super::pool::Pool;

/// Every statement of the ledger fits, so each is prepared once on each connection.
const STATEMENTS_MAX: usize = 256;

/// What an address may say after `?`.
const PARAMETERS: [&str; 12] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// What each connection sets for itself. What an answer confirms must survive a power failure. A
/// program that stopped without a word must not keep its locks forever.
const SETTINGS: [(&str, &str); 4] = [
    ("synchronous_commit", "on"),
    ("lock_timeout", "5s"),
    ("statement_timeout", "30s"),
    ("idle_in_transaction_session_timeout", "30s"),
];

/// A database on a server, and the connections to it. Clones share them.
#[derive(Clone)]
pub struct Server {
    pub(super) options: Arc<PgConnectOptions>,
    pub(super) pool: Arc<Pool>,
    /// To compare it with another one.
    address: Arc<str>,
}

impl Server {
    /// Reads an address such as `postgres://user:password@host/database?sslmode=verify-full`. It does
    /// not connect.
    ///
    /// # Errors
    ///
    /// The rule that the address breaks, without its text.
    pub fn parse(address: &str) -> Result<Self, &'static str> {
        let is_of_postgres = ["postgres://", "postgresql://"]
            .iter()
            .any(|scheme| address.starts_with(scheme));
        if !is_of_postgres {
            return Err("must begin with postgres://");
        }
        let parameters = address.split_once('?').map_or("", |(_, after)| after);
        for parameter in parameters.split('&').filter(|text| !text.is_empty()) {
            let name = parameter.split('=').next().unwrap_or_default();
            // The library would log the value of a name that it does not know.
            if !PARAMETERS.contains(&name) {
                return Err("may only have PostgreSQL's connection parameters after `?`");
            }
        }
        let options = PgConnectOptions::from_str(address)
            .map_err(|_| "must be a valid address: postgres://user:password@host/database")?;
        if options.get_database().is_none() {
            return Err("must name a database: postgres://user:password@host/database");
        }
        let options = options
            .application_name("merchant-server")
            .statement_cache_capacity(STATEMENTS_MAX)
            .options(SETTINGS);
        Ok(Self {
            pool: Arc::new(Pool::of(options.clone())),
            options: Arc::new(options),
            address: address.into(),
        })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.options.get_database().unwrap_or_default();
        match self.options.get_socket() {
            Some(folder) => write!(f, "PostgreSQL database {database} at {}", folder.display()),
            None => {
                let (host, port) = (self.options.get_host(), self.options.get_port());
                write!(f, "PostgreSQL database {database} at {host}:{port}")
            }
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        self.address == other.address
    }
}

impl Eq for Server {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_server_and_never_shows_its_password() {
        let address = "postgres://till:se%2Fcret@db.example:5433/ledger?sslmode=verify-full";
        let server = Server::parse(address).unwrap();
        let shown = format!("{server} {server:?} {:?}", server.pool);
        assert!(shown.contains("ledger at db.example:5433"), "{shown}");
        assert!(!shown.contains("cret"), "{shown}");
    }

    #[test]
    fn an_address_that_breaks_a_rule_is_refused_without_its_text() {
        for (address, rule) in [
            ("mysql://secret@host/ledger", "begin with postgres://"),
            ("postgres://till:secret@host", "must name a database"),
            ("postgres://till:secret@host:no/x", "must be a valid"),
            ("postgres://host/x?pasword=secret", "connection parameters"),
            ("postgres://host/x?sslmode=secret", "must be a valid"),
        ] {
            let refusal = Server::parse(address).unwrap_err();
            assert!(refusal.contains(rule), "{address}: {refusal}");
            assert!(!refusal.contains("secret"), "{refusal}");
        }
    }
}
