//! The rules of a shipping, checked before anything is recorded, and the masking of telephone numbers.
//! Source: WeChat's page on `uploadShippingInfo`.

use merchant_api::{CreateShipping, DeliveryMode, LogisticsType, Parcel};

use crate::refusal::Refusal;

const PARCELS_MAX: usize = 15;
const ITEM_DESC_MAX_CHARACTERS: usize = 120;
const NUMBER_MAX_BYTES: usize = 128;
const CONTACT_MAX_BYTES: usize = 64;
/// The company that needs a telephone number.
const SF: &str = "SF";

/// The checked shipping, with masked telephone numbers.
pub(super) fn check(given: &CreateShipping) -> Result<CreateShipping, Refusal> {
    let mut checked = given.clone();
    let count = checked.shipping_list.len();
    let rule = match (given.delivery_mode, given.logistics_type) {
        (DeliveryMode::Unified, _) if count != 1 => "must have one parcel: several are for split",
        (DeliveryMode::Split, _) if !(1..=PARCELS_MAX).contains(&count) => {
            "must have 1 to 15 parcels"
        }
        _ => "",
    };
    if !rule.is_empty() {
        return Err(Refusal::invalid("shipping_list", rule));
    }
    if given.delivery_mode == DeliveryMode::Split && given.logistics_type != LogisticsType::Express
    {
        let rule = "must be unified: only goods that go by express can be split";
        return Err(Refusal::invalid("delivery_mode", rule));
    }
    match (given.delivery_mode, given.is_all_delivered) {
        (DeliveryMode::Split, None) => {
            let rule = "must be given for split: it says whether these are the last parcels";
            return Err(Refusal::invalid("is_all_delivered", rule));
        }
        (DeliveryMode::Unified, Some(_)) => {
            return Err(Refusal::invalid("is_all_delivered", "is for split alone"));
        }
        _ => {}
    }
    for (place, parcel) in checked.shipping_list.iter_mut().enumerate() {
        check_parcel(given.logistics_type, parcel).map_err(|(name, rule)| {
            Refusal::invalid(&format!("shipping_list[{place}].{name}"), rule)
        })?;
    }
    Ok(checked)
}

type Broken = (&'static str, &'static str);

fn check_parcel(logistics_type: LogisticsType, parcel: &mut Parcel) -> Result<(), Broken> {
    let is_express = logistics_type == LogisticsType::Express;
    for (name, value) in [
        ("tracking_no", &parcel.tracking_no),
        ("express_company", &parcel.express_company),
    ] {
        match value {
            None if is_express => return Err((name, "must be given for express")),
            Some(_) if !is_express => return Err((name, "is for express alone")),
            Some(text) if text.is_empty() || text.len() > NUMBER_MAX_BYTES => {
                return Err((name, "must be 1 to 128 bytes of UTF-8"));
            }
            _ => {}
        }
    }
    let characters = parcel.item_desc.chars().count();
    if !(1..=ITEM_DESC_MAX_CHARACTERS).contains(&characters) {
        return Err(("item_desc", "must be 1 to 120 characters"));
    }
    let needs_contact = parcel.express_company.as_deref() == Some(SF);
    if needs_contact && parcel.receiver_contact.is_none() && parcel.consignor_contact.is_none() {
        let rule = "must be given for SF, or consignor_contact";
        return Err(("receiver_contact", rule));
    }
    for (name, value) in [
        ("receiver_contact", &mut parcel.receiver_contact),
        ("consignor_contact", &mut parcel.consignor_contact),
    ] {
        if let Some(contact) = value {
            *contact = masked_contact(contact).map_err(|rule| (name, rule))?;
        }
    }
    Ok(())
}

/// A telephone number with its middle masked, as WeChat wants it: the last four digits stay, and of a
/// number of eleven digits or more the first three. What is masked already stays as it is.
fn masked_contact(contact: &str) -> Result<String, &'static str> {
    const FORM: &str =
        "must be a telephone number of digits, +, -, blanks and * that ends with four digits";
    let is_plain = |letter: char| letter.is_ascii_digit() || "+-* ".contains(letter);
    let digits = contact.chars().filter(char::is_ascii_digit).count();
    let last = contact.bytes().rev().take(4);
    let ends_with_digits = last.clone().count() == 4 && last.clone().all(|it| it.is_ascii_digit());
    if contact.len() > CONTACT_MAX_BYTES || !contact.chars().all(is_plain) || !ends_with_digits {
        return Err(FORM);
    }
    if contact.contains('*') {
        return Ok(contact.to_owned());
    }
    if digits < 7 {
        return Err("must have at least seven digits, or its middle masked with *");
    }
    let shown_first = if digits >= 11 { 3 } else { 0 };
    let mut seen = 0;
    let mask = |letter: char| {
        if !letter.is_ascii_digit() {
            return letter;
        }
        seen += 1;
        if seen <= shown_first || seen > digits - 4 {
            letter
        } else {
            '*'
        }
    };
    Ok(contact.chars().map(mask).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telephone_number_keeps_its_last_four_digits() {
        for (given, masked) in [
            ("13912341234", Ok("139****1234")),
            ("+86-17712341234", Ok("+86-1******1234")),
            ("021-12345678", Ok("021-****5678")),
            ("12345678", Ok("****5678")),
            ("189****1234", Ok("189****1234")),
            ("****1234", Ok("****1234")),
            ("189123*1*34", Err(())),
            ("1234", Err(())),
            ("123456", Err(())),
            ("", Err(())),
            ("call me 13912341234", Err(())),
            ("电话13912341234", Err(())),
        ] {
            let got = masked_contact(given).map_err(drop);
            assert_eq!(
                got.as_deref(),
                masked.as_ref().map(|text| &**text).map_err(|()| &()),
                "{given}"
            );
        }
    }
}
