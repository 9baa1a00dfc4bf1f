//! What a failure of PostgreSQL means. No error quotes a value.

use std::sync::Arc;

use sqlx::postgres::PgDatabaseError;

use crate::Error;

/// The meaning of an error of a statement.
pub(super) fn of(error: sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(error) => {
            let error = error.downcast_ref::<PgDatabaseError>();
            refused(error.code(), error.message(), error.constraint())
        }
        // The server closed the connection, or the network did.
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => Error::Lost,
        other => Error::Refused(other.to_string().into()),
    }
}

/// The meaning of an error while a connection is made.
pub(super) fn of_connecting(error: sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(error) => {
            let error = error.downcast_ref::<PgDatabaseError>();
            Error::Unreachable(reason(error.code(), error.message()))
        }
        // Its text may repeat the address, which may hold a password.
        sqlx::Error::Configuration(_) => Error::Unreachable("its address is not valid".into()),
        other => Error::Unreachable(other.to_string().into()),
    }
}

/// The meaning of a code of PostgreSQL's appendix A.
fn refused(code: &str, message: &str, constraint: Option<&str>) -> Error {
    match code {
        // serialization_failure, deadlock_detected
        "40001" | "40P01" => Error::Conflict,
        // unique_violation
        "23505" => Error::Duplicate(constraint.unwrap_or("unique").into()),
        // lock_not_available, query_canceled
        "55P03" | "57014" => Error::Busy,
        // admin_shutdown, crash_shutdown, cannot_connect_now, idle_in_transaction_session_timeout
        "57P01" | "57P02" | "57P03" | "25P03" => Error::Lost,
        // read_only_sql_transaction, io_error
        "25006" | "58030" => Error::Unusable(reason(code, message)),
        // insufficient_resources: disk_full is one
        _ if code.starts_with("53") => Error::Unusable(reason(code, message)),
        // The messages of data exceptions quote the value.
        _ if code.starts_with("22") => {
            Error::Refused(format!("(code: {code}) a value does not fit").into())
        }
        _ if code.starts_with("08") => Error::Lost,
        _ => Error::Refused(reason(code, message)),
    }
}

fn reason(code: &str, message: &str) -> Arc<str> {
    format!("(code: {code}) {message}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_one_meaning() {
        let meaning = |code| refused(code, "of the message", Some("orders_order_no_key"));
        for (code, expected) in [
            ("40001", "another transaction was in the way"),
            ("40P01", "another transaction was in the way"),
            (
                "23505",
                "a row with the same key is there: orders_order_no_key",
            ),
            ("55P03", "the database is locked by another program"),
            ("57014", "the database is locked by another program"),
            ("57P01", "the connection to the database was lost"),
            ("57P03", "the connection to the database was lost"),
            ("08006", "the connection to the database was lost"),
            ("25P03", "the connection to the database was lost"),
            ("23514", "(code: 23514) of the message"),
            (
                "53100",
                "the database cannot be used now: (code: 53100) of the message",
            ),
            (
                "25006",
                "the database cannot be used now: (code: 25006) of the message",
            ),
            ("22P02", "(code: 22P02) a value does not fit"),
        ] {
            assert_eq!(meaning(code).to_string(), expected, "{code}");
        }
    }

    #[test]
    fn only_what_may_succeed_from_its_first_read_on_is_repeated() {
        let cases = [
            ("40001", true),
            ("40P01", true),
            ("23505", true),
            ("57P01", true),
            ("55P03", false),
            ("23514", false),
            ("53100", false),
            ("25006", false),
        ];
        for (code, is_repeatable) in cases {
            assert_eq!(refused(code, "", None).is_repeatable(), is_repeatable);
        }
        assert!(!Error::Unconfirmed.is_repeatable());
    }

    #[test]
    fn a_connection_that_ends_is_lost_and_one_that_cannot_be_made_is_unreachable() {
        let broken = || sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(matches!(of(broken()), Error::Lost));
        assert!(matches!(of_connecting(broken()), Error::Unreachable(_)));
        let starting = Error::Unreachable(reason("57P03", "the database system is starting up"));
        assert!(starting.is_starting());
        assert!(!of_connecting(broken()).is_starting());
        let secret = sqlx::Error::Configuration("postgres://me:secret@host".into());
        assert!(!of_connecting(secret).to_string().contains("secret"));
    }
}
