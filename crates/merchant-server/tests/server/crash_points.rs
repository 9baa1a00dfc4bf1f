//! The process ends at every point of the operations that move money or decide whether it moves:
//! after each poll of its future, which is at each place where it waits for the database or for
//! WeChat, and around each of its calls, before it arrives and after it took effect. Another process
//! opens the same file, people try again, time passes, and both ledgers must agree as if nothing had
//! happened.
//!
//! A dropped future is what `kill -9` leaves of an operation: what it had sent to the database is
//! done, and nothing after it. Every point is tried in turn until the operation lives to its end,
//! so that one that is written later is tried without anybody thinking of it.

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
use crate::house::{API_KEY, House, Letter, MINUTE_MS, Owner, backend, letter, transaction};
use crate::oauth::{BACK, handle, through_wechat};
use crate::refunds::notices::{notice, told};
use crate::refunds::outside::by_hand;

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
/// No operation has so many points; one that had would not end.
const POINTS_MAX: usize = 400;
/// The price of everything here: so much that a till's payment wants a password.
const TOTAL_FEN: u64 = 100_000;

/// Where the process ends.
#[derive(Clone, Copy, Debug)]
enum Point {
    /// After so many polls.
    Poll(usize),
    /// When WeChat is called for this time, and does not hear of it.
    BeforeCall(usize),
    /// When WeChat is called for this time, has done it, and nobody hears of it.
    AfterCall(usize),
}

/// A merchant's own house alone.
const OWN: &[Owner] = &[Owner::Merchant];
/// A provider's, too, whose calls to WeChat are others.
const BOTH: &[Owner] = &Owner::BOTH;

/// What the points of an operation are tried with.
struct Scenario {
    /// In whose house.
    owners: &'static [Owner],
    /// Brings the house to where the operation begins.
    before: for<'a> fn(&'a mut Stage) -> Step<'a>,
    /// The operation.
    operation: for<'a> fn(&'a Stage) -> Step<'a>,
    /// What people do afterwards, in the new process: mostly the same again.
    after: for<'a> fn(&'a mut Stage) -> Step<'a>,
    /// How the order stands in the end, with attempts that settled it, and surplus.
    end: (&'static str, usize, usize),
}

type Step<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

struct Stage {
    house: House,
    token: String,
    /// The code on the buyer's phone.
    auth_code: String,
    /// Notifications that WeChat goes on sending until they are acknowledged.
    letters: Vec<Letter>,
    /// Numbers of payments among them that are nobody's.
    strangers: Vec<String>,
}

impl Scenario {
    async fn hold_at_every_point(self) {
        for owner in self.owners {
            self.hold_at_every_point_of(*owner).await;
        }
    }

    async fn hold_at_every_point_of(&self, owner: Owner) {
        let mut tried = 0;
        for kind in [Point::Poll, Point::BeforeCall, Point::AfterCall] {
            for place in 1..=POINTS_MAX {
                assert!(place < POINTS_MAX, "an operation that does not end");
                if !self.holds_at(owner, kind(place)).await {
                    break;
                }
                tried += 1;
            }
        }
        // An operation without a point would prove nothing. On a busy machine a wait may be over
        // before it is looked at, and is no point then: how many there are is the machine's.
        assert!(tried > 0, "no point was tried");
    }

    /// Says whether the operation was cut off there.
    async fn holds_at(&self, owner: Owner, point: Point) -> bool {
        let mut stage = Stage::open(owner).await;
        (self.before)(&mut stage).await;
        let is_cut = stage.run_until(point, (self.operation)(&stage)).await;
        let mut stage = stage.begin_again().await;
        (self.after)(&mut stage).await;
        stage.settle().await;
        let seen = stage.compare(point).await;
        let (ended, paid, surplus) = self.end;
        assert_eq!(
            seen,
            (ended.to_owned(), paid, surplus),
            "{owner:?}, cut at {point:?}"
        );
        is_cut
    }
}

