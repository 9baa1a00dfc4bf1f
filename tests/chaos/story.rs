//! One order's story, played: what the buyer does on which device, and what the shop does.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;

use crate::backend::Inbox;
use crate::chaos_run::ChaosRun;
use crate::device::{Device, Scanned, Started};
use crate::plan::sharing::Turn;
use crate::plan::{AtTheTill, OrderPlan, Outcome, Product, RefundAmount, Story, pick};
use crate::sharing;
use crate::shop;
use crate::wechat::{self, Link, Visit};

/// How often the shop looks for the webhook of the payment: this takes half an hour.
const HEARING_TRIES: u32 = 60;
const HEARING: Duration = Duration::from_secs(30);
/// How often a buyer starts again if the cashier does not open.
const TRIES: u32 = 4;
/// After this time, a code payment whose password was not typed is taken back.
const TAKEN_BACK: Duration = Duration::from_mins(1);

/// Plays a story to its end.
pub(crate) async fn play(chaos: &Arc<ChaosRun>, inbox: &Inbox, plan: &OrderPlan) {
    let mut dice = Rng::with_seed(plan.seed);
    let buyer = dice.usize(..chaos.merchant(plan.mode).openids.len());
    let token = shop::order(chaos, plan, buyer).await;
    if token.is_empty() {
        return;
    }
    chaos.keep_token(&plan.order_no, &token);
    let mut devices = Devices {
        chaos,
        plan,
        dice,
        desk: Device::new(chaos, plan, &token, "desk", buyer),
        phone: Device::new(chaos, plan, &token, "phone", buyer),
        till: Device::new(chaos, plan, &token, "till", buyer),
    };
    devices.play().await;
    drop(devices);
    let shares = plan.sharing.as_ref();
    let shares = shares.filter(|sharing| !sharing.steps.is_empty());
    if plan.refunds.is_empty() && shares.is_none() {
        return;
    }
    let Some(out_trade_no) = payment_event(chaos, inbox, plan).await else {
        return chaos.note(&plan.order_no, "shop: knows no payment to refund or share");
    };
    let refund = refund_order(chaos, plan, &out_trade_no);
    let Some(shares) = shares else {
        return refund.await;
    };
    let share = sharing::play(chaos, plan, shares);
    match shares.turn {
        Turn::Before => {
            share.await;
            refund.await;
        }
        Turn::Meanwhile => {
            tokio::join!(share, refund);
        }
        Turn::After => {
            refund.await;
            share.await;
        }
    }
}

/// Waits until the shop's backend has received the payment's event. Returns the payment's number.
async fn payment_event(chaos: &ChaosRun, inbox: &Inbox, plan: &OrderPlan) -> Option<String> {
    let mut settled = None;
    for _ in 0..HEARING_TRIES {
        settled = inbox.settled_by(&plan.order_no);
        if settled.is_some() {
            break;
        }
        chaos.clock.sleep(HEARING).await;
    }
    settled
}

/// The shop refunds the payment with this number.
async fn refund_order(chaos: &ChaosRun, plan: &OrderPlan, out_trade_no: &str) {
    let merchant = chaos.merchant(plan.mode);
    for (place, refund) in plan.refunds.iter().enumerate() {
        let wait = Duration::from_secs(u64::from(refund.after_s));
        chaos.clock.sleep(wait).await;
        let refund_no = format!("{}@{place}", plan.order_no);
        let amount_fen = match refund.amount {
            RefundAmount::Percent(percent) => Some((plan.total_fen * percent / 100).max(1)),
            RefundAmount::Rest => None,
            RefundAmount::TooMuch => Some(plan.total_fen + 1),
        };
        if refund.in_portal {
            let fen = amount_fen.unwrap_or(plan.total_fen);
            let is_made = wechat::refund_in_portal(chaos, merchant, out_trade_no, fen).await;
            chaos.note(
                &plan.order_no,
                format!("portal: refunds {fen} fen: {is_made}"),
            );
            continue;
        }
        let is_accepted = shop::refund(chaos, plan, &refund_no, amount_fen).await;
        if is_accepted && refund.amount == RefundAmount::TooMuch {
            chaos.report_wrong(
                &plan.order_no,
                "a refund of more than was paid was accepted",
            );
        }
        let end = match refund.outcome {
            Outcome::Success => continue,
            Outcome::Closed => "closed",
            Outcome::Abnormal(_) => "abnormal",
        };
        let is_decided = wechat::decide_refund(chaos, merchant, &refund_no, end).await;
        chaos.note(
            &plan.order_no,
            format!("WeChat: {refund_no} is to be {end}: {is_decided}"),
        );
        if let (true, Outcome::Abnormal(Some(way))) = (is_decided, refund.outcome) {
            shop::send_on(chaos, plan, &refund_no, way).await;
        }
    }
}

