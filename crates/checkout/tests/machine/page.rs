//! A page without a browser and without I/O: it keeps the time, records the effects, and lets a test
//! answer the requests. It is data that can be copied, because the walk tries every event from every
//! state. (The page that sends real requests is `tests/src/native_page.rs`.)

use checkout::{
    CheckoutMachine, Effect, Event, Facts, Failure, Injected, Intent, Occurrence, Options, Request,
    RequestId, Screen,
};
use merchant_api::{
    Action, ApiError, CheckoutAnswer, CurrentAttempt, ErrorCode, OrderState, PayParameters,
    PollQuery, Product,
};

pub(crate) const DESKTOP: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:120.0) Gecko/20100101 Firefox/120.0";
pub(crate) const PHONE: &str = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/111.0.0.0 Mobile Safari/537.36";
pub(crate) const WECHAT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 MicroMessenger/8.0.61(0x18003d39)";
pub(crate) const TABLET: &str = "Mozilla/5.0 (Linux; Android 13; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";
pub(crate) const QQ: &str =
    "Mozilla/5.0 (Linux; Android 10; wv) Chrome/77.0 Mobile Safari/537.36 QQ/8.4.18.4945";
pub(crate) const WECOM: &str = "Mozilla/5.0 (Linux; Android 13; M2012K11AC; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 wxwork/4.1.22 MicroMessenger/7.0.1 Language/zh";
pub(crate) const MINI_PROGRAM: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.74(0x18004a24) miniProgram/wx71a6af1f91734f18";
pub(crate) const MINI_PROGRAM_PATH: &str = "/pages/wechat-pay/wechat-pay?token=t";
pub(crate) const CODE: &str = "weixin://wxpay/bizpayurl?pr=1";
pub(crate) const OTHER_CODE: &str = "weixin://wxpay/bizpayurl?pr=2";
pub(crate) const H5_URL: &str =
    "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=1";
pub(crate) const AUTHORIZE_URL: &str =
    "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx1&state=s#wechat_redirect";

#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) machine: CheckoutMachine,
    pub(crate) now_ms: u64,
    pub(crate) effects: Vec<Effect>,
    pub(crate) wake_at_ms: Option<u64>,
    pub(crate) open: Vec<(RequestId, Request)>,
}

impl Page {
    pub(crate) fn new(user_agent: &str, options: Options) -> Self {
        let facts = Facts {
            injected: Injected {
                bridge: user_agent == WECHAT,
                ..Injected::default()
            },
            ..browser(user_agent)
        };
        Self::of(facts, options)
    }

    pub(crate) fn of(facts: Facts, options: Options) -> Self {
        Self {
            machine: CheckoutMachine::new(7, facts, options),
            now_ms: 1_000,
            effects: Vec::new(),
            wake_at_ms: None,
            open: Vec::new(),
        }
    }

    /// A connected page that has received its first answer.
    pub(crate) fn opened(user_agent: &str, options: Options, answer: CheckoutAnswer) -> Self {
        let mut page = Self::new(user_agent, options);
        page.happen(Event::Connected);
        page.answer_poll(answer);
        page
    }

    pub(crate) fn happen(&mut self, event: Event) {
        if matches!(event, Event::Woke) {
            // The only timer is used up, early or not.
            self.wake_at_ms = None;
        }
        for effect in self.machine.update(self.now_ms, event) {
            match &effect {
                Effect::Send { id, request } => self.open.push((*id, request.clone())),
                Effect::Abort(id) => self.open.retain(|(open, _)| open != id),
                Effect::WakeAt(at_ms) => self.wake_at_ms = *at_ms,
                _ => {}
            }
            self.effects.push(effect);
        }
    }

    pub(crate) fn want(&mut self, intent: Intent) {
        self.happen(Event::Intent(intent));
    }

    /// Lets time pass, and wakes the machine at every time that it asked for.
    pub(crate) fn pass(&mut self, ms: u64) {
        let until_ms = self.now_ms + ms;
        let mut wakes = 0;
        while let Some(at_ms) = self.wake_at_ms.filter(|at_ms| *at_ms <= until_ms) {
            wakes += 1;
            assert!(wakes < 100_000, "the machine asks to be woken without end");
            self.wake(at_ms);
        }
        self.now_ms = until_ms;
    }

    /// Fires the timer: at its time, or late.
    pub(crate) fn wake(&mut self, at_ms: u64) {
        self.now_ms = self.now_ms.max(at_ms);
        self.happen(Event::Woke);
    }

    pub(crate) fn answer_poll(&mut self, answer: CheckoutAnswer) {
        let (id, _) = self.poll_in_flight().expect("a poll is in flight");
        self.answer(id, answer);
    }

    pub(crate) fn answer_start(&mut self, answer: CheckoutAnswer) {
        let (id, _) = self
            .start_in_flight()
            .expect("a request for an attempt is in flight");
        self.answer(id, answer);
    }