#[tokio::test]
async fn starting_an_attempt_holds_at_every_point() {
    let scenario = Scenario {
        owners: BOTH,
        before: |_| Box::pin(async {}),
        operation: |stage| Box::pin(async { drop(stage.start("native", 0).await) }),
        after: |stage| {
            Box::pin(async {
                let answer = stage.start("native", 0).await;
                stage.pay(&answer).await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn taking_over_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |stage| Box::pin(async { drop(stage.start("native", 0).await) }),
        operation: |stage| Box::pin(async { drop(stage.start("h5", 1).await) }),
        after: |stage| {
            Box::pin(async {
                // The page asks again with what it has seen: the first attempt.
                let mut answer = stage.start("h5", 1).await;
                if answer["error"]["code"] == "ATTEMPT_SUPERSEDED" {
                    let seen = answer["attempt"].as_u64().unwrap();
                    answer = stage.start("h5", seen).await;
                }
                stage.pay(&answer).await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn settling_by_a_notification_holds_at_every_point() {
    let scenario = Scenario {
        owners: BOTH,
        before: |stage| {
            Box::pin(async {
                let answer = stage.start("native", 0).await;
                stage.pay(&answer).await;
            })
        },
        operation: |stage| {
            Box::pin(async {
                stage.house.hand_in(&stage.letters[0]).await;
            })
        },
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn telling_the_backend_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |stage| {
            Box::pin(async {
                let answer = stage.start("native", 0).await;
                stage.pay(&answer).await;
                stage.house.hand_in(&stage.letters[0]).await;
            })
        },
        operation: |stage| Box::pin(async { drop(stage.house.server.run_due().await) }),
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 0),
    };
    // The call goes to the backend, so WeChat's calls are none of this operation's points.
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn expiry_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |stage| {
            Box::pin(async {
                stage.start("native", 0).await;
                stage.house.clock.advance_ms(40 * MINUTE_MS);
            })
        },
        operation: |stage| Box::pin(async { drop(stage.house.server.run_due().await) }),
        after: |_| Box::pin(async {}),
        end: ("closed", 0, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn closing_by_the_merchant_holds_at_every_point() {
    let scenario = Scenario {
        owners: BOTH,
        before: |stage| Box::pin(async { drop(stage.start("native", 0).await) }),
        operation: |stage| {
            Box::pin(async { drop(stage.post("/v1/orders/tea-0001/close", Value::Null).await) })
        },
        after: |_| Box::pin(async {}),
        end: ("closed", 0, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn giving_surplus_back_holds_at_every_point() {
    let scenario = Scenario {
        owners: BOTH,
        before: |stage| {
            Box::pin(async {
                stage.start("native", 0).await;
                let answer = stage.start("h5", 1).await;
                stage.pay(&answer).await;
                stage.pay_late("tea-0001").await;
                for letter in stage.letters.clone() {
                    stage.house.hand_in(&letter).await;
                }
            })
        },
        operation: |stage| Box::pin(async { drop(stage.house.server.run_due().await) }),
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 1),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn refunding_holds_at_every_point() {
    let scenario = Scenario {
        owners: BOTH,
        before: |stage| {
            Box::pin(async {
                let answer = stage.start("native", 0).await;
                stage.pay(&answer).await;
                stage.house.hand_in(&stage.letters[0]).await;
            })
        },
        operation: |stage| Box::pin(async { drop(stage.refund().await) }),
        after: |stage| Box::pin(async { drop(stage.refund().await) }),
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn scanning_a_code_holds_at_every_point() {
    let scenario = Scenario {
        owners: BOTH,
        before: |_| Box::pin(async {}),
        operation: |stage| Box::pin(async { drop(stage.scan().await) }),
        after: |stage| {
            Box::pin(async {
                // The till asks again with the same code; WeChat sends no notification of it.
                let answer = stage.scan().await;
                stage.pay(&answer["attempt"]).await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn taking_a_code_payment_back_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |stage| {
            Box::pin(async {
                stage.scan().await;
                stage.house.clock.advance_ms(MINUTE_MS);
            })
        },
        operation: |stage| Box::pin(async { drop(stage.house.server.run_due().await) }),
        after: |_| Box::pin(async {}),
        end: ("closed", 0, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn cancelling_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |stage| Box::pin(async { drop(stage.start("native", 0).await) }),
        operation: |stage| Box::pin(async { stage.cancel().await }),
        after: |stage| {
            Box::pin(async {
                stage.cancel().await;
                // Nothing is under way any more, so that the next one begins at once.
                let answer = stage.start("h5", 1).await;
                stage.pay(&answer).await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn paying_under_the_handle_of_a_hop_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |_| Box::pin(async {}),
        operation: |stage| Box::pin(async { drop(stage.start_in_wechat().await) }),
        after: |stage| {
            Box::pin(async {
                let answer = stage.start_in_wechat().await;
                stage.pay(&answer).await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn reconciling_holds_at_every_point() {
    let scenario = Scenario {
        owners: BOTH,
        before: |stage| {
            Box::pin(async {
                let answer = stage.start("native", 0).await;
                stage.pay(&answer).await;
            })
        },
        operation: |stage| Box::pin(async { drop(stage.house.server.reconcile(0).await) }),
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn hearing_of_a_refunds_result_holds_at_every_point() {
    let scenario = Scenario {
        owners: BOTH,
        before: |stage| {
            Box::pin(async {
                stage.sell().await;
                stage.refund().await;
                stage.decide_refund("success").await;
            })
        },
        operation: |stage| {
            Box::pin(async {
                let last = stage.letters.last().unwrap();
                stage.house.hand_in_at("/wechat/notify/refund", last).await;
            })
        },
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn sending_an_abnormal_refund_on_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |stage| {
            Box::pin(async {
                stage.sell().await;
                stage.refund().await;
                stage.decide_refund("abnormal").await;
                let last = stage.letters.last().unwrap();
                stage.house.hand_in_at("/wechat/notify/refund", last).await;
            })
        },
        operation: |stage| Box::pin(async { drop(stage.send_on().await) }),
        after: |stage| {
            Box::pin(async {
                // In doubt it is asked about first, so that it is abnormal or on its way.
                stage.house.later(1).await;
                stage.send_on().await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn keeping_a_payment_that_is_nobodys_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |stage| {
            Box::pin(async {
                let at_ms = stage.house.clock.now_ms();
                let told = transaction("nobodys-0001", TOTAL_FEN);
                stage.letters.push(letter("N1", &told, at_ms));
                stage.strangers.push("nobodys-0001".to_owned());
            })
        },
        operation: |stage| {
            Box::pin(async {
                stage.house.hand_in(&stage.letters[0]).await;
            })
        },
        after: |_| Box::pin(async {}),
        end: ("closed", 0, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn asking_about_a_payment_that_is_nobodys_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |stage| {
            Box::pin(async {
                let at_ms = stage.house.clock.now_ms();
                let told = transaction("nobodys-0001", TOTAL_FEN);
                stage.house.hand_in(&letter("N1", &told, at_ms)).await;
                stage.strangers.push("nobodys-0001".to_owned());
            })
        },
        operation: |stage| Box::pin(async { drop(stage.house.server.run_due().await) }),
        after: |_| Box::pin(async {}),
        end: ("closed", 0, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn hearing_of_a_portals_refund_in_the_older_form_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |stage| Box::pin(async { stage.refund_in_portal().await }),
        operation: |stage| {
            Box::pin(async {
                let last = stage.letters.last().unwrap();
                assert!(last.body.starts_with(b"<xml>"));
                stage.house.hand_in_at(last.path(), last).await;
            })
        },
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn taking_in_a_portals_refund_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |stage| {
            Box::pin(async {
                stage.refund_in_portal().await;
                let last = stage.letters.last().unwrap();
                stage.house.hand_in_at(last.path(), last).await;
            })
        },
        operation: |stage| Box::pin(async { drop(stage.house.server.run_due().await) }),
        after: |_| Box::pin(async {}),
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

#[tokio::test]
async fn hearing_of_another_programs_refund_holds_at_every_point() {
    let scenario = Scenario {
        owners: OWN,
        before: |stage| {
            Box::pin(async {
                stage.refund_in_portal().await;
                // The same, told in today's form.
                let told = told(&stage.house, "SUCCESS");
                let at_ms = stage.house.clock.now_ms();
                *stage.letters.last_mut().unwrap() = notice("N1", &told, at_ms);
            })
        },
        operation: |stage| {
            Box::pin(async {
                let last = stage.letters.last().unwrap();
                stage.house.hand_in_at(last.path(), last).await;
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
        operation: |stage| Box::pin(async { drop(stage.start_in_mini_program().await) }),
        after: |stage| {
            Box::pin(async {
                // The page logs in again: a code is good once.
                let answer = stage.start_in_mini_program().await;
                stage.pay(&answer).await;
            })
        },
        end: ("paid", 1, 0),
    };
    scenario.hold_at_every_point().await;
}

/// How long time is let pass until nothing is left to do: deadlines, plans, and banks.
const SETTLING_STEPS: usize = 12;

impl Stage {
    async fn open(owner: Owner) -> Self {
        let house = House::open_configured(&stage_configuration(owner)).await;
        let order = json!({
            "order_no": "tea-0001", "total_fen": TOTAL_FEN, "description": "一壶茶",
            "scene_info": {"payer_client_ip": "10.0.0.9", "store_info": {"id": "0001"}},
        });
        let token = house.order(order).await;
        let auth_code = house.shown_code().await;
        Self {
            house,
            token,
            auth_code,
            letters: Vec::new(),
            strangers: Vec::new(),
        }
    }

    /// Runs an operation until it is cut off; says whether it was.
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
            Point::BeforeCall(call) => self.house.line.cut(call, false, reached.clone()),
            Point::AfterCall(call) => self.house.line.cut(call, true, reached.clone()),
        }
        let reached = pin!(reached.notified());
        let is_cut = tokio::select! {
            () = operation => false,
            () = reached => true,
        };
        self.house.line.mend();
        is_cut
    }

    async fn begin_again(self) -> Self {
        Self {
            house: self.house.begin_again().await,
            ..self
        }
    }

    async fn start(&self, product: &str, after: u64) -> Value {
        let after = after.to_string();
        let fields = [("product", product), ("after", &after), BACK];
        self.house.attempt(&self.token, &fields).await.json
    }

    /// The order is paid, and the server knows it.
    async fn sell(&mut self) {
        let answer = self.start("native", 0).await;
        self.pay(&answer).await;
        self.house.hand_in(&self.letters[0]).await;
    }

    async fn scan(&self) -> Value {
        let scan = json!({ "product": "code_pay", "auth_code": self.auth_code });
        self.house.backend_attempt("tea-0001", &scan).await.json
    }

    /// Ends what the page sees: the first attempt, if any.
    async fn cancel(&self) {
        let path = format!("/v1/checkouts/{}/cancel", self.token);
        self.house.form(&path, &[("after", "1")]).await;
    }

    /// A page in WeChat: it goes for the openid where it has to, and comes back with a handle.
    async fn start_in_wechat(&self) -> Value {
        let answer = self.start("jsapi", 0).await;
        let Some(url) = answer["authorize_url"].as_str() else {
            return answer;
        };
        let url = Url::parse(url).unwrap();
        let back = through_wechat(&self.house, &url).await;
        let handle = handle(&self.house.get(&back).await);
        let fields = [
            ("product", "jsapi"),
            ("after", "0"),
            ("payer", &handle),
            BACK,
        ];
        self.house.attempt(&self.token, &fields).await.json
    }

    /// A mini-program's page pays with what `wx.login` gave it.
    async fn start_in_mini_program(&self) -> Value {
        let code = login_code(&self.house).await;
        let fields = [("product", "mini_program"), ("after", "0"), ("code", &code)];
        self.house.attempt(&self.token, &fields).await.json
    }

    /// The order is sold, and somebody gives money back by hand; the server has not heard of it.
    async fn refund_in_portal(&mut self) {
        self.sell().await;
        self.letters.clear();
        let (_, letters) = by_hand(&self.house, 90).await;
        self.letters.extend(letters);
    }

    /// WeChat comes to a result of the refund, and tells it.
    async fn decide_refund(&mut self, outcome: &str) {
        self.house.decide("tea-0001@1", outcome).await;
        self.letters.extend(self.house.take_post());
    }

    async fn send_on(&self) -> Value {
        let to_merchant = json!({ "type": "MERCHANT_BANK_CARD" });
        self.post("/v1/refunds/tea-0001@1/apply-abnormal-refund", to_merchant)
            .await
    }

    /// The buyer pays by what an answer shows.
    async fn pay(&mut self, answer: &Value) {
        let number = answer["out_trade_no"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"));
        self.house.pay(number).await;
        self.letters.extend(self.house.take_post());
    }

    async fn pay_late(&mut self, number: &str) {
        self.house.pay_late(number).await;
        self.letters.extend(self.house.take_post());
    }

    async fn refund(&self) -> Value {
        let wish = json!({ "refund_no": "tea-0001@1", "amount_fen": 90 });
        self.post("/v1/orders/tea-0001/refunds", wish).await
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let body = match body {
            Value::Null => Body::empty(),
            body => Body::from(body.to_string()),
        };
        let request: Request<Body> = backend(path, API_KEY, body);
        self.house.send(request).await.json
    }

    /// Time passes; WeChat sends again what nobody has acknowledged.
    async fn settle(&mut self) {
        for _ in 0..SETTLING_STEPS {
            for letter in std::mem::take(&mut self.letters) {
                // Signed when it was first sent; WeChat signs each try anew.
                self.house.hand_in_at(letter.path(), &letter).await;
            }
            self.house.later(10 * MINUTE_MS).await;
            self.house.simulator.run_due().await;
            self.letters.extend(self.house.take_post());
        }
    }

    /// Both ledgers, and what the backend heard, agree; gives the order's state, and how many
    /// attempts settled it and came too much.
    async fn compare(&self, point: Point) -> (String, usize, usize) {
        let ledger = serde_json::to_value(self.house.simulator.ledger_view(None)).unwrap();
        let database = self.house.database().await;
        let attempts = sqlx::query("SELECT out_trade_no, state, transaction_id FROM attempts")
            .fetch_all(&database)
            .await
            .unwrap();
        let (mut paid, mut surplus) = (0, 0);
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
            paid += usize::from(state == "paid");
            if state == "surplus" {
                surplus += 1;
                assert_eq!(order["refunded"], order["total"], "{point:?} {number}");
            }
        }
        self.compare_refunds(point, &ledger).await;
        let state: (String,) = sqlx::query_as("SELECT state FROM orders")
            .fetch_one(&database)
            .await
            .unwrap();
        let told = |word: &str| {
            let messages = self.house.backend.peek();
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
        assert_eq!(told("payment.succeeded"), paid, "{point:?}");
        assert_eq!(told("payment.surplus"), surplus, "{point:?}");
        let kept = self.house.mismatches().await.into_iter();
        let kept: Vec<_> = kept.map(|(number, _)| number).collect();
        assert_eq!(kept, self.strangers, "{point:?}");
        assert_eq!(told("payment.mismatch"), kept.len(), "{point:?}");
        assert_eq!(
            told("order.closed"),
            usize::from(state.0 == "closed"),
            "{point:?}"
        );
        (state.0, paid, surplus)
    }

    async fn compare_refunds(&self, point: Point, ledger: &Value) {
        let database = self.house.database().await;
        let ours: Vec<(String, i64, String)> = sqlx::query_as(
            "SELECT out_refund_no, amount_fen, state FROM refunds ORDER BY out_refund_no",
        )
        .fetch_all(&database)
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
}

fn stage_configuration(owner: Owner) -> String {
    let target = "http://127.0.0.1:7000/hooks";
    let products = r#"products = ["native", "h5", "jsapi", "mini_program", "code_pay"]"#;
    let page = "mini_program_path = \"/pages/pay/pay\"\n";
    owner.configuration(products, page)
        + &format!("[[webhooks]]\nurl = \"{target}\"\nsecret = \"{SECRET}\"\n")
}
