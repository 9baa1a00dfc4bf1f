//! What one merchant's flood or dead target does, it does to itself.

use serde_json::json;
use tokio::task::{JoinHandle, JoinSet, yield_now};
use tower::ServiceExt as _;

use super::{OTHER_TARGET, TARGET, open, ordered, paid};
use crate::test_server::{TestServer, form, read};

const WECHAT_TAKES_MS: u64 = 500;
const NO_LIMITS: &str = "rate_limits = { token_per_minute = 10000, address_per_minute = 10000 }";

/// Runs the due work of both merchants, each in its own task, as the server does.
fn begin_due(server: &TestServer) -> Vec<JoinHandle<usize>> {
    let each = server.inner.merchants().each();
    each.map(|payments| {
        let payments = payments.clone();
        tokio::spawn(async move { payments.run_due().await.unwrap() })
    })
    .collect()
}

#[tokio::test]
async fn a_dead_target_delays_no_message_of_another_merchant() {
    let [first, second] = open("").await;
    first.backend.hang(TARGET);
    // More messages than all places of the lane and of the target together.
    for number in 0..50 {
        let order_no = format!("tea-{number:04}");
        let order = json!({ "order_no": order_no, "total_fen": 1990, "description": "tea" });
        first.order(order).await;
        first
            .call("POST", &format!("/v1/orders/{order_no}/close"))
            .await;
    }
    let due = begin_due(&first);
    first.backend.wait_for_count(TARGET, 8).await;
    paid(&second, "tea-0001").await;
    let later = begin_due(&second);
    second.backend.wait_for_count(OTHER_TARGET, 1).await;
    assert!(
        !due[0].is_finished(),
        "the first merchant's messages still wait"
    );
    for work in due.into_iter().chain(later) {
        while !work.is_finished() {
            first.backend.time_out();
            yield_now().await;
        }
    }
}

/// Copies an order in the database, with attempts that WeChat does not know.
async fn multiply(server: &TestServer, order_no: &str, count: i64) {
    let pool = server.database().await;
    let copies = "WITH RECURSIVE copies (n) AS
        (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < $1)";
    let own = "merchant = (SELECT no FROM owner WHERE mchid = $3)";
    for insert in [
        format!(
            "INSERT INTO orders (merchant, id, order_no, token, request, total_fen, description,
                                 products, created_ms, expires_ms, current_attempt)
             SELECT merchant, 1000 + n, 'copy-' || n, 'copy-' || n, request, total_fen, description,
                    products, created_ms, expires_ms, current_attempt
             FROM orders, copies WHERE order_no = $2 AND {own}"
        ),
        format!(
            "INSERT INTO attempts (merchant, order_id, number, product, out_trade_no, appid, body,
                                   state, created_ms, return_handle)
             SELECT merchant, 1000 + n, number, product, 'copy-' || n, appid, body, state,
                    created_ms, return_handle
             FROM attempts, copies WHERE out_trade_no = $2 AND {own}"
        ),
        format!(
            "INSERT INTO due_work (merchant, kind, subject, due_ms, set_ms)
             SELECT due_work.merchant, due_work.kind, CAST(1000 + n AS TEXT), due_ms - 1, set_ms
             FROM due_work, copies, orders
             WHERE order_no = $2 AND orders.{own} AND subject = CAST(orders.id AS TEXT)
               AND due_work.merchant = orders.merchant"
        ),
    ] {
        let statement = sqlx::AssertSqlSafe(format!("{copies} {insert}"));
        let done = sqlx::query(statement)
            .bind(count)
            .bind(order_no)
            .bind(&server.mchid);
        let done = done.execute(&pool).await.unwrap();
        assert!(i64::try_from(done.rows_affected()).unwrap() >= count);
    }
}

#[tokio::test]
async fn two_thousand_due_queries_of_one_merchant_delay_no_query_of_another() {
    let [first, second] = open(NO_LIMITS).await;
    ordered(&first, "tea-0001").await;
    multiply(&first, "tea-0001", 2_000).await;
    let token = ordered(&second, "tea-0001").await;
    second.pay("tea-0001").await;
    second.clock.advance_ms(5_000);
    // WeChat does not answer the first merchant in this time at all.
    first.wechat.slow_down(&first.clock, WECHAT_TAKES_MS);
    let due = begin_due(&first);
    while second.checkout(&token).await.string("state") != "paid" {
        yield_now().await;
    }
    assert_eq!(first.wechat.answered(), 0, "none of the flood was over");
    assert!(!due[0].is_finished());
    due.iter().for_each(JoinHandle::abort);
}

/// More attempts than the budget pays for, and no more than may wait for the ledger at a time with
/// PostgreSQL: six places of one of two merchants, and four that wait for each. Above it some would be
/// refused for another reason.
const FLOOD: usize = 24;

#[tokio::test]
async fn each_merchant_has_a_call_budget_of_its_own() {
    let configuration = super::top("").replace("tries = 1", "tries = 1\ncalls_per_second = 10")
        + &super::first_table("")
        + &super::second_table("");
    let keys = [super::KEY, super::OTHER_KEY];
    let [first, second] = TestServer::open_pair(&configuration, keys).await;
    let mut flood = JoinSet::new();
    for number in 0..FLOOD {
        let order_no = format!("tea-{number:04}");
        let order = json!({ "order_no": order_no, "total_fen": 1990, "description": "tea" });
        let token = first.order(order).await;
        let (app, path) = (first.app.clone(), format!("/v1/checkouts/{token}/attempts"));
        flood.spawn(async move {
            let fields = [("product", "native")];
            read(app.oneshot(form(&path, &fields)).await.unwrap()).await
        });
    }
    // Refused calls are those that would wait too long; the others wait, because the clock stands.
    let refused = flood.join_next().await.unwrap().unwrap();
    assert!(refused.status.is_success() || refused.status == 503);
    ordered(&second, "tea-0001").await;
    let called = first.wechat.take_kinds().len();
    assert!(
        called < FLOOD,
        "the first merchant has used its calls up: {called}"
    );
    assert_eq!(second.wechat.take_kinds(), ["order"]);
}
