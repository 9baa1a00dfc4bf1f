//! Crash points: the process ends at every point of the operations that move money or decide
//! whether it moves: after each poll of the future, that is at each wait for the database or for
//! WeChat, and around each call, before it arrives and after it took effect. Another process opens
//! the same file, the callers retry, time passes, and both ledgers must agree as if nothing had
//! happened.
//!
//! A dropped future is what `kill -9` leaves of an operation: what it had sent to the database is
//! done, and nothing after it. Every point is tried in turn until the operation completes, so that
//! new points are tested automatically.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use axum::body::Body;
use http::Request;
use merchant_server::Clock as _;
use serde_json::{Value, json};
use sqlx::Row as _;
use tokio::sync::Notify;
use url::Url;

use crate::app_and_mini_program::login_code;
use crate::cluster;
use crate::oauth::{BACK, handle, through_wechat};
use crate::refunds::notices::{notice, refund_resource};
use crate::refunds::outside::by_hand;
use crate::test_server::{
    API_KEY, MINUTE_MS, Owner, SentNotification, TestServer, backend, payment_notification,
    sub_merchant, transaction,
};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
/// No operation has so many points; an operation that reached this number would not end.
const POINTS_MAX: usize = 400;
/// A wait that ends before the future is polled is no point. PostgreSQL on this machine may answer each
/// statement so soon. So the points of an operation are at their end only after so many runs in a row
/// that had no point at the next place.
const RUNS_WITHOUT_POINT: usize = 4;
/// The price in all scenarios: large enough that a till's payment needs a password.
const TOTAL_FEN: u64 = 100_000;

/// Where the process ends.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// After so many polls.
    Poll(usize),
    /// At this call to WeChat, before it arrives.
    BeforeCall(usize),
    /// At this call to WeChat, after it took effect and before its answer arrives.
    AfterCall(usize),
}

/// Only a merchant that sells for itself.
pub(crate) const OWN: &[Owner] = &[Owner::Merchant];
/// Also a service provider, whose calls to WeChat have another form.
pub(crate) const BOTH: &[Owner] = &Owner::BOTH;

/// An operation, with the steps before and after it and the result in the end.
pub(crate) struct Scenario {
    /// The kinds of merchants.
    pub(crate) owners: &'static [Owner],
    /// Brings the server to the start of the operation.
    pub(crate) before: for<'a> fn(&'a mut Harness) -> Step<'a>,
    /// The operation.
    pub(crate) operation: for<'a> fn(&'a Harness) -> Step<'a>,
    /// The callers' actions afterwards, in the new process: mostly a retry.
    pub(crate) after: for<'a> fn(&'a mut Harness) -> Step<'a>,
    /// The order's state in the end, the number of attempts that settled it, and of duplicate
    /// payments.
    pub(crate) end: (&'static str, usize, usize),
}

pub(crate) type Step<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

pub(crate) struct Harness {
    pub(crate) server: TestServer,
    token: String,
    /// The order has sub-orders, the first of which is `pot`.
    is_combined: bool,
    /// The code on the buyer's phone.
    auth_code: String,
    /// Notifications that WeChat sends until they are acknowledged.
    pub(crate) notifications: Vec<SentNotification>,
    /// The numbers of unmatched payments among them.
    strangers: Vec<String>,
}

impl Scenario {
    async fn hold_at_every_point(self) {
        self.hold(false).await;
    }

    /// The same with a combined order.
    pub(crate) async fn hold_for_a_combined_order(self) {
        self.hold(true).await;
    }

    async fn hold(self, is_combined: bool) {
        // The owners differ in their calls to WeChat, and in no statement to the database.
        let owners = if cluster::is_used() { 1 } else { 2 };
        for owner in self.owners.iter().take(owners) {
            self.hold_at_every_point_of(*owner, is_combined).await;
        }
    }

