//! The server under test: it has orders in every state, refunds, messages and a mismatch, so that
//! the addresses name something.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use merchant_server::Clock as _;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::fitting::{UNMATCHED, fitting, payment_resource, written};
use super::requests::{HEADERS, HostileRequest, Key, Payload, spoil};
use super::routes::{Route, routes};
use super::verdict::{check_refusal, is_kept_for_a_person, is_wechat_refusal};
use crate::bills::{DAY, the_next_morning};
use crate::cluster;
use crate::test_server::{
    API_KEY, MINUTE_MS, Owner, SentNotification, TestServer, backend, merchant,
    payment_notification, sign, sub_merchant,
};

/// The payment service is for merchants that sell for themselves.
const SERVICE: &str = "[wxpay_server]\nnotify_urls = [\"http://127.0.0.1:7000/notify\"]\nreturn_url = \"http://127.0.0.1:8000/pay\"\n";
const HOOKS: &str = "[[webhooks]]\nurl = \"http://127.0.0.1:7000/hooks\"\nsecret = \"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\"\n";
/// So many that some orders are still open when many have been closed.
const OPEN_ORDERS: usize = 80;
/// A call that takes longer than this waits for its order to change.
const PATIENCE: Duration = Duration::from_millis(500);
/// Longer than the server holds any answer.
const WAIT_MS: u64 = 26_000;

pub(super) struct Target {
    server: TestServer,
    routes: Vec<Route>,
    /// The existing values for the variable part of an address, by the part's name.
    known: BTreeMap<&'static str, Vec<String>>,
    /// The token of an order whose number no call of the backend contains.
    token: String,
    sub_mchid: Option<String>,
    /// A connection that shows whether another connection has written.
    watch: Mutex<sqlx::AnyConnection>,
    _files: TempDir,
}

/// PostgreSQL's rows have the number of the transaction that wrote them.
const NEWEST_ROWS: &str = "SELECT CAST(SUM(rows + newest) AS BIGINT) FROM (
        SELECT COUNT(*) AS rows, COALESCE(MAX(CAST(CAST(xmin AS TEXT) AS BIGINT)), 0) AS newest
        FROM (SELECT xmin FROM orders UNION ALL SELECT xmin FROM attempts
              UNION ALL SELECT xmin FROM refunds UNION ALL SELECT xmin FROM notifications
              UNION ALL SELECT xmin FROM mismatches UNION ALL SELECT xmin FROM refund_mismatches
              UNION ALL SELECT xmin FROM kept_notifications UNION ALL SELECT xmin FROM due_work
              UNION ALL SELECT xmin FROM oauth_states UNION ALL SELECT xmin FROM payer_handles
              UNION ALL SELECT xmin FROM payment_links
              UNION ALL SELECT xmin FROM webhooks UNION ALL SELECT xmin FROM webhook_deliveries)
             AS every) AS counted";

impl Target {
    pub(super) async fn open(owner: Owner) -> Self {
        let files = tempfile::tempdir().unwrap();
        for name in ["wechat-pay.js", "MP_verify_0123456789abcdef.txt"] {
            std::fs::write(files.path().join(name), "0123456789abcdef").unwrap();
        }
        let folder = files.path().display();
        let lines = format!(
            "rate_limits = {{ token_per_minute = 1000000, address_per_minute = 1000000 }}\n\
             bundle_dir = \"{folder}\"\n\
             verification_files = [\"{folder}/MP_verify_0123456789abcdef.txt\"]\n\
             products = [\"native\", \"h5\", \"jsapi\", \"mini_program\", \"app\", \"code_pay\"]\n"
        );
        let appid = merchant()["appid"].as_str().unwrap().to_owned();
        let applications =
            format!("app_appid = \"{appid}\"\nmini_program_path = \"/pages/pay/pay\"\n");
        let service = match owner {
            Owner::Merchant => SERVICE,
            Owner::Provider => "",
        };
        let configuration = owner.configuration(&lines, &applications) + HOOKS + service;
        let server = TestServer::open_configured(&configuration).await;
        let sub_mchid = (owner == Owner::Provider).then(|| sub_merchant(1).sub_mchid);
        let (token, known) = furnish(&server, sub_mchid.as_deref()).await;
        let pool = server.database().await;
        Self {
            routes: routes(&server).await,
            known,
            token,
            sub_mchid,
            watch: Mutex::new(pool.acquire().await.unwrap().detach()),
            server,
            _files: files,
        }
    }

