//! Attempts that the shop's backend starts for the same buyer: in its app, and at its till. The
//! contract's rules for them are those of a page's attempts.

use serde_json::{Value, json};

use super::{Device, Started, pause};
use crate::shop;
use crate::wechat::Link;

/// How often the backend tries before its buyer gives up.
const TRIES: u32 = 60;

/// The result of scanning the buyer's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// The order is paid or closed.
    Over,
    /// WeChat waits for the buyer's password.
    Waits,
    /// No money was taken, or the started payment is over: the till can scan another code.
    Again,
}

impl Device {
    pub(super) async fn start_in_app(&self) -> Started {
        match self.start_by_backend(json!({ "product": "app" })).await {
            Err(started) => started,
            Ok(answer) => match answer["app"]["prepayid"].as_str() {
                Some(prepay_id) => Started::Link(Link::PrepayId(prepay_id.to_owned())),
                None => Started::Refused(format!("nothing for an app in {answer}")),
            },
        }
    }

    /// The till scans a code. If it gets no answer, it repeats the request with the same code, as
    /// WeChat requires: this takes no money twice.
    pub(crate) async fn scan(&self, auth_code: &str) -> Scanned {
        let body = json!({ "product": "code_pay", "auth_code": auth_code });
        match self.start_by_backend(body).await {
            Ok(answer) if answer["attempt"]["state"] == "open" => Scanned::Waits,
            Err(Started::Over) => Scanned::Over,
            Ok(_) | Err(_) => Scanned::Again,
        }
    }

    /// Returns the answer if there is an attempt to continue.
    async fn start_by_backend(&self, mut body: Value) -> Result<Value, Started> {
        let path = format!("/v1/orders/{}/attempts", self.plan.order_no);
        let product = body["product"].as_str().unwrap_or_default().to_owned();
        for tried in 0..TRIES {
            body["after"] = self.seen.attempt().into();
            let floor = self.seen.floor();
            match shop::call_once(&self.chaos, &self.plan, "POST", &path, Some(&body)).await {
                Ok((200, answer)) => {
                    self.hear(self.seen.learn_from_backend(&answer, floor));
                    self.note(format!(
                        "starts {product}: {} {}",
                        answer["state"], answer["attempt"]
                    ));
                    return if answer["state"] == "open" {
                        Ok(answer)
                    } else {
                        Err(Started::Over)
                    };
                }
                Ok((409, answer)) if code(&answer) == "ATTEMPT_SUPERSEDED" => {
                    self.hear(self.seen.learn(&answer, floor, self.plan.total_fen));
                    self.note(format!("starts {product}: superseded"));
                    return Err(Started::Superseded);
                }
                Ok((status @ (500 | 503), answer)) => {
                    self.note(format!("starts {product}: {status} {}", code(&answer)));
                }
                Ok((status, answer)) => {
                    self.note(format!("starts {product}: {status} {answer}"));
                    if !matches!(status, 409 | 410 | 502) {
                        self.report_wrong(format!("{product} was answered {status} {answer}"));
                    }
                    return Err(Started::Refused(code(&answer).to_owned()));
                }
                Err(_) => {}
            }
            tokio::time::sleep(pause(tried)).await;
        }
        self.note(format!("gives up starting {product}"));
        Err(Started::Refused("no answer".to_owned()))
    }

    fn hear(&self, wrong: Option<String>) {
        if let Some(wrong) = wrong {
            self.report_wrong(wrong);
        }
    }
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or("ok")
}
