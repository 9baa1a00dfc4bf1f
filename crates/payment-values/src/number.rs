//! The numbers that merchants and WeChat give to orders, attempts, payments and refunds, and the
//! name of a buyer.

use crate::checked_text;
use crate::field::{InvalidField, Rule, check_text};

macro_rules! numbers {
    ($($(#[$about:meta])* $name:ident, $check:path;)+) => {$(
        checked_text! {
            $(#[$about])*
            #[cfg_attr(
                feature = "serde",
                derive(serde::Serialize, serde::Deserialize),
                serde(into = "String", try_from = "String")
            )]
            $name, $check
        }
    )+};
}

numbers! {
    /// The merchant's own number of an order: 6 to 32 of `[0-9a-zA-Z_\-|*]`. The first attempt to
    /// pay the order has the same number at WeChat.
    OrderNo, check_order_no;
    /// The merchant's number of one attempt: 6 to 32 of `[0-9a-zA-Z_\-|*]`, unique per mchid.
    OutTradeNo, check_out_trade_no;
    /// WeChat's number of a payment: 1 to 64 of `[0-9a-zA-Z_-]`.
    TransactionId, check_transaction_id;
    /// The merchant's number of a refund: up to 64 of `[0-9a-zA-Z_\-|*@]`, unique per mchid.
    OutRefundNo, check_out_refund_no;
    /// WeChat's number of a refund: 1 to 64 of `[0-9a-zA-Z_-]`.
    RefundId, check_refund_id;
    /// The merchant's number of a profit-sharing order (分账单): up to 64 of `[0-9a-zA-Z_\-|*@]`, unique
    /// per mchid.
    OutOrderNo, check_out_order_no;
    /// The merchant's number of a return of shared money (分账回退单): up to 64 of `[0-9a-zA-Z_*@\-]`,
    /// unique per mchid.
    OutReturnNo, check_out_return_no;
    /// The buyer under one appid: 1 to 128 bytes of letters, digits, `_` and `-`.
    OpenId, check_openid;
}

impl From<OrderNo> for OutTradeNo {
    /// The number of an order's first attempt. Both have the same rules.
    fn from(order_no: OrderNo) -> Self {
        Self(order_no.0)
    }
}

fn check_order_no(text: &str) -> Result<(), InvalidField> {
    check_trade_no("order_no", text)
}

fn check_out_trade_no(text: &str) -> Result<(), InvalidField> {
    check_trade_no("out_trade_no", text)
}

