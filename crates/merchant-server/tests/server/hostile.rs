//! Whatever bytes come from outside, to any route that the server has, at a merchant's own house
//! and at a service provider's: an answer below 500, no panic, a refusal that says its reason, and a
//! ledger in which a refused call has changed nothing.
//!
//! The routes are the server's own ([`routes`]), so that a new one is tried without anybody
//! thinking of it. What is sent ([`shots`]) is random, and pieces of what is rightly sent, cut and
//! mixed: forms, queries, envelopes, XML, and a backend's JSON with wrong values in it. Half of the
//! notifications are signed by WeChat's own key, and some are sealed too, for behind a good
//! signature there may be anything. `PROPTEST_CASES` and `PROPTEST_RNG_SEED` are those of
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

/// Requests to try on each house; each is a call in this process.
const CASES: u32 = 3_000;

#[test]
fn no_bytes_from_outside_break_a_route_or_move_what_they_may_not() {
    hold(Owner::Merchant);
}

#[test]
fn a_service_providers_house_holds_as_well() {
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