    pub(crate) fn answer(&mut self, id: RequestId, answer: CheckoutAnswer) {
        self.open.retain(|(open, _)| *open != id);
        let answer = Box::new(answer);
        self.happen(Event::Answered { id, answer });
    }

    pub(crate) fn fail(&mut self, id: RequestId, failure: Failure) {
        self.open.retain(|(open, _)| *open != id);
        self.happen(Event::Failed { id, failure });
    }

    pub(crate) fn refuse_start(&mut self, code: ErrorCode, answer: Option<CheckoutAnswer>) {
        let (id, _) = self
            .start_in_flight()
            .expect("a request for an attempt is in flight");
        let failure = Failure::Refused {
            error: ApiError::new(code, "no"),
            answer: answer.map(Box::new),
        };
        self.fail(id, failure);
    }

    pub(crate) fn poll_in_flight(&self) -> Option<(RequestId, PollQuery)> {
        self.open.iter().find_map(|(id, request)| match request {
            Request::Read(query) => Some((*id, *query)),
            _ => None,
        })
    }

    pub(crate) fn polls_in_flight(&self) -> usize {
        let is_read = |(_, request): &&(RequestId, Request)| matches!(request, Request::Read(_));
        self.open.iter().filter(is_read).count()
    }

    pub(crate) fn start_in_flight(&self) -> Option<(RequestId, merchant_api::AttemptForm)> {
        self.open.iter().find_map(|(id, request)| match request {
            Request::Start(form) => Some((*id, form.clone())),
            _ => None,
        })
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.open.is_empty() && self.wake_at_ms.is_none()
    }

    pub(crate) fn screen(&self) -> Screen {
        self.machine.view(self.now_ms).screen
    }

    #[track_caller]
    pub(crate) fn expect_screen(&self, name: &str) {
        let screen = self.screen().name();
        assert_eq!(
            screen,
            name,
            "at {} ms, after the machine asked for:\n{}",
            self.now_ms,
            self.history()
        );
    }

    /// What the machine has asked for, a line each.
    fn history(&self) -> String {
        let lines = self.effects.iter().map(|effect| format!("  {effect:?}\n"));
        lines.collect()
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Occurrence) -> bool) -> usize {
        self.effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Emit(occurrence) if wanted(occurrence)))
            .count()
    }

    pub(crate) fn paid_count(&self) -> usize {
        self.count(|occurrence| matches!(occurrence, Occurrence::Paid { .. }))
    }

    pub(crate) fn problems(&self) -> Vec<&'static str> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Emit(Occurrence::Problem(problem)) => Some(problem.code.as_str()),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn navigations(&self) -> Vec<&str> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Navigate(destination) => Some(destination.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// A browser of which only the User-Agent is known.
pub(crate) fn browser(user_agent: &str) -> Facts {
    Facts {
        user_agent: user_agent.into(),
        ..Facts::default()
    }
}

/// The bridge exists, and nothing else that appears late.
pub(crate) fn bridge_ready() -> Event {
    Event::Injected(Injected {
        bridge: true,
        ..Injected::default()
    })
}

pub(crate) fn open_order(version: u64) -> CheckoutAnswer {
    CheckoutAnswer {
        version: Some(version),
        order_no: "SHOP-0001".into(),
        total_fen: 6_910,
        remaining_ms: Some(1_800_000),
        poll_after_ms: Some(2_000),
        products: Some(Product::ALL.to_vec()),
        live: true,
        ..CheckoutAnswer::default()
    }
}

pub(crate) fn attempted(
    version: u64,
    number: u64,
    product: Product,
    action: Option<Action>,
) -> CheckoutAnswer {
    CheckoutAnswer {
        attempt: Some(CurrentAttempt {
            number,
            product: Some(product),
            out_trade_no: Some("SHOP-0001".into()),
            remaining_ms: Some(120_000),
        }),
        action,
        ..open_order(version)
    }
}

pub(crate) fn code_shown(version: u64, number: u64, code: &str) -> CheckoutAnswer {
    let action = Some(Action::CodeUrl(code.into()));
    attempted(version, number, Product::Native, action)
}

pub(crate) fn paid(version: u64) -> CheckoutAnswer {
    CheckoutAnswer {
        state: OrderState::Paid,
        ..open_order(version)
    }
}

pub(crate) fn closed(version: u64) -> CheckoutAnswer {
    CheckoutAnswer {
        state: OrderState::Closed,
        ..open_order(version)
    }
}

pub(crate) fn pay_parameters() -> PayParameters {
    PayParameters {
        app_id: "wx1".into(),
        time_stamp: "1554208460".into(),
        nonce_str: "n".into(),
        package: "prepay_id=wx1".into(),
        sign_type: "RSA".into(),
        pay_sign: "c2ln".into(),
    }
}
