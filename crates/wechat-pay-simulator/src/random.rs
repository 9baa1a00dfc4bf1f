//! Random bytes, and WeChat's ids made from them. The source is injected; nothing else in the crate
//! uses the system's randomness.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::rand;
use jiff::Timestamp;
use wechat_pay::{Stamp, beijing_time};

type Source = Box<dyn FnMut(&mut [u8]) + Send>;

/// The simulator's only source of randomness.
pub struct Random(Mutex<Source>);

impl Random {
    /// The operating system's source of randomness.
    #[must_use]
    pub fn system() -> Self {
        Self::from_fn(|bytes| {
            if rand::fill(bytes).is_err() {
                // Supported systems do not fail here. Repeated numbers would be refused
                // as known links.
                tracing::error!("the operating system has no randomness");
            }
        })
    }

    /// A source of the caller, for reproducible tests.
    pub fn from_fn(fill: impl FnMut(&mut [u8]) + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(fill)))
    }

    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        let mut fill = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        fill(&mut bytes);
        bytes
    }

    /// Characters of an alphabet of at most 256, with a slight bias, which does not matter for ids.
    pub(crate) fn text(&self, length: usize, alphabet: &[u8]) -> String {
        (0..length)
            .map(|_| {
                let [byte] = self.bytes::<1>();
                char::from(alphabet[usize::from(byte) % alphabet.len()])
            })
            .collect()
    }

    pub(crate) fn digits(&self, length: usize) -> String {
        self.text(length, b"0123456789")
    }

    pub(crate) fn lower_hex(&self, length: usize) -> String {
        self.text(length, b"0123456789abcdef")
    }

    pub(crate) fn upper_hex(&self, length: usize) -> String {
        self.text(length, b"0123456789ABCDEF")
    }

    pub(crate) fn alphanumeric(&self, length: usize) -> String {
        self.text(
            length,
            b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        )
    }

    /// `wx`, the second in Beijing, 20 hex digits: WeChat's form.
    pub(crate) fn prepay_id(&self, now: Timestamp) -> String {
        format!("wx{}{}", beijing_digits(now), self.lower_hex(20))
    }

    /// 28 digits with the day in Beijing in the middle: WeChat's form.
    pub(crate) fn transaction_id(&self, now: Timestamp) -> String {
        let day: String = beijing_digits(now).chars().take(8).collect();
        format!("42000{}{day}{}", self.digits(5), self.digits(10))
    }

    /// 29 digits with the day in Beijing in the middle: WeChat's form.
    pub(crate) fn refund_id(&self, now: Timestamp) -> String {
        let day: String = beijing_digits(now).chars().take(8).collect();
        format!("50{}{day}{}", self.digits(8), self.digits(11))
    }

    /// A payment code: 18 digits that begin with 10 to 15.
    pub(crate) fn auth_code(&self) -> String {
        format!("13{}", self.digits(16))
    }

    /// The form of a UUID, as WeChat's ids of notifications have.
    pub(crate) fn notification_id(&self) -> String {
        let hex = self.lower_hex(32);
        [
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..],
        ]
        .join("-")
    }

    pub(crate) fn stamp(&self, wall: Timestamp) -> Stamp {
        Stamp::new(wall.as_second(), self.bytes())
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

fn beijing_digits(moment: Timestamp) -> String {
    beijing_time(moment)
        .chars()
        .take(19)
        .filter(char::is_ascii_digit)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_the_form_of_wechats_own_numbers() {
        let random = Random::system();
        let now: Timestamp = "2014-10-27T00:09:39Z".parse().unwrap();
        let prepay_id = random.prepay_id(now);
        assert!(prepay_id.starts_with("wx20141027080939"), "{prepay_id}");
        assert_eq!(prepay_id.len(), 36);
        let transaction_id = random.transaction_id(now);
        assert_eq!(transaction_id.len(), 28);
        assert!(transaction_id.bytes().all(|b| b.is_ascii_digit()));
        assert_eq!(&transaction_id[10..18], "20141027");
        assert_ne!(random.alphanumeric(32), random.alphanumeric(32));
    }
}