    async fn hold_at_every_point_of(&self, owner: Owner, is_combined: bool) {
        let mut tried = 0;
        for kind in [Point::Poll, Point::BeforeCall, Point::AfterCall] {
            let runs_without_point = match kind(1) {
                Point::Poll(_) => RUNS_WITHOUT_POINT,
                Point::BeforeCall(_) | Point::AfterCall(_) => 1,
            };
            let (mut place, mut ended) = (1, 0);
            while ended < runs_without_point {
                assert!(place < POINTS_MAX, "an operation that does not end");
                if self.holds_at(owner, is_combined, kind(place)).await {
                    (place, ended) = (place + 1, 0);
                    tried += 1;
                } else {
                    ended += 1;
                }
            }
        }
        // An operation without a point would prove nothing.
        assert!(tried > 0, "no point was tried");
    }

    /// Tries one point; returns whether the operation was cut off there.
    async fn holds_at(&self, owner: Owner, is_combined: bool, point: Point) -> bool {
        let mut harness = Harness::open(owner, is_combined).await;
        (self.before)(&mut harness).await;
        let is_cut = harness.run_until(point, (self.operation)(&harness)).await;
        let mut harness = harness.restart().await;
        (self.after)(&mut harness).await;
        harness.settle().await;
        let seen = harness.compare(point).await;
        let (ended, paid, surplus) = self.end;
        assert_eq!(
            seen,
            (ended.to_owned(), paid, surplus),
            "{owner:?}, cut at {point:?}"
        );
        is_cut
    }
}

/// Starting an attempt.
pub(crate) const STARTING: Scenario = Scenario {
    owners: BOTH,
    before: |_| Box::pin(async {}),
    operation: |harness| Box::pin(async { drop(harness.start("native", 0).await) }),
    after: |harness| {
        Box::pin(async {
            let answer = harness.start("native", 0).await;
            harness.pay(&answer).await;
        })
    },
    end: ("paid", 1, 0),
};

/// Another product takes the place of the first attempt.
pub(crate) const TAKING_OVER: Scenario = Scenario {
    owners: OWN,
    before: |harness| Box::pin(async { drop(harness.start("native", 0).await) }),
    operation: |harness| Box::pin(async { drop(harness.start("h5", 1).await) }),
    after: |harness| {
        Box::pin(async {
            // The page repeats its call with the attempt that it has seen, which is the first.
            let mut answer = harness.start("h5", 1).await;
            if answer["error"]["code"] == "ATTEMPT_SUPERSEDED" {
                let seen = answer["attempt"].as_u64().unwrap();
                answer = harness.start("h5", seen).await;
            }
            harness.pay(&answer).await;
        })
    },
    end: ("paid", 1, 0),
};

/// WeChat's notification of the payment arrives.
pub(crate) const SETTLING: Scenario = Scenario {
    owners: BOTH,
    before: |harness| {
        Box::pin(async {
            let answer = harness.start("native", 0).await;
            harness.pay(&answer).await;
        })
    },
    operation: |harness| {
        Box::pin(async {
            harness.server.deliver(&harness.notifications[0]).await;
        })
    },
    after: |_| Box::pin(async {}),
    end: ("paid", 1, 0),
};

/// The time of an unpaid order is over.
pub(crate) const EXPIRY: Scenario = Scenario {
    owners: OWN,
    before: |harness| {
        Box::pin(async {
            harness.start("native", 0).await;
            harness.server.clock.advance_ms(40 * MINUTE_MS);
        })
    },
    operation: |harness| Box::pin(async { drop(harness.server.inner.run_due().await) }),
    after: |_| Box::pin(async {}),
    end: ("closed", 0, 0),
};

/// The merchant closes an order.
pub(crate) const CLOSING: Scenario = Scenario {
    owners: BOTH,
    before: |harness| Box::pin(async { drop(harness.start("native", 0).await) }),
    operation: |harness| {
        Box::pin(async { drop(harness.post("/v1/orders/tea-0001/close", Value::Null).await) })
    },
    after: |_| Box::pin(async {}),
    end: ("closed", 0, 0),
};