    /// The request, or `None` if its address or a header is not valid: no client can send that.
    pub(super) fn request(&self, hostile: &HostileRequest) -> Option<(String, Request<Body>)> {
        let route = hostile.route.get(&self.routes);
        let method = match hostile.method {
            None => route.method.clone(),
            Some(method) => method.parse().unwrap(),
        };
        let uri = format!(
            "{}?{}",
            self.path(route, hostile),
            in_address(&hostile.query)
        );
        let mut request = Request::builder().method(&method).uri(uri);
        match hostile.key {
            Key::Right => request = request.header("authorization", format!("Bearer {API_KEY}")),
            Key::Wrong => request = request.header("authorization", "Bearer x"),
            Key::None => {}
        }
        let SentNotification { headers, body } = self.notification(route, hostile);
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        for (name, value) in &hostile.headers {
            if let Ok(value) = HeaderValue::from_bytes(value) {
                request = request.header(HEADERS[*name], value);
            }
        }
        let request = request.body(Body::from(body)).ok()?;
        Some((format!("{method} {}", route.path), request))
    }

    /// The body, with WeChat's signature if the hostile request is to be signed.
    fn notification(&self, route: &Route, hostile: &HostileRequest) -> SentNotification {
        let is_signed = hostile.is_signed && route.path.starts_with("/wechat/notify");
        let now_ms = self.server.clock.now_ms();
        let body = match &hostile.body {
            Payload::Bytes(bytes) if is_signed => return sign(bytes.clone(), now_ms),
            Payload::Bytes(bytes) => bytes.clone(),
            Payload::Spoiled(wrong_values) => {
                let number = hostile.known.index(10_000);
                let mut body = fitting(route, self.sub_mchid.as_deref(), number);
                spoil(&mut body, wrong_values);
                if is_signed {
                    // Encrypted, too.
                    return payment_notification(&format!("H{number}"), &body, now_ms);
                }
                written(route, &body)
            }
        };
        SentNotification {
            headers: HeaderMap::new(),
            body: body.into(),
        }
    }

    fn path(&self, route: &Route, hostile: &HostileRequest) -> String {
        let Some(parameter) = route.parameter() else {
            return route.path.clone();
        };
        // A new parameter needs values here.
        let known = self.known.get(parameter);
        let known = known.unwrap_or_else(|| panic!("what is a {parameter}? {}", route.path));
        let value = match &hostile.unknown {
            None => hostile.known.get(known).clone(),
            // Bytes that are not UTF-8.
            Some(text) if text.len() % 4 == 1 => "%FF%C0".to_owned(),
            Some(text) => url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        };
        route.with(&value)
    }

    /// Sends a request; returns what is wrong with the answer, if anything.
    pub(super) async fn answer(&self, request: Request<Body>) -> Result<(), String> {
        let path = request.uri().path().to_owned();
        let before = self.writes().await;
        let mut answering = pin!(self.server.send(request));
        let answer = match tokio::time::timeout(PATIENCE, &mut answering).await {
            Ok(answer) => answer,
            Err(_) => {
                self.server.clock.advance_ms(WAIT_MS);
                answering.await
            }
        };
        let said = format!(
            "{}: {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        if answer.status.is_server_error() && !is_wechat_refusal(&path, &answer) {
            return Err(format!("breaks it: {said}"));
        }
        if !answer.status.is_client_error() {
            return Ok(());
        }
        if self.writes().await != before && !is_kept_for_a_person(&path, &answer) {
            return Err(format!("was refused, and wrote into the ledger: {said}"));
        }
        check_refusal(&path, &answer).map_err(|fault| format!("{fault}: {said}"))
    }

    /// A number that changes when another connection has written.
    async fn writes(&self) -> i64 {
        let mut watch = self.watch.lock().await;
        let (version,) = sqlx::query_as(if cluster::is_used() {
            NEWEST_ROWS
        } else {
            "PRAGMA data_version"
        })
        .fetch_one(&mut *watch)
        .await
        .unwrap();
        version
    }

    /// After all requests: nothing was paid, settled or closed without a valid request.
    pub(super) async fn stands(&self) {
        let before = self.writes().await;
        let payment = payment_resource(UNMATCHED, self.sub_mchid.as_deref());
        let notification =
            payment_notification("the last one", &payment, self.server.clock.now_ms());
        self.server.deliver(&notification).await;
        assert_ne!(self.writes().await, before, "what is written is seen");
        // Attempts may begin, because some of the forms are valid.
        let order = self.server.checkout(&self.token).await;
        assert_eq!(order.string("state"), "open");
        let bought = self.server.shown("/bought-0001").await;
        assert_eq!(bought.string("state"), "paid");
        for (number, _) in self.server.mismatches().await {
            assert!(
                !number.ends_with("-0001") || number == UNMATCHED,
                "{number}"
            );
        }
    }
}

