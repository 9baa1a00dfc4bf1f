//! Attempts: requesting one from the backend, and performing the action that it returns.

use merchant_api::{Action, AttemptForm, CheckoutAnswer, ErrorCode, Product, decimal};

use super::stage::{Code, CodeState, LeaveReason, Leaving, Progress, Stage, Starting};
use super::{ATTEMPT_TIMEOUT_MS, ATTEMPT_TRIES, CheckoutMachine, STUCK_MS, earlier};
use crate::destination::{AuthorizeUrl, CodeUrl, H5Url, MiniProgramPath};
use crate::effect::{Destination, Effect, Occurrence, Request, RequestId};
use crate::event::Failure;
use crate::problem::{Problem, ProblemCode};
use crate::view_model::Notice;

/// A pause that is longer than a buyer waits who has another method.
const LONG_PAUSE_MS: u64 = 60_000;
/// The longest pause before the next try.
const MAX_PAUSE_MS: u64 = 6 * 60_000;

impl CheckoutMachine {
    /// Starts an attempt for a product: on the buyer's click, or on a desktop without one. The
    /// request is sent at the end of the event, or as soon as the page is visible and online.
    pub(super) fn start(&mut self, now_ms: u64, product: Product) {
        let payer = (product == Product::Jsapi).then(|| self.payer()).flatten();
        self.emitted.problem = None;
        self.stage = Stage::Starting(Starting {
            product,
            payer,
            after: self.current_attempt().map_or(0, |attempt| attempt.number),
            tries: 0,
            progress: Progress::Waiting { until_ms: now_ms },
            notice: None,
        });
    }

    /// Sends the request of the `Starting` stage when it is due and the page is visible and online,
    /// so that no try is wasted. The poll in flight is aborted, because its answer could only be
    /// older.
    pub(super) fn send_attempt_if_due(&mut self, now_ms: u64) {
        let id = RequestId(self.last_id + 1);
        let Stage::Starting(starting) = &mut self.stage else {
            return;
        };
        let is_due =
            matches!(starting.progress, Progress::Waiting { until_ms } if until_ms <= now_ms);
        if !is_due || !self.poll.may_send() {
            return;
        }
        if let Err(until_ms) = self.poll.take_turn(now_ms) {
            starting.progress = Progress::Waiting { until_ms };
            return;
        }
        self.last_id = id.0;
        starting.tries += 1;
        starting.progress = Progress::InFlight {
            id,
            gives_up_at_ms: now_ms + ATTEMPT_TIMEOUT_MS,
        };
        let needs_return = matches!(starting.product, Product::H5 | Product::Jsapi);
        let return_url = self.options.return_url.as_ref().filter(|_| needs_return);
        let form = AttemptForm {
            product: starting.product,
            after: Some(starting.after),
            return_url: return_url.map(|url| url.as_str().to_owned()),
            payer: starting.payer.clone(),
            code: None,
        };
        self.poll.drop_in_flight();
        self.abort_dropped_poll();
        // A new attempt replaces the one that is being cancelled.
        let dead = self.cancelling.take();
        self.abort(dead.map(|cancelling| cancelling.id));
        let request = Request::Start(form);
        self.effects.push(Effect::Send { id, request });
    }

    /// Performs the action that the answer to a request for an attempt holds.
    pub(super) fn attempt_answered(
        &mut self,
        now_ms: u64,
        product: Product,
        answer: &CheckoutAnswer,
    ) {
        let attempt = answer.attempt.as_ref().map_or(0, |attempt| attempt.number);
        match (product, answer.action.clone()) {
            (Product::Native, Some(Action::CodeUrl(text))) => {
                self.show_code(now_ms, &text, answer);
            }
            (Product::H5, Some(Action::H5Url(text))) => {
                match H5Url::parse(&text, self.facts.page_is_loopback) {
                    Some(url) => {
                        self.leave(now_ms, LeaveReason::H5 { attempt }, Destination::H5(url));
                    }
                    None => self.refuse(Problem::new(ProblemCode::H5UrlRefused)),
                }
            }
            (Product::Jsapi, Some(Action::Jsapi(parameters))) => {
                self.open_cashier(now_ms, attempt, parameters);
            }
            (Product::Jsapi, Some(Action::AuthorizeUrl(text))) => {
                self.redirect_to_oauth(now_ms, &text);
            }
            (Product::MiniProgram, Some(Action::MiniProgramPath(text))) => {
                match MiniProgramPath::parse(&text) {
                    Some(path) => {
                        let destination = Destination::MiniProgram(path);
                        self.leave(now_ms, LeaveReason::MiniProgram, destination);
                    }
                    None => self.refuse(Problem::new(ProblemCode::MiniProgramPathRefused)),
                }
            }
            _ => self.refuse(Problem::new(ProblemCode::ActionUnexpected)),
        }
    }

