//! The mini-program's own page (`www/miniprogram`), to which an element in its web-view navigates.
//! The page is the mini-program's JavaScript and has no element: it logs in, starts its attempt,
//! and opens the cashier.

use serde_json::Value;

use super::{Device, Started, pause};
use crate::chaos_run::Body;
use crate::wechat::{self, Link};

/// How often the page tries, by itself or at the buyer's click.
const TRIES: u32 = 60;

impl Device {
    /// The page opens at the path that the element was given.
    pub(super) async fn start_in_mini_program(&self, path: &str) -> Started {
        if !path.contains(&self.token) {
            self.report_wrong(format!("{path} does not lead to this order"));
        }
        for tried in 0..TRIES {
            // A login code is valid once, so each try logs in again.
            let merchant = self.chaos.merchant(self.plan.mode);
            let code = wechat::log_in(&self.chaos, merchant, self.payer()).await;
            let form = [
                ("product", "mini_program".to_owned()),
                ("after", self.seen.attempt().to_string()),
                ("code", code),
            ];
            match self.post("attempts", &form).await {
                Some((200, answer)) if answer["state"] != "open" => return Started::Over,
                Some((200, answer)) => {
                    let package = answer["mini_program"]["package"].as_str();
                    let prepay_id = package.and_then(|text| text.strip_prefix("prepay_id="));
                    return match prepay_id {
                        Some(id) => Started::Link(Link::PrepayId(id.to_owned())),
                        None => Started::Refused(format!("no action in {answer}")),
                    };
                }
                Some((409, answer)) if code_of(&answer) == "ATTEMPT_SUPERSEDED" => {
                    return Started::Superseded;
                }
                Some((422, answer)) if code_of(&answer) == "PAYER_INVALID" => {}
                None | Some((429 | 502 | 503, _)) => {}
                Some((_, answer)) => return Started::Refused(code_of(&answer).to_owned()),
            }
            tokio::time::sleep(pause(tried)).await;
        }
        Started::Refused("no answer".to_owned())
    }

    /// Cancels the attempt that was seen last, which no element on this device has made.
    pub(super) async fn cancel_by_hand(&self) {
        let form = [("after", self.seen.attempt().to_string())];
        for tried in 0..TRIES {
            match self.post("cancel", &form).await {
                None | Some((429 | 502 | 503, _)) => tokio::time::sleep(pause(tried)).await,
                Some((status, answer)) => {
                    return self.note(format!("cancels by hand: {status} {}", code_of(&answer)));
                }
            }
        }
        self.note("gives up cancelling");
    }

    async fn post(&self, what: &str, form: &[(&str, String)]) -> Option<(u16, Value)> {
        let server = &self.chaos.merchant(self.plan.mode).server;
        let url = format!("{server}/v1/checkouts/{}/{what}", self.token);
        let address = [("x-forwarded-for", &*self.plan.address)];
        let floor = self.seen.floor();
        let call = self.chaos.call("POST", &url, &address, Body::Form(form));
        let (status, answer) = call.await.ok()?;
        if !matches!(status, 200 | 409 | 410 | 422 | 429 | 502 | 503) {
            self.report_wrong(format!("{what} was answered {status} {answer}"));
        }
        if answer["state"].is_string()
            && let Some(wrong) = self.seen.learn(&answer, floor, self.plan.total_fen)
        {
            self.report_wrong(wrong);
        }
        Some((status, answer))
    }
}

fn code_of(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or("ok")
}
