//! Attempts that the shop's backend starts for the same buyer: in its app, and at its till. They
//! follow the rules of a page's, and what one of them has seen, the others have not.

use serde_json::{Value, json};

use super::{Page, Started, TRIES, code, pause};
use crate::shop;
use crate::wechat::Link;

/// What scanning the buyer's code came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scanned {
    /// The order is paid or closed.
    Over,
    /// WeChat waits for the buyer's password.
    Waits,
    /// Nothing was taken, or what was begun is over: another code can be scanned.
    Again,
}

impl Page<'_> {
    pub(super) async fn start_in_app(&mut self) -> Started {
        match self.start_by_backend(json!({ "product": "app" })).await {
            Err(started) => started,
            Ok(answer) => match answer["app"]["prepayid"].as_str() {
                Some(prepay_id) => Started::Link(Link::PrepayId(prepay_id.to_owned())),
                None => Started::Refused(format!("nothing for an app in {answer}")),
            },
        }
    }

    /// The till scans a code. Where it hears nothing it asks again with the same one, as WeChat
    /// wants it: that takes no money twice.
    pub(crate) async fn scan(&mut self, auth_code: &str) -> Scanned {
        let wish = json!({ "product": "code_pay", "auth_code": auth_code });
        match self.start_by_backend(wish).await {
            Ok(answer) if answer["attempt"]["state"] == "open" => Scanned::Waits,
            Err(Started::Over) => Scanned::Over,
            Ok(_) | Err(_) => Scanned::Again,
        }
    }

    /// Gives the answer where there is an attempt to go on with.
    async fn start_by_backend(&mut self, mut wish: Value) -> Result<Value, Started> {
        let path = format!("/v1/orders/{}/attempts", self.plan.order_no);
        let product = wish["product"].as_str().unwrap_or_default().to_owned();
        for tried in 0..TRIES {
            wish["after"] = self.after.into();
            match shop::call_once(self.world, self.plan, "POST", &path, Some(&wish)).await {
                Ok((200, answer)) => {
                    self.learn_from_backend(&answer);
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
                    self.learn(&answer);
                    self.note(format!("starts {product}: superseded"));
                    return Err(Started::Superseded);
                }
                Ok((status @ (500 | 503), answer)) => {
                    self.note(format!("starts {product}: {status} {}", code(&answer)));
                }
                Ok((status, answer)) => {
                    self.note(format!("starts {product}: {status} {answer}"));
                    if !matches!(status, 409 | 410 | 502) {
                        self.accuse(format!("{product} was answered {status} {answer}"));
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

    fn learn_from_backend(&mut self, answer: &Value) {
        if self.has_seen_paid && answer["state"] != "paid" {
            self.accuse(format!("it was paid and is {} now", answer["state"]));
        }
        self.has_seen_paid |= answer["state"] == "paid";
        let attempt = &answer["attempt"];
        self.after = attempt["number"].as_u64().unwrap_or(self.after);
        if let Some(out_trade_no) = attempt["out_trade_no"].as_str() {
            out_trade_no.clone_into(&mut self.out_trade_no);
        }
    }
}