struct Devices<'a> {
    chaos: &'a ChaosRun,
    plan: &'a OrderPlan,
    dice: Rng,
    desk: Device,
    phone: Device,
    till: Device,
}

impl Devices<'_> {
    async fn play(&mut self) {
        match self.plan.story {
            Story::Pays(product) => self.pays(product).await,
            Story::PaysAtSecondTry(product) => self.pays_at_second_try(product).await,
            Story::StartsOver(product) => self.starts_over(product).await,
            Story::Moves { comes_back } => self.moves(comes_back).await,
            Story::TwoDevices => self.two_devices().await,
            Story::PaysTwice => self.pays_twice().await,
            Story::PaysLate => self.pays_late().await,
            Story::NeverPays => self.never_pays().await,
            Story::ShopCloses { races } => self.shop_closes(races).await,
            Story::AtTheTill(buyer) => self.at_the_till(buyer).await,
        }
    }

    async fn pays(&mut self, product: Product) {
        pays_on(self.plan, &mut self.phone, product).await;
        self.phone.watch().await;
    }

    async fn pays_at_second_try(&mut self, product: Product) {
        if let Started::Link(link) = self.phone.start(product).await {
            let outcome = *pick(&mut self.dice, &["cancel", "fail"]);
            self.phone.visit(&link, outcome).await;
            self.think().await;
            self.phone.look(true).await;
        }
        self.pays(product).await;
    }

    async fn starts_over(&mut self, product: Product) {
        self.phone.start(product).await;
        self.think().await;
        self.phone.cancel().await;
        self.think().await;
        let other = *pick(&mut self.dice, &Product::ALL);
        self.pays(other).await;
    }

    async fn moves(&mut self, comes_back: bool) {
        self.desk.start(Product::Native).await;
        self.think().await;
        let on_phone = *pick(&mut self.dice, &Product::ON_PHONES);
        // The phone has not seen the desk's attempt, or looks first.
        if self.dice.bool() {
            self.phone.look(false).await;
        }
        if self.phone.start(on_phone).await == Started::Superseded {
            self.phone.start(on_phone).await;
        }
        if !comes_back {
            return self.pays(on_phone).await;
        }
        self.think().await;
        // "Continued on another device": the desk takes the payment back.
        if self.desk.start(Product::Native).await == Started::Superseded {
            self.desk.start(Product::Native).await;
        }
        pays_on(self.plan, &mut self.desk, Product::Native).await;
        tokio::join!(self.desk.watch(), self.phone.watch());
    }

    async fn two_devices(&mut self) {
        let plan = self.plan;
        let products = (
            *pick(&mut self.dice, &Product::ALL),
            *pick(&mut self.dice, &Product::ALL),
        );
        tokio::join!(
            pays_on(plan, &mut self.desk, products.0),
            pays_on(plan, &mut self.phone, products.1),
        );
        tokio::join!(self.desk.watch(), self.phone.watch());
    }

    async fn pays_twice(&mut self) {
        self.desk.start(Product::Native).await;
        let first = self.desk.out_trade_no();
        self.phone.look(false).await;
        let second = self.phone.start(Product::H5).await;
        let (chaos, plan) = (self.chaos, self.plan);
        let late = async {
            if !first.is_empty() {
                wechat::visit(chaos, plan, &Link::Late(first.clone()), "success").await;
            }
        };
        let phone = &mut self.phone;
        match self.dice.u32(0..3) {
            0 => {
                late.await;
                phone.watch().await;
                pays_by(phone, &second).await;
            }
            1 => {
                pays_by(phone, &second).await;
                phone.watch().await;
                late.await;
            }
            _ => {
                tokio::join!(late, pays_by(phone, &second));
            }
        }
        self.phone.watch().await;
    }

    async fn pays_late(&mut self) {
        self.desk.start(Product::Native).await;
        let number = self.desk.out_trade_no();
        let wait_s = u64::from(self.plan.expires_in_s) + self.dice.u64(0..600);
        self.desk.put_away();
        self.chaos.clock.sleep(Duration::from_secs(wait_s)).await;
        self.desk.look(true).await;
        if !number.is_empty() {
            wechat::visit(self.chaos, self.plan, &Link::Late(number), "success").await;
        }
    }

    async fn never_pays(&mut self) {
        self.desk.look(false).await;
        if self.dice.bool() {
            self.desk.start(*pick(&mut self.dice, &Product::ALL)).await;
        }
        self.think().await;
        self.desk.look(true).await;
    }

    async fn shop_closes(&mut self, races: bool) {
        let product = *pick(&mut self.dice, &Product::ALL);
        let started = self.phone.start(product).await;
        let (chaos, plan) = (self.chaos, self.plan);
        let pays = pays_by(&mut self.phone, &started);
        if races {
            tokio::join!(shop::close(chaos, plan), pays);
        } else {
            shop::close(chaos, plan).await;
            pays.await;
        }
        self.phone.look(false).await;
    }

    async fn at_the_till(&mut self, buyer: AtTheTill) {
        let (chaos, plan) = (self.chaos, self.plan);
        for tried in 0..TRIES {
            let auth_code = wechat::show_code(chaos, self.till.payer()).await;
            match self.till.scan(&auth_code).await {
                Scanned::Over => break,
                Scanned::Again => continue,
                Scanned::Waits => {}
            }
            let password = Link::Password(self.till.out_trade_no());
            match buyer {
                AtTheTill::IsDeclined if tried == 0 => {
                    wechat::visit(chaos, plan, &password, "fail").await;
                    self.think().await;
                }
                AtTheTill::Hesitates if tried == 0 => self.chaos.clock.sleep(TAKEN_BACK).await,
                AtTheTill::WalksAway => return,
                AtTheTill::GoesToThePage => {
                    let page = &mut self.phone;
                    let product = *pick(&mut self.dice, &Product::ALL);
                    let goes = async {
                        page.look(false).await;
                        pays_on(plan, page, product).await;
                    };
                    tokio::join!(goes, wechat::visit(chaos, plan, &password, "success"));
                    break;
                }
                _ => {
                    wechat::visit(chaos, plan, &password, "success").await;
                    break;
                }
            }
        }
        self.till.watch().await;
    }

    /// A pause as a person makes it.
    async fn think(&mut self) {
        let pause = Duration::from_millis(self.dice.u64(200..20_000));
        self.chaos.clock.sleep(pause).await;
    }
}

/// Starts and pays; starts again if the link has become too old in the meantime.
async fn pays_on(plan: &OrderPlan, device: &mut Device, product: Product) {
    let mut product = product;
    for _ in 0..TRIES {
        match device.start(product).await {
            Started::Link(link) => {
                if !matches!(device.visit(&link, "success").await, Visit::Refused(_)) {
                    return;
                }
                // The page may not know yet why.
                device.look(true).await;
            }
            // Another device pays: this buyer leaves the payment there, or takes it over.
            Started::Superseded if plan.seed.is_multiple_of(2) => return,
            Started::Superseded => {}
            Started::Over => return,
            // No openid is available: any buyer can pay the code.
            Started::Refused(code) if code == "PAYER_UNAVAILABLE" => product = Product::Native,
            Started::Refused(_) => return,
        }
    }
}

/// Pays by the link, if the start returned a link.
async fn pays_by(device: &mut Device, started: &Started) {
    if let Started::Link(link) = started {
        device.visit(link, "success").await;
    }
}
