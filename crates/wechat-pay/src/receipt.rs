//! The receipt page of partner mode (点金计划, 商家小票): checks that WeChat made its address. Source: the product's description (goldplan_product_description), section on
//! `check_code`. The example there gives another result, so this form is documented and not
//! proven.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use md5::{Digest, Md5};

use crate::hex::upper_hex;

/// Whether WeChat made this address. `check_code` is the MD5 of the page's address as it was
/// registered, the two numbers in it, and WeChat's own number of the payment, which the address
/// itself does not contain.
#[must_use]
pub fn receipt_is_wechats(
    registered_url: &str,
    sub_mchid: &str,
    out_trade_no: &str,
    transaction_id: &str,
    check_code: &str,
) -> bool {
    let expected = check_code_of(registered_url, sub_mchid, out_trade_no, transaction_id);
    let given = check_code.to_ascii_uppercase();
    verify_slices_are_equal(expected.as_bytes(), given.as_bytes()).is_ok()
}

fn check_code_of(
    registered_url: &str,
    sub_mchid: &str,
    out_trade_no: &str,
    transaction_id: &str,
) -> String {
    let text = format!(
        "{registered_url}?sub_mch_id={sub_mchid}&out_trade_no={out_trade_no}&transaction_id={transaction_id}"
    );
    upper_hex(&Md5::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::receipt_is_wechats;

    #[test]
    fn a_check_code_is_bound_to_page_merchant_order_and_payment() {
        // Made with md5sum.
        const CODE: &str = "1a56f1432c02f2bc0e2d3001424432d7";
        let page = "https://www.qq.com";
        let cases = [
            (page, "1234567", "ABCDEFG", "abcdefg", CODE, true),
            (
                page,
                "1234567",
                "ABCDEFG",
                "abcdefg",
                &*CODE.to_uppercase(),
                true,
            ),
            (
                "https://www.qq.com/",
                "1234567",
                "ABCDEFG",
                "abcdefg",
                CODE,
                false,
            ),
            (page, "1234568", "ABCDEFG", "abcdefg", CODE, false),
            (page, "1234567", "ABCDEFH", "abcdefg", CODE, false),
            (page, "1234567", "ABCDEFG", "abcdefh", CODE, false),
            (page, "1234567", "ABCDEFG", "abcdefg", "", false),
        ];
        for (page, sub_mchid, number, transaction_id, code, expected) in cases {
            let found = receipt_is_wechats(page, sub_mchid, number, transaction_id, code);
            assert_eq!(
                found, expected,
                "{page} {sub_mchid} {number} {transaction_id} {code}"
            );
        }
    }
}
