//! How many files and sockets this process may have open. It never lowers the limit.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard limit. Service managers often set a soft limit of 1,024, for
/// programs that use `select`.
pub(crate) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let limit = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// The current limit; `None` if there is none.
pub(super) fn limit() -> Option<usize> {
    let current = getrlimit(Resource::Nofile).current?;
    Some(usize::try_from(current).unwrap_or(usize::MAX))
}