/// Percent-encodes the bytes that an address cannot hold, and keeps all others.
fn in_address(query: &[u8]) -> String {
    query
        .iter()
        .map(|byte| match byte {
            b'!'..=b'~' if !matches!(byte, b'#' | b'<' | b'>' | b'"') => {
                char::from(*byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

/// A receiver, and a share of the paid order.
async fn share(server: &TestServer, sub_mchid: Option<&str>) {
    let mut receiver = json!({
        "type": "MERCHANT_ID", "account": "86693852", "name": "某某茶行", "relation_type": "SUPPLIER",
    });
    if let Some(sub_mchid) = sub_mchid {
        receiver["sub_mchid"] = sub_mchid.into();
    }
    for (path, body) in [
        ("/v1/receivers", receiver),
        (
            "/v1/orders/bought-0001/shares",
            json!({
                "share_no": "S-1",
                "receivers": [{
                    "type": "MERCHANT_ID", "account": "86693852", "amount_fen": 300, "reason": "货款",
                }],
            }),
        ),
    ] {
        let asked = server.send(backend(path, API_KEY, body.to_string())).await;
        assert!(asked.status.is_success(), "{}", asked.json);
    }
}

/// Creates something for each parameter that a path can have. Also returns the token of an order
/// that only its buyer knows.
async fn furnish(
    server: &TestServer,
    sub_mchid: Option<&str>,
) -> (String, BTreeMap<&'static str, Vec<String>>) {
    let order = async |order_no: &str| {
        let order = json!({
            "order_no": order_no, "total_fen": 1990, "description": "一壶茶",
            "return_url": "http://127.0.0.1:8000/pay", "settle_info": {"profit_sharing": true},
            "scene_info": {"payer_client_ip": "10.0.0.9", "store_info": {"id": "0001"}},
        });
        server.order(order).await
    };
    let bought = order("bought-0001").await;
    server.attempt(&bought, &[("product", "native")]).await;
    server.pay("bought-0001").await;
    for notification in server.take_notifications() {
        assert_eq!(
            server.deliver(&notification).await.status,
            StatusCode::NO_CONTENT
        );
    }
    for (refund_no, amount_fen) in [("R-1", 300), ("R-2", 200)] {
        let body = json!({"refund_no": refund_no, "amount_fen": amount_fen}).to_string();
        let path = "/v1/orders/bought-0001/refunds";
        let asked = server.send(backend(path, API_KEY, body)).await;
        assert!(asked.status.is_success(), "{}", asked.json);
        server.decide(refund_no, "abnormal").await;
        // WeChat requires a minute between two refunds.
        server.clock.advance_ms(MINUTE_MS);
    }
    share(server, sub_mchid).await;
    for notification in server.take_notifications() {
        server.deliver_to(notification.path(), &notification).await;
    }
    let notification = payment_notification(
        "N1",
        &payment_resource(UNMATCHED, sub_mchid),
        server.clock.now_ms(),
    );
    assert_eq!(
        server.deliver(&notification).await.status,
        StatusCode::NO_CONTENT
    );
    the_next_morning(server);

    let (mut tokens, mut numbers) = (Vec::new(), Vec::new());
    for place in 0..OPEN_ORDERS {
        let number = format!("open-{place:04}");
        tokens.push(order(&number).await);
        numbers.push(number);
    }
    // The paid order is repeated, so that requests choose it often among the open orders.
    for _ in 0..OPEN_ORDERS / 4 {
        tokens.push(bought.clone());
        numbers.push("bought-0001".to_owned());
    }
    let token = order("buyers-0001").await;
    tokens.push(token.clone());
    server.inner.run_due().await.unwrap();

    let webhooks = server.read_private("/v1/webhooks").await.json;
    let webhooks = webhooks["webhooks"].as_array().unwrap().iter();
    let ids = webhooks.map(|webhook| webhook["id"].as_str().unwrap().to_owned());
    // Messages and payment links have ids.
    let mut ids: Vec<_> = ids.collect();
    for uses_max in [1, 100_000] {
        let mut link = json!({
            "description": "茶", "max_fen": 1990, "note_max_chars": 9, "uses_max": uses_max,
        });
        if let Some(sub_mchid) = sub_mchid {
            link["sub_mchid"] = sub_mchid.into();
        }
        ids.push(crate::links::link(server, link).await);
    }
    let mismatches = server.read_private("/v1/mismatches").await.json;
    let mismatches = mismatches["mismatches"].as_array().unwrap().iter();
    let mismatches = mismatches.map(|mismatch| mismatch["no"].to_string());
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let known = BTreeMap::from([
        ("token", tokens),
        ("order_no", numbers),
        ("refund_no", texts(&["R-1", "R-2"])),
        ("share_no", texts(&["S-1"])),
        ("day", texts(&[DAY, "2026-11-20", "2026-11-22"])),
        ("id", ids),
        ("no", mismatches.collect()),
        ("mchid", vec![server.mchid.clone()]),
        ("file", texts(&["MP_verify_0123456789abcdef.txt", "c.css"])),
        (
            "name",
            texts(&["0123456789abcdef.svg", "../merchant-server.toml"]),
        ),
        // `nest_service` uses this name for the rest of an address.
        (
            "__private__axum_nest_tail_param",
            texts(&["wechat-pay.js", "../house.rs", "missing.js"]),
        ),
    ]);
    for (name, values) in &known {
        assert!(!values.is_empty(), "no {name}");
    }
    (token, known)
}