    /// Shows a code and starts to poll for its payment.
    pub(super) fn show_code(&mut self, now_ms: u64, text: &str, answer: &CheckoutAnswer) {
        self.place_code(now_ms, text, answer);
        self.poll.start(now_ms);
    }

    /// Shows a code, or replaces the one that is shown, with the backend's times.
    pub(super) fn place_code(&mut self, now_ms: u64, text: &str, answer: &CheckoutAnswer) {
        let Some(url) = CodeUrl::parse(text) else {
            self.fail(Problem::new(ProblemCode::CodeUrlRefused));
            return;
        };
        self.stage = Stage::Code(Code {
            url,
            attempt: answer.attempt.as_ref().map_or(0, |attempt| attempt.number),
            deadline_ms: code_remaining_ms(answer).map(|remaining_ms| now_ms + remaining_ms),
            state: CodeState::Valid,
        });
    }

    /// Redirects to WeChat's OAuth page for the openid, once: a second redirect would loop. WeCom
    /// does not support WeChat's OAuth (field report:
    /// <https://blog.csdn.net/article/details/78809354>), so the code is shown there at once.
    fn redirect_to_oauth(&mut self, now_ms: u64, text: &str) {
        let may_show_code = self.fallback() == Some(Product::Native);
        if self.is_back_from_oauth() || self.is_in_wecom() && may_show_code {
            let code = ProblemCode::Refused(ErrorCode::PayerUnavailable);
            self.do_without_cashier(now_ms, Problem::new(code));
            return;
        }
        match AuthorizeUrl::parse(text, self.facts.page_is_loopback) {
            Some(url) => self.leave(
                now_ms,
                LeaveReason::OauthOrReload,
                Destination::Authorize(url),
            ),
            None => self.refuse(Problem::new(ProblemCode::AuthorizeUrlRefused)),
        }
    }

    fn leave(&mut self, now_ms: u64, reason: LeaveReason, destination: Destination) {
        if reason.product().is_some() {
            self.effects.push(Effect::MarkDeparture(true));
            self.poll.start(now_ms);
        }
        self.emit(Occurrence::Redirecting(destination.clone()));
        self.effects.push(Effect::Navigate(destination));
        self.start_leaving(now_ms, reason);
    }

    fn start_leaving(&mut self, now_ms: u64, reason: LeaveReason) {
        self.stage = Stage::Leaving(Leaving {
            reason,
            stuck_at_ms: now_ms + STUCK_MS,
            was_hidden: !self.poll.is_visible(),
        });
    }

    /// Reloads the page, once.
    pub(super) fn reload(&mut self, now_ms: u64) {
        self.options.reloaded = true;
        self.effects.push(Effect::Reload);
        self.start_leaving(now_ms, LeaveReason::OauthOrReload);
    }

    pub(super) fn mini_program_failed(&mut self, raw: String) {
        if let Stage::Leaving(Leaving {
            reason: LeaveReason::MiniProgram,
            ..
        }) = self.stage
        {
            self.effects.push(Effect::MarkDeparture(false));
            let problem = Problem::new(ProblemCode::MiniProgramUnreachable).with_raw(raw);
            self.fail_or_offer(problem);
        }
    }