fn check_trade_no(field: &'static str, text: &str) -> Result<(), InvalidField> {
    check_text(field, text, 32)?;
    if text.len() < 6 {
        let got = text.len();
        return Err(InvalidField::new(field, Rule::TooFewBytes { min: 6, got }));
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-|*".contains(&b);
    if !text.bytes().all(allowed) {
        return Err(InvalidField::new(
            field,
            Rule::Characters(r"[0-9a-zA-Z_\-|*]"),
        ));
    }
    Ok(())
}

fn check_transaction_id(text: &str) -> Result<(), InvalidField> {
    check_wechat_number("transaction_id", text)
}

fn check_out_refund_no(text: &str) -> Result<(), InvalidField> {
    check_long_number("out_refund_no", text)
}

fn check_out_order_no(text: &str) -> Result<(), InvalidField> {
    check_long_number("out_order_no", text)
}

fn check_long_number(field: &'static str, text: &str) -> Result<(), InvalidField> {
    check_text(field, text, 64)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-|*@".contains(&b);
    if !text.bytes().all(allowed) {
        return Err(InvalidField::new(
            field,
            Rule::Characters(r"[0-9a-zA-Z_\-|*@]"),
        ));
    }
    Ok(())
}

/// WeChat's documents leave out `|` here.
fn check_out_return_no(text: &str) -> Result<(), InvalidField> {
    const FIELD: &str = "out_return_no";
    check_text(FIELD, text, 64)?;
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-*@".contains(&b);
    if !text.bytes().all(allowed) {
        return Err(InvalidField::new(
            FIELD,
            Rule::Characters(r"[0-9a-zA-Z_\-*@]"),
        ));
    }
    Ok(())
}

fn check_refund_id(text: &str) -> Result<(), InvalidField> {
    check_wechat_number("refund_id", text)
}

/// WeChat gives these numbers, and its documents say at most 32 bytes. The rule is wider, because a
/// payment under a longer number is real money all the same. It refuses only what may not stand in
/// an address.
fn check_wechat_number(field: &'static str, text: &str) -> Result<(), InvalidField> {
    check_text(field, text, 64)?;
    if !text.bytes().all(is_plain) {
        return Err(InvalidField::new(field, Rule::Characters("[0-9a-zA-Z_-]")));
    }
    Ok(())
}

fn check_openid(text: &str) -> Result<(), InvalidField> {
    const FIELD: &str = "payer.openid";
    check_text(FIELD, text, 128)?;
    if !text.bytes().all(is_plain) {
        return Err(InvalidField::new(FIELD, Rule::Characters("[0-9a-zA-Z_-]")));
    }
    Ok(())
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_out_trade_no_has_6_to_32_of_its_characters() {
        let long = "a".repeat(32);
        for good in ["123456", "A_-|*z", &long] {
            assert_eq!(OutTradeNo::parse(good).unwrap().as_str(), good);
        }
        let too_long = "a".repeat(33);
        let table = [
            ("", Rule::Empty),
            ("12345", Rule::TooFewBytes { min: 6, got: 5 }),
            (&too_long, Rule::TooManyBytes { max: 32, got: 33 }),
            ("12345 ", Rule::Characters(r"[0-9a-zA-Z_\-|*]")),
            ("12345/", Rule::Characters(r"[0-9a-zA-Z_\-|*]")),
            ("12345é", Rule::Characters(r"[0-9a-zA-Z_\-|*]")),
        ];
        for (text, rule) in table {
            let error = OutTradeNo::parse(text).unwrap_err();
            assert_eq!(error, InvalidField::new("out_trade_no", rule), "{text}");
        }
    }

    #[test]
    fn an_out_refund_no_has_up_to_64_of_its_characters() {
        let long = "a".repeat(64);
        for good in ["1", "A_-|*@z", &long] {
            assert_eq!(OutRefundNo::parse(good).unwrap().as_str(), good);
        }
        let too_long = "a".repeat(65);
        let table = [
            ("", Rule::Empty),
            (&too_long, Rule::TooManyBytes { max: 64, got: 65 }),
            ("R 1", Rule::Characters(r"[0-9a-zA-Z_\-|*@]")),
            ("R/1", Rule::Characters(r"[0-9a-zA-Z_\-|*@]")),
        ];
        for (text, rule) in table {
            let error = OutRefundNo::parse(text).unwrap_err();
            assert_eq!(error, InvalidField::new("out_refund_no", rule), "{text}");
        }
    }

    #[test]
    fn a_share_and_its_return_have_long_numbers_of_their_own_characters() {
        assert!(OutOrderNo::parse("A_-|*@z").is_ok());
        assert_eq!(OutOrderNo::parse("A/1").unwrap_err().field, "out_order_no");
        assert!(OutReturnNo::parse("A_-*@z").is_ok());
        assert_eq!(
            OutReturnNo::parse("A|1").unwrap_err(),
            InvalidField::new("out_return_no", Rule::Characters(r"[0-9a-zA-Z_\-*@]"))
        );
    }

    #[test]
    fn an_openid_has_at_most_128_plain_characters() {
        assert!(OpenId::parse("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").is_ok());
        assert!(OpenId::parse("a".repeat(128)).is_ok());
        for bad in ["", "a b", "a\n", &"a".repeat(129)] {
            assert_eq!(OpenId::parse(bad).unwrap_err().field, "payer.openid");
        }
    }

    #[test]
    fn a_number_of_wechats_may_be_longer_than_documented_and_must_be_plain() {
        for good in [
            "4200000001202611290000000001",
            &"7".repeat(33),
            &"7".repeat(64),
        ] {
            assert_eq!(TransactionId::parse(good).unwrap().as_str(), good);
            assert_eq!(RefundId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "42 00", "42/00", "42?a", &"7".repeat(65)] {
            assert_eq!(
                TransactionId::parse(bad).unwrap_err().field,
                "transaction_id"
            );
            assert_eq!(RefundId::parse(bad).unwrap_err().field, "refund_id");
        }
    }

    #[test]
    fn a_value_is_found_in_a_map_by_a_text_that_need_not_be_one() {
        let number = OutTradeNo::parse("A-2026").unwrap();
        let map = std::collections::BTreeMap::from([(number, 1)]);
        assert_eq!(map.get("A-2026"), Some(&1));
        assert_eq!(map.get("?"), None);
    }

    #[test]
    fn reading_json_checks_the_rules_too() {
        assert!(serde_json::from_str::<OutTradeNo>("\"123456\"").is_ok());
        assert!(serde_json::from_str::<OutTradeNo>("\"1\"").is_err());
    }

    #[test]
    fn an_order_no_names_its_own_field_and_is_its_first_attempts_number() {
        let error = OrderNo::parse("1").unwrap_err();
        assert_eq!(error.field, "order_no");
        let first = OutTradeNo::from(OrderNo::parse("A-2026").unwrap());
        assert_eq!(first.as_str(), "A-2026");
    }

    proptest! {
        #[test]
        fn no_text_makes_a_check_panic(text in "\\PC{0,300}") {
            let _ = OutTradeNo::parse(text.clone());
            let _ = TransactionId::parse(text.clone());
            let _ = OpenId::parse(text.clone());
        }
    }
}