/// A second payment is refunded by the server itself.
pub(crate) const REFUNDING_A_DUPLICATE: Scenario = Scenario {
    owners: BOTH,
    before: |harness| {
        Box::pin(async {
            harness.start("native", 0).await;
            let answer = harness.start("h5", 1).await;
            harness.pay(&answer).await;
            harness.pay_late("tea-0001").await;
            for notification in harness.notifications.clone() {
                harness.server.deliver(&notification).await;
            }
        })
    },
    operation: |harness| Box::pin(async { drop(harness.server.inner.run_due().await) }),
    after: |_| Box::pin(async {}),
    end: ("paid", 1, 1),
};

/// The merchant refunds a part.
pub(crate) const REFUNDING: Scenario = Scenario {
    owners: BOTH,
    before: |harness| Box::pin(async { harness.sell().await }),
    operation: |harness| Box::pin(async { drop(harness.refund().await) }),
    after: |harness| Box::pin(async { drop(harness.refund().await) }),
    end: ("paid", 1, 0),
};

/// Reconciliation finds a payment of which no notification arrived.
pub(crate) const RECONCILING: Scenario = Scenario {
    owners: BOTH,
    before: |harness| {
        Box::pin(async {
            let answer = harness.start("native", 0).await;
            harness.pay(&answer).await;
        })
    },
    operation: |harness| Box::pin(async { drop(harness.server.inner.reconcile(0).await) }),
    after: |_| Box::pin(async {}),
    end: ("paid", 1, 0),
};

#[tokio::test]
async fn starting_an_attempt_holds_at_every_point() {
    STARTING.hold_at_every_point().await;
}

#[tokio::test]
async fn taking_over_holds_at_every_point() {
    TAKING_OVER.hold_at_every_point().await;
}

#[tokio::test]
async fn settling_by_a_notification_holds_at_every_point() {
    SETTLING.hold_at_every_point().await;
}

#[tokio::test]
async fn delivering_a_webhook_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| Box::pin(async { harness.sell().await }),
        operation: |harness| Box::pin(async { drop(harness.server.inner.run_due().await) }),
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 0),
    };
    // The call goes to the backend, so calls to WeChat are not points of this operation.
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn expiry_holds_at_every_point() {
    EXPIRY.hold_at_every_point().await;
}

#[tokio::test]
async fn closing_by_the_merchant_holds_at_every_point() {
    CLOSING.hold_at_every_point().await;
}

#[tokio::test]
async fn refunding_a_duplicate_payment_holds_at_every_point() {
    REFUNDING_A_DUPLICATE.hold_at_every_point().await;
}

#[tokio::test]
async fn refunding_holds_at_every_point() {
    REFUNDING.hold_at_every_point().await;
}

