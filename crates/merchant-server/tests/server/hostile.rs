//! Random bytes to every route of the server, for a merchant and for a service provider: the answer
//! is below 500, nothing panics, a refusal gives its reason, and a refused call changes nothing in
//! the ledger.
//!
//! The routes are read from the server ([`routes`]), so that a new route is tested automatically.
//! The requests ([`requests`]) are random bytes and cut and mixed pieces of valid requests: forms,
//! queries, envelopes, XML, and a backend's JSON with wrong values. Half of the notifications are
//! signed with WeChat's key, and some are encrypted too, because a valid signature does not make
//! the content valid. `PROPTEST_CASES` and `PROPTEST_RNG_SEED` are those of
//! [`crate::event_orders`].

mod fitting;
mod requests;
mod routes;
mod target;
mod verdict;

use proptest::test_runner::TestCaseError;
use requests::requests;
use target::Target;
use tokio::runtime::Runtime;

use crate::event_orders::runner;
use crate::test_server::Owner;

/// The number of requests for each kind of merchant; each is a call in this process.
const CASES: u32 = 3_000;

#[test]
fn no_bytes_break_a_route_or_cause_a_forbidden_change() {
    hold(Owner::Merchant);
}

#[test]
fn no_bytes_break_a_route_of_a_service_provider() {
    hold(Owner::Provider);
}

fn hold(owner: Owner) {
    let runtime = Runtime::new().unwrap();
    let target = runtime.block_on(Target::open(owner));
    let (mut runner, seed) = runner(CASES);
    let tried = runner.run(&requests(), |hostile| {
        let Some((route, request)) = target.request(&hostile) else {
            return Ok(());
        };
        let answer = runtime.block_on(target.answer(request));
        answer.map_err(|fault| TestCaseError::fail(format!("{route}: {fault}")))
    });
    tried.unwrap_or_else(|failure| {
        panic!("{failure}\nPROPTEST_RNG_SEED={seed} tries the same again")
    });
    runtime.block_on(target.stands());
}
