//! What was bought in this shop, in memory: a real shop has its own table here. Tokens stay on this
//! side; an order is found by its number *and* its key, so that a number alone shows nothing.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::goods::Item;

/// How many are kept; the oldest go first.
const KEPT_PURCHASES: usize = 10_000;

/// One thing bought, as the shop knows it.
#[derive(Clone)]
pub(crate) struct Purchase {
    pub(crate) order_no: String,
    /// In the page's address rather than a cookie: a buyer who comes back from WeChat may land in
    /// another browser of the same phone.
    pub(crate) key: String,
    pub(crate) item: &'static Item,
    pub(crate) token: String,
    pub(crate) checkout_url: String,
    pub(crate) live: bool,
}

/// The shop's book of what was bought.
#[derive(Clone, Default)]
pub(crate) struct Purchases(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    by_number: HashMap<String, Purchase>,
    oldest_first: VecDeque<String>,
}

impl Purchases {
    pub(crate) fn insert(&self, purchase: Purchase) {
        let mut book = self.book();
        book.oldest_first.push_back(purchase.order_no.clone());
        book.by_number.insert(purchase.order_no.clone(), purchase);
        if book.oldest_first.len() > KEPT_PURCHASES
            && let Some(oldest) = book.oldest_first.pop_front()
        {
            book.by_number.remove(&oldest);
        }
    }

    /// The order of this number, if the caller also has its key.
    pub(crate) fn find(&self, order_no: &str, key: &str) -> Option<Purchase> {
        let book = self.book();
        let purchase = book.by_number.get(order_no)?;
        // In constant time: the key is all that protects the order.
        aws_lc_rs::constant_time::verify_slices_are_equal(purchase.key.as_bytes(), key.as_bytes())
            .ok()?;
        Some(purchase.clone())
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Whoever panicked while holding it has at worst left out one insertion.
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
    fn the_oldest_orders_make_room() {
        let purchases = Purchases::default();
        for number in 0..=KEPT_PURCHASES {
            purchases.insert(purchase(number));
        }
        assert!(purchases.find("SHOP-0", "key-0").is_none());
        assert!(purchases.find("SHOP-1", "key-1").is_some());
    }
}
