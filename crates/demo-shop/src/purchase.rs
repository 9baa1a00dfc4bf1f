//! The shop's orders, in memory; a real shop has a database table for them. Tokens stay on the
//! server: an order is found by its number *and* its key, so that the number alone gives no access.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::goods::Item;

/// How many orders are kept. The oldest are dropped first.
const KEPT_PURCHASES: usize = 10_000;

/// An order as the shop stores it.
#[derive(Clone)]
pub(crate) struct Purchase {
    pub(crate) order_no: String,
    /// The key is in the page's address and not in a cookie: a buyer who returns from WeChat may
    /// arrive in another browser of the same phone.
    pub(crate) key: String,
    pub(crate) item: &'static Item,
    pub(crate) token: String,
    pub(crate) checkout_url: String,
    pub(crate) live: bool,
}

/// All orders of the shop.
#[derive(Clone, Default)]
pub(crate) struct Purchases(Arc<Mutex<Orders>>);

#[derive(Default)]
struct Orders {
    by_number: HashMap<String, Purchase>,
    oldest_first: VecDeque<String>,
}

impl Purchases {
    pub(crate) fn insert(&self, purchase: Purchase) {
        let mut orders = self.lock();
        orders.oldest_first.push_back(purchase.order_no.clone());
        orders.by_number.insert(purchase.order_no.clone(), purchase);
        if orders.oldest_first.len() > KEPT_PURCHASES
            && let Some(oldest) = orders.oldest_first.pop_front()
        {
            orders.by_number.remove(&oldest);
        }
    }

    /// The order with this number, if the key is right.
    pub(crate) fn find(&self, order_no: &str, key: &str) -> Option<Purchase> {
        let orders = self.lock();
        let purchase = orders.by_number.get(order_no)?;
        // Compared in constant time, because only the key protects the order.
        aws_lc_rs::constant_time::verify_slices_are_equal(purchase.key.as_bytes(), key.as_bytes())
            .ok()?;
        Some(purchase.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Orders> {
        // A panic while the lock was held has left out at most one insertion.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT_PURCHASES, Purchase, Purchases};
    use crate::goods::GOODS;

    fn purchase(number: usize) -> Purchase {
        Purchase {
            order_no: format!("SHOP-{number}"),
            key: format!("key-{number}"),
            item: &GOODS[0],
            token: String::new(),
            checkout_url: String::new(),
            live: false,
        }
    }

    #[test]
    fn an_order_is_found_by_number_and_key_together() {
        let purchases = Purchases::default();
        purchases.insert(purchase(1));
        assert!(purchases.find("SHOP-1", "key-1").is_some());
        for (order_no, key) in [("SHOP-1", ""), ("SHOP-1", "key-2"), ("SHOP-2", "key-1")] {
            assert!(purchases.find(order_no, key).is_none(), "{order_no} {key}");
        }
    }

    #[test]
    fn the_oldest_orders_are_dropped_first() {
        let purchases = Purchases::default();
        for number in 0..=KEPT_PURCHASES {
            purchases.insert(purchase(number));
        }
        assert!(purchases.find("SHOP-0", "key-0").is_none());
        assert!(purchases.find("SHOP-1", "key-1").is_some());
    }
}
