//! Combined orders (合单支付) in the ledger: one order that is ordered, closed and paid, and sub-orders that hold
//! the money. Links, cashier, deadline and notification are those of an ordinary order; refunds, shares and
//! bills are those of the sub-orders.
//!
//! A sub-order changes its state with its whole order alone. Source: WeChat's 常见问题 on 合单支付: all are paid,
//! or none.

use jiff::Timestamp;
use serde_json::{Value, json};
use wechat_pay::{Fen, beijing_time};

use super::document::Document;
use super::order::{Link, Order, OrderKey, OrderRequest, Payment};
use super::{CloseRefusal, CombinedCloseRefusal, Entry, Ledger, OrderRefusal};

/// A sub-order as the buyer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SubOrderLine {
    /// The merchant that gets the money.
    pub(crate) mchid: String,
    pub(crate) description: String,
    pub(crate) amount: Fen,
}

impl Ledger {
    /// Accepts a combined order with its sub-orders, or adds a new link for the same order.
    pub(crate) fn order_combined(
        &mut self,
        whole: OrderRequest,
        sub_orders: Vec<OrderRequest>,
        link: Link,
        deadline_cap_days: u8,
        now: Timestamp,
    ) -> Result<(), OrderRefusal> {
        let is_new = !self.orders.contains_key(&whole.key);
        let is_used = |key| self.orders.contains_key(key) || self.burnt.contains(key);
        if is_new && sub_orders.iter().any(|sub_order| is_used(&sub_order.key)) {
            return Err(OrderRefusal::Used);
        }
        self.order(whole, link, deadline_cap_days, now)?;
        if is_new {
            for request in sub_orders {
                let key = request.key.clone();
                self.changed.insert(Document::Order(key.clone()));
                let entry = Entry::new(request, deadline_cap_days, now);
                self.orders.insert(key, entry);
            }
        }
        Ok(())
    }

    /// Closes a combined order with all of its sub-orders. Unlike an ordinary one it must exist: WeChat
    /// documents 404 for this route.
    pub(crate) fn close_combined(
        &mut self,
        key: &OrderKey,
        combine_appid: &str,
        named: &[OrderKey],
    ) -> Result<(), CombinedCloseRefusal> {
        let order = self.find(key).ok_or(CombinedCloseRefusal::Unknown)?;
        let sub_orders = order.request.combination.sub_orders().to_vec();
        if sorted(&sub_orders) != sorted(named) || order.request.appid != combine_appid {
            return Err(CombinedCloseRefusal::OtherSubOrders);
        }
        match self.close(key.clone()) {
            Ok(()) => {}
            Err(CloseRefusal::Paid) => return Err(CombinedCloseRefusal::Paid),
            Err(CloseRefusal::CodePay | CloseRefusal::SubOrder) => {
                return Err(CombinedCloseRefusal::Unknown);
            }
        }
        for sub_order in sub_orders {
            if let Some(entry) = self.orders.get_mut(&sub_order) {
                entry.order.closed_by_merchant = true;
                self.changed.insert(Document::Order(sub_order));
            }
        }
        Ok(())
    }

    /// The order that is paid if this one is: a sub-order's whole order, otherwise the same.
    pub(super) fn paid_order<'a>(&'a self, key: &'a OrderKey) -> &'a OrderKey {
        let order = self.find(key);
        let whole = order.and_then(|order| order.request.combination.whole());
        whole.unwrap_or(key)
    }

    /// Records the payment of an order, and of its sub-orders, each with its own amount and number.
    pub(super) fn receive(
        &mut self,
        key: &OrderKey,
        payment: &Payment,
        mut transaction_id: impl FnMut() -> String,
    ) {
        let order = self.find(key);
        let sub_orders = order.map(|order| order.request.combination.sub_orders().to_vec());
        let sub_orders = sub_orders.unwrap_or_default();
        for paid in std::iter::once(key).chain(&sub_orders) {
            let Some(entry) = self.orders.get_mut(paid) else {
                continue;
            };
            let mut payment = Payment {
                payer_total: entry.order.request.total,
                ..payment.clone()
            };
            if !paid.is_combined {
                payment.transaction_id = transaction_id();
                let number = payment.transaction_id.clone();
                self.by_transaction_id.insert(number, paid.clone());
            }
            entry.order.payment = Some(payment);
            self.changed.insert(Document::Order(paid.clone()));
        }
    }