    /// Handles a request for an attempt that failed.
    pub(super) fn attempt_failed(&mut self, now_ms: u64, failure: Failure) {
        self.poll.continue_schedule(now_ms);
        match failure {
            Failure::Refused { error, answer } => {
                let code = error.code;
                if code == Some(ErrorCode::PayerInvalid) {
                    // The handle belongs to another attempt or is too old: the next try may
                    // redirect again.
                    self.options.payer = None;
                }
                if let Some(answer) = answer
                    && code == Some(ErrorCode::AttemptSuperseded)
                {
                    self.superseded(now_ms, &answer);
                } else if code == Some(ErrorCode::CheckoutExpired) {
                    self.stage = Stage::Expired;
                    self.poll.start(now_ms);
                } else if error.retryable {
                    let notice =
                        (code == Some(ErrorCode::AttemptInDoubt)).then_some(Notice::MakingSure);
                    self.retry_later(now_ms, error.retry_after_ms, notice, Problem::from(error));
                } else {
                    self.refuse(Problem::from(error));
                }
            }
            Failure::Status {
                status,
                retry_after_ms,
            } => {
                let problem =
                    Problem::new(ProblemCode::RefusedUnknown).with_raw(decimal(u64::from(status)));
                if status == 429 || status >= 500 {
                    self.retry_later(now_ms, retry_after_ms, None, problem);
                } else {
                    self.refuse(problem);
                }
            }
            Failure::Unreachable => {
                let problem = Problem::new(ProblemCode::Unreachable);
                self.retry_later(now_ms, None, None, problem);
            }
            Failure::Malformed(malformed) => self.refuse(Problem::from(malformed)),
        }
    }

    /// Stops trying. If there is another method, both are offered again, unless that other method
    /// itself was finally refused.
    fn refuse(&mut self, problem: Problem) {
        let is_fallback = matches!(
            &self.stage,
            Stage::Starting(starting) if self.fallback() == Some(starting.product)
        );
        if is_fallback && !problem.is_recoverable {
            self.fail(problem);
        } else {
            self.fail_or_offer(problem);
        }
    }

    /// Another device's attempt is the current one. A code works on both devices; any other attempt
    /// belongs to the other device, and taking over needs the buyer's click.
    fn superseded(&mut self, now_ms: u64, answer: &CheckoutAnswer) {
        let wanted = match &self.stage {
            Stage::Starting(starting) => Some(starting.product),
            _ => None,
        };
        if !self.update_order(now_ms, answer) {
            return;
        }
        match (&answer.action, wanted) {
            (Some(Action::CodeUrl(text)), Some(Product::Native)) => {
                self.show_code(now_ms, text, answer);
            }
            _ => {
                self.stage = Stage::Elsewhere;
                self.poll.start(now_ms);
            }
        }
    }

    /// Retries automatically a few times; `after` makes that safe. Then the buyer is asked.
    fn retry_later(
        &mut self,
        now_ms: u64,
        retry_after_ms: Option<u64>,
        notice: Option<Notice>,
        problem: Problem,
    ) {
        let Stage::Starting(starting) = &self.stage else {
            return;
        };
        let pause_ms = retry_after_ms.unwrap_or(1_000 << starting.tries.min(4));
        // The older API of WeChat's closes no order in its first five minutes. A buyer with another
        // method here continues with that one; any other buyer waits, and is never refused for it.
        let is_long = pause_ms > LONG_PAUSE_MS;
        if starting.tries >= ATTEMPT_TRIES || is_long && self.fallback().is_some() {
            self.refuse(problem);
            return;
        }
        let Stage::Starting(starting) = &mut self.stage else {
            return;
        };
        starting.progress = Progress::Waiting {
            until_ms: now_ms + pause_ms.clamp(500, MAX_PAUSE_MS),
        };
        starting.notice = notice.or(Some(Notice::TryAgain));
    }
}

/// How long a code is valid: the time of its link or of the order, whichever ends first.
pub(super) fn code_remaining_ms(answer: &CheckoutAnswer) -> Option<u64> {
    let attempt = answer.attempt.as_ref();
    let link_ms = attempt.and_then(|attempt| attempt.remaining_ms);
    earlier(link_ms, answer.remaining_ms)
}