#[tokio::test]
async fn scanning_a_code_holds_at_every_point() {
    let scenario = Scenario {
        owners: BOTH,
        before: |_| Box::pin(async {}),
        operation: |harness| Box::pin(async { drop(harness.scan().await) }),
        after: |harness| {
            Box::pin(async {
                // The till repeats the call with the same code; WeChat sends no notification of a
                // code payment.
                let answer = harness.scan().await;
                harness.pay(&answer["attempt"]).await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn reversing_a_code_payment_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| {
            Box::pin(async {
                harness.scan().await;
                harness.server.clock.advance_ms(MINUTE_MS);
            })
        },
        operation: |harness| Box::pin(async { drop(harness.server.inner.run_due().await) }),
        after: |_| Box::pin(async {}),
        end: ("closed", 0, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn cancelling_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| Box::pin(async { drop(harness.start("native", 0).await) }),
        operation: |harness| Box::pin(async { harness.cancel().await }),
        after: |harness| {
            Box::pin(async {
                harness.cancel().await;
                // No attempt is under way any more, so the next attempt begins at once.
                let answer = harness.start("h5", 1).await;
                harness.pay(&answer).await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn paying_with_an_oauth_handle_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |_| Box::pin(async {}),
        operation: |harness| Box::pin(async { drop(harness.start_in_wechat().await) }),
        after: |harness| {
            Box::pin(async {
                let answer = harness.start_in_wechat().await;
                harness.pay(&answer).await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn reconciling_holds_at_every_point() {
    RECONCILING.hold_at_every_point().await;
}

#[tokio::test]
async fn a_refunds_result_holds_at_every_point() {
    let scenario = Scenario {
        owners: BOTH,
        before: |harness| {
            Box::pin(async {
                harness.sell().await;
                harness.refund().await;
                harness.decide_refund("success").await;
            })
        },
        operation: |harness| {
            Box::pin(async {
                let last = harness.notifications.last().unwrap();
                harness
                    .server
                    .deliver_to("/wechat/notify/refund", last)
                    .await;
            })
        },
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn redirecting_an_abnormal_refund_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| {
            Box::pin(async {
                harness.sell().await;
                harness.refund().await;
                harness.decide_refund("abnormal").await;
                let last = harness.notifications.last().unwrap();
                harness
                    .server
                    .deliver_to("/wechat/notify/refund", last)
                    .await;
            })
        },
        operation: |harness| Box::pin(async { drop(harness.send_on().await) }),
        after: |harness| {
            Box::pin(async {
                // If the refund is in doubt, the server queries it first; afterwards it is abnormal
                // or on its way.
                harness.server.later(1).await;
                harness.send_on().await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn storing_an_unmatched_payment_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| {
            Box::pin(async {
                let at_ms = harness.server.clock.now_ms();
                let payment = transaction("unmatched-0001", TOTAL_FEN);
                harness
                    .notifications
                    .push(payment_notification("N1", &payment, at_ms));
                harness.strangers.push("unmatched-0001".to_owned());
            })
        },
        operation: |harness| {
            Box::pin(async {
                harness.server.deliver(&harness.notifications[0]).await;
            })
        },
        after: |_| Box::pin(async {}),
        end: ("closed", 0, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn querying_an_unmatched_payment_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| {
            Box::pin(async {
                let at_ms = harness.server.clock.now_ms();
                let payment = transaction("unmatched-0001", TOTAL_FEN);
                harness
                    .server
                    .deliver(&payment_notification("N1", &payment, at_ms))
                    .await;
                harness.strangers.push("unmatched-0001".to_owned());
            })
        },
        operation: |harness| Box::pin(async { drop(harness.server.inner.run_due().await) }),
        after: |_| Box::pin(async {}),
        end: ("closed", 0, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn a_portals_refund_in_the_form_of_version_2_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| Box::pin(async { harness.refund_in_portal().await }),
        operation: |harness| {
            Box::pin(async {
                let last = harness.notifications.last().unwrap();
                assert!(last.body.starts_with(b"<xml>"));
                harness.server.deliver_to(last.path(), last).await;
            })
        },
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn recording_a_portals_refund_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| {
            Box::pin(async {
                harness.refund_in_portal().await;
                let last = harness.notifications.last().unwrap();
                harness.server.deliver_to(last.path(), last).await;
            })
        },
        operation: |harness| Box::pin(async { drop(harness.server.inner.run_due().await) }),
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn another_programs_refund_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |harness| {
            Box::pin(async {
                harness.refund_in_portal().await;
                // The same refund, reported in the form of version 3.
                let payment = refund_resource(&harness.server, "SUCCESS");
                let at_ms = harness.server.clock.now_ms();
                *harness.notifications.last_mut().unwrap() = notice("N1", &payment, at_ms);
            })
        },
        operation: |harness| {
            Box::pin(async {
                let last = harness.notifications.last().unwrap();
                harness.server.deliver_to(last.path(), last).await;
            })
        },
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn paying_with_a_mini_programs_login_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |_| Box::pin(async {}),
        operation: |harness| Box::pin(async { drop(harness.start_in_mini_program().await) }),
        after: |harness| {
            Box::pin(async {
                // The page logs in again, because a code can be used only once.
                let answer = harness.start_in_mini_program().await;
                harness.pay(&answer).await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

/// The number of steps of time until no work is left: deadlines, planned queries, and banks.
const SETTLING_STEPS: usize = 12;

impl Harness {
    async fn open(owner: Owner, is_combined: bool) -> Self {
        let server = TestServer::open_configured(&harness_configuration(owner)).await;
        let order = if is_combined {
            combined_order(owner)
        } else {
            json!({
                "order_no": "tea-0001", "total_fen": TOTAL_FEN, "description": "一壶茶",
                "scene_info": {"payer_client_ip": "10.0.0.9", "store_info": {"id": "0001"}},
            })
        };
        let token = server.order(order).await;
        let auth_code = server.shown_code().await;
        Self {
            server,
            token,
            is_combined,
            auth_code,
            notifications: Vec::new(),
            strangers: Vec::new(),
        }
    }

    /// Runs an operation until it is cut off; returns whether it was cut off.
    async fn run_until(&self, point: Point, operation: Step<'_>) -> bool {
        let mut operation = operation;
        let reached = Arc::new(Notify::new());
        match point {
            Point::Poll(polls) => {
                let mut left = polls;
                return std::future::poll_fn(|context| {
                    if operation.as_mut().poll(context).is_ready() {
                        return Poll::Ready(false);
                    }
                    left -= 1;
                    if left == 0 {
                        Poll::Ready(true)
                    } else {
                        Poll::Pending
                    }
                })
                .await;
            }
            Point::BeforeCall(call) => self.server.wechat.cut(call, false, reached.clone()),
            Point::AfterCall(call) => self.server.wechat.cut(call, true, reached.clone()),
        }
        let reached = pin!(reached.notified());
        let is_cut = tokio::select! {
            () = operation => false,
            () = reached => true,
        };
        self.server.wechat.repair();
        is_cut
    }

    async fn restart(self) -> Self {
        Self {
            server: self.server.restart().await,
            ..self
        }
    }

    pub(crate) async fn start(&self, product: &str, after: u64) -> Value {
        let after = after.to_string();
        let fields = [("product", product), ("after", &after), BACK];
        self.server.attempt(&self.token, &fields).await.json
    }

    /// The order is paid, and the server knows it.
    pub(crate) async fn sell(&mut self) {
        let answer = self.start("native", 0).await;
        self.pay(&answer).await;
        self.server.deliver(&self.notifications[0]).await;
    }

    async fn scan(&self) -> Value {
        let scan = json!({ "product": "code_pay", "auth_code": self.auth_code });
        self.server.backend_attempt("tea-0001", &scan).await.json
    }

    /// The page cancels the attempt that it sees: the first attempt, if any.
    async fn cancel(&self) {
        let path = format!("/v1/checkouts/{}/cancel", self.token);
        self.server.form(&path, &[("after", "1")]).await;
    }

    /// A page in WeChat: if it needs the openid, it goes to WeChat and returns with a handle.
    async fn start_in_wechat(&self) -> Value {
        let answer = self.start("jsapi", 0).await;
        let Some(url) = answer["authorize_url"].as_str() else {
            return answer;
        };
        let url = Url::parse(url).unwrap();
        let back = through_wechat(&self.server, &url).await;
        let handle = handle(&self.server.get(&back).await);
        let fields = [
            ("product", "jsapi"),
            ("after", "0"),
            ("payer", &handle),
            BACK,
        ];
        self.server.attempt(&self.token, &fields).await.json
    }

    /// A mini-program's page pays with what `wx.login` gave it.
    async fn start_in_mini_program(&self) -> Value {
        let code = login_code(&self.server).await;
        let fields = [("product", "mini_program"), ("after", "0"), ("code", &code)];
        self.server.attempt(&self.token, &fields).await.json
    }

    /// The order is paid, and a refund is made in WeChat's portal; the server does not know it yet.
    async fn refund_in_portal(&mut self) {
        self.sell().await;
        self.notifications.clear();
        let (_, notifications) = by_hand(&self.server, 90).await;
        self.notifications.extend(notifications);
    }

    /// WeChat decides the refund and sends its notification.
    async fn decide_refund(&mut self, outcome: &str) {
        self.server.decide("tea-0001@1", outcome).await;
        self.notifications.extend(self.server.take_notifications());
    }

    async fn send_on(&self) -> Value {
        let to_merchant = json!({ "type": "MERCHANT_BANK_CARD" });
        self.post("/v1/refunds/tea-0001@1/apply-abnormal-refund", to_merchant)
            .await
    }

    /// The buyer pays by what an answer shows.
    pub(crate) async fn pay(&mut self, answer: &Value) {
        let number = answer["out_trade_no"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"));
        self.server.pay(number).await;
        self.notifications.extend(self.server.take_notifications());
    }

    pub(crate) async fn pay_late(&mut self, number: &str) {
        self.server.pay_late(number).await;
        self.notifications.extend(self.server.take_notifications());
    }

    pub(crate) async fn refund(&self) -> Value {
        let mut body = json!({ "refund_no": "tea-0001@1", "amount_fen": 90 });
        if self.is_combined {
            body["sub_order_no"] = "pot".into();
        }
        self.post("/v1/orders/tea-0001/refunds", body).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let body = match body {
            Value::Null => Body::empty(),
            body => Body::from(body.to_string()),
        };
        let request: Request<Body> = backend(path, API_KEY, body);
        self.server.send(request).await.json
    }

    /// Time passes; WeChat sends unacknowledged notifications again.
    async fn settle(&mut self) {
        for _ in 0..SETTLING_STEPS {
            for notification in std::mem::take(&mut self.notifications) {
                // Signed when it was first sent; WeChat signs each try again.
                self.server
                    .deliver_to(notification.path(), &notification)
                    .await;
            }
            self.server.later(10 * MINUTE_MS).await;
            self.server.simulator.run_due().await;
            self.notifications.extend(self.server.take_notifications());
        }
    }

    /// Checks that both ledgers and the backend's webhooks agree. Returns the order's state, the
    /// number of attempts that settled it, and of duplicate payments.
    async fn compare(&self, point: Point) -> (String, usize, usize) {
        let ledger = serde_json::to_value(self.server.simulator.ledger_view(None)).unwrap();
        let database = self.server.database().await;
        // Of a combined attempt WeChat's orders are the sub-orders.
        let attempts = sqlx::query(
            "SELECT number, out_trade_no, state, transaction_id FROM attempts
             WHERE is_combined = 0
             UNION ALL
             SELECT attempts.number, sub_payments.out_trade_no, attempts.state,
                    sub_payments.transaction_id
             FROM attempts JOIN sub_payments ON sub_payments.order_id = attempts.order_id
                                            AND sub_payments.attempt = attempts.number",
        )
        .fetch_all(&database)
        .await
        .unwrap();
        let (mut paid, mut surplus) = (BTreeSet::new(), BTreeSet::new());
        for order in ledger["orders"].as_array().unwrap() {
            let number = order["out_trade_no"].as_str().unwrap();
            let ours = attempts
                .iter()
                .find(|row| row.get::<&str, _>("out_trade_no") == number);
            let ours = ours.unwrap_or_else(|| panic!("{point:?}: {number} is not ours"));
            let state: &str = ours.get("state");
            let transaction_id: Option<&str> = ours.get("transaction_id");
            assert_eq!(
                order["transaction_id"].as_str(),
                transaction_id,
                "{point:?} {number}"
            );
            let is_money = matches!(state, "paid" | "surplus");
            assert_eq!(
                is_money,
                transaction_id.is_some(),
                "{point:?} {number} {state}"
            );
            let attempt: i64 = ours.get("number");
            match state {
                "paid" => drop(paid.insert(attempt)),
                "surplus" => {
                    surplus.insert(attempt);
                    assert_eq!(order["refunded"], order["total"], "{point:?} {number}");
                }
                _ => {}
            }
        }
        let (paid, surplus) = (paid.len(), surplus.len());
        compare_refunds(point, &ledger, &database).await;
        let state: (String,) = sqlx::query_as("SELECT state FROM orders")
            .fetch_one(&database)
            .await
            .unwrap();
        let count_messages = |word: &str| {
            let messages = self.server.backend.peek();
            let ids = messages
                .iter()
                .filter(|message| message.json()["type"] == word);
            let mut ids: Vec<_> = ids
                .map(|message| message.header("webhook-id").to_owned())
                .collect();
            ids.sort_unstable();
            ids.dedup();
            ids.len()
        };
        assert_eq!(count_messages("payment.succeeded"), paid, "{point:?}");
        assert_eq!(count_messages("payment.surplus"), surplus, "{point:?}");
        let kept: Vec<String> =
            sqlx::query_scalar("SELECT out_trade_no FROM mismatches ORDER BY rowid")
                .fetch_all(&database)
                .await
                .unwrap();
        assert_eq!(kept, self.strangers, "{point:?}");
        assert_eq!(count_messages("payment.mismatch"), kept.len(), "{point:?}");
        assert_eq!(
            count_messages("order.closed"),
            usize::from(state.0 == "closed"),
            "{point:?}"
        );
        (state.0, paid, surplus)
    }
}

async fn compare_refunds(point: Point, ledger: &Value, database: &sqlx::AnyPool) {
    let ours: Vec<(String, i64, String)> = sqlx::query_as(
        "SELECT out_refund_no, amount_fen, state FROM refunds ORDER BY out_refund_no",
    )
    .fetch_all(database)
    .await
    .unwrap();
    let refunds = ledger["refunds"].as_array().unwrap().iter();
    let mut wechats: Vec<_> = refunds
        .map(|refund| {
            assert_eq!(refund["status"], "SUCCESS", "{point:?} {refund}");
            let number = refund["out_refund_no"].as_str().unwrap().to_owned();
            let amount_fen = refund["refund"].as_i64().unwrap();
            (number, amount_fen, "succeeded".to_owned())
        })
        .collect();
    wechats.sort();
    assert_eq!(ours, wechats, "{point:?}");
}

/// Two sub-orders, which a provider sells for its one sub-merchant.
fn combined_order(owner: Owner) -> Value {
    let sub_order = |no: &str, amount_fen: u64| {
        let mut sub_order =
            json!({ "sub_order_no": no, "amount_fen": amount_fen, "description": "一只壶" });
        if owner == Owner::Provider {
            sub_order["sub_mchid"] = sub_merchant(1).sub_mchid.into();
        }
        sub_order
    };
    json!({
        "order_no": "tea-0001", "total_fen": TOTAL_FEN, "description": "一套茶具",
        "sub_orders": [sub_order("pot", TOTAL_FEN - 10), sub_order("cup", 10)],
    })
}

fn harness_configuration(owner: Owner) -> String {
    let target = "http://127.0.0.1:7000/hooks";
    let products = r#"products = ["native", "h5", "jsapi", "mini_program", "code_pay"]"#;
    let page = "mini_program_path = \"/pages/pay/pay\"\n";
    owner.configuration(products, page)
        + &format!("[[webhooks]]\nurl = \"{target}\"\nsecret = \"{SECRET}\"\n")
}