    /// WeChat's number of an order's payment, or those of a combined order's, in the order of its
    /// sub-orders.
    pub(crate) fn transaction_ids(&self, key: &OrderKey) -> Vec<String> {
        let order = self.find(key);
        let sub_orders = order.map_or(&[][..], |order| order.request.combination.sub_orders());
        std::iter::once(key)
            .filter(|key| !key.is_combined)
            .chain(sub_orders)
            .filter_map(|key| self.find(key)?.payment.as_ref())
            .map(|payment| payment.transaction_id.clone())
            .collect()
    }

    /// An order in the form of WeChat's answer to its query, and of the notification of its payment.
    pub(crate) fn queried_json(&self, order: &Order, now: Timestamp) -> Value {
        if order.request.key.is_combined {
            self.combined_json(order, now)
        } else {
            order.transaction_json(now)
        }
    }

    fn combined_json(&self, order: &Order, now: Timestamp) -> Value {
        let request = &order.request;
        let sub_orders = request.combination.sub_orders().iter();
        let sub_orders = sub_orders.filter_map(|key| self.find(key));
        let sub_orders: Vec<Value> = sub_orders.map(|sub| sub_order_json(sub, now)).collect();
        let mut json = json!({
            "combine_appid": request.appid,
            "combine_mchid": request.key.mchid,
            "combine_out_trade_no": request.key.out_trade_no,
            "sub_orders": sub_orders,
        });
        if let Some(device_id) = request.body.pointer("/scene_info/device_id") {
            json["scene_info"] = json!({ "device_id": device_id });
        }
        if let Some(payment) = &order.payment {
            json["combine_payer_info"] = json!({ "openid": payment.openid });
            if let Some(sub_openid) = &payment.sub_openid {
                json["combine_payer_info"]["sub_openid"] = sub_openid.clone().into();
            }
        }
        json
    }
}

impl Order {
    /// What the buyer pays with a combined order; nothing for any other order.
    pub(crate) fn sub_order_lines(&self) -> Vec<SubOrderLine> {
        if !self.request.key.is_combined {
            return Vec::new();
        }
        let sub_orders = self.request.body["sub_orders"].as_array();
        let sub_orders = sub_orders.into_iter().flatten();
        sub_orders.map(SubOrderLine::read).collect()
    }
}

impl SubOrderLine {
    /// Reads a sub-order of a body that the gateway has checked.
    fn read(sub_order: &Value) -> Self {
        let text = |name: &str| sub_order[name].as_str().unwrap_or_default().to_owned();
        let sub_mchid = text("sub_mchid");
        let amount = sub_order["amount"]["total_amount"].as_i64();
        Self {
            mchid: if sub_mchid.is_empty() {
                text("mchid")
            } else {
                sub_mchid
            },
            description: text("description"),
            amount: Fen::new(amount.unwrap_or_default()).unwrap_or_default(),
        }
    }
}

fn sub_order_json(order: &Order, now: Timestamp) -> Value {
    let request = &order.request;
    let mut json = json!({
        "mchid": request.key.mchid,
        "out_trade_no": request.key.out_trade_no,
        "trade_state": order.trade_state(now),
        "attach": request.attach,
        "amount": { "total_amount": request.total, "currency": "CNY", "payer_currency": "CNY" },
    });
    if let Some(sub_mchid) = &request.key.sub_mchid {
        json["sub_mchid"] = sub_mchid.clone().into();
    }
    if let Some(sub_appid) = &request.sub_appid {
        json["sub_appid"] = sub_appid.clone().into();
    }
    if let Some(payment) = &order.payment {
        json["amount"]["payer_amount"] = payment.payer_total.get().into();
        json["bank_type"] = "OTHERS".into();
        json["success_time"] = beijing_time(payment.paid_at).into();
        json["trade_type"] = order.trade_type().as_str().into();
        json["transaction_id"] = payment.transaction_id.clone().into();
    }
    json
}

fn sorted(keys: &[OrderKey]) -> Vec<&OrderKey> {
    let mut keys: Vec<&OrderKey> = keys.iter().collect();
    keys.sort();
    keys
}
