//! The rules for a new payment link: those of its amount, its uses and its time, and every rule of the
//! orders that it will make, so that no buyer is refused for a mistake of the merchant's backend.

use jiff::Timestamp;
use merchant_api::{CreateLink, CreateOrder, ErrorCode, is_order_no};

use crate::config::EXPIRES_IN_MS;
use crate::orders::creation::{self, TOTAL_MAX_FEN};
use crate::payments::Payments;
use crate::refusal::Refusal;

const USES_MAX: u64 = 100_000;
const NOTE_MAX_CHARS: u64 = 200;

/// Checks everything but whether the link's time has begun to be over; returns the end of that time, in
/// milliseconds since 1970.
pub(super) fn check(payments: &Payments, request: &CreateLink) -> Result<Option<i64>, Refusal> {
    if request
        .link_no
        .as_deref()
        .is_some_and(|no| !is_order_no(no))
    {
        let rule = r"must be 6 to 32 characters of [0-9a-zA-Z_\-|*]";
        return Err(Refusal::invalid("link_no", rule));
    }
    let least_fen = check_amount(request)?;
    check_range("uses_max", request.uses_max, 1..=USES_MAX)?;
    check_range("note_max_chars", request.note_max_chars, 1..=NOTE_MAX_CHARS)?;
    check_range(
        "order_expires_in_ms",
        request.order_expires_in_ms,
        EXPIRES_IN_MS,
    )?;
    creation::check(payments, &order_request(request, least_fen))?;
    request.expires_at.as_deref().map(read_time).transpose()
}

/// The order that the link makes for this amount.
pub(super) fn order_request(link: &CreateLink, total_fen: u64) -> CreateOrder {
    CreateOrder {
        total_fen,
        description: link.description.clone(),
        expires_in_ms: link.order_expires_in_ms,
        return_url: link.return_url.clone(),
        success_url: link.success_url.clone(),
        products: link.products.clone(),
        appids: link.appids.clone(),
        sub_mchid: link.sub_mchid.clone(),
        attach: link.attach.clone(),
        goods_tag: link.goods_tag.clone(),
        limit_pay: link.limit_pay.clone(),
        support_fapiao: link.support_fapiao,
        settle_info: link.settle_info,
        ..CreateOrder::default()
    }
}

/// The least amount of an order, in fen.
fn check_amount(request: &CreateLink) -> Result<u64, Refusal> {
    let CreateLink {
        total_fen,
        min_fen,
        max_fen,
        ..
    } = request;
    for (field, amount) in [
        ("total_fen", total_fen),
        ("min_fen", min_fen),
        ("max_fen", max_fen),
    ] {
        if amount.is_some_and(|fen| !(1..=TOTAL_MAX_FEN).contains(&fen)) {
            return Err(amount_invalid(field, AMOUNT_RULE));
        }
    }
    match (*total_fen, *min_fen, *max_fen) {
        (Some(fixed), None, None) => Ok(fixed),
        (Some(_), Some(_), _) => Err(amount_invalid("min_fen", NOT_BESIDE_TOTAL)),
        (Some(_), None, Some(_)) => Err(amount_invalid("max_fen", NOT_BESIDE_TOTAL)),
        (None, Some(min), Some(max)) if min > max => {
            Err(amount_invalid("min_fen", "must not be more than max_fen"))
        }
        (None, min, Some(_)) => Ok(min.unwrap_or(1)),
        (None, Some(_), None) => Err(amount_invalid(
            "max_fen",
            "must be given: the buyer may choose no more than that",
        )),
        (None, None, None) => Err(amount_invalid(
            "total_fen",
            "must be given, or max_fen for an amount that the buyer chooses",
        )),
    }
}

const AMOUNT_RULE: &str =
    "must be a whole number of fen from 1 to 1000000000, as a JSON number without decimals";
const NOT_BESIDE_TOTAL: &str = "must not stand beside total_fen: an amount is fixed or open";

fn amount_invalid(field: &str, rule: &str) -> Refusal {
    Refusal::field(ErrorCode::AmountInvalid, field, rule)
}

fn check_range(
    field: &str,
    value: Option<u64>,
    allowed: std::ops::RangeInclusive<u64>,
) -> Result<(), Refusal> {
    if value.is_none_or(|value| allowed.contains(&value)) {
        return Ok(());
    }
    let (least, most) = allowed.into_inner();
    Err(Refusal::invalid(
        field,
        &format!("must be from {least} to {most}"),
    ))
}

fn read_time(text: &str) -> Result<i64, Refusal> {
    let time: Result<Timestamp, _> = text.parse();
    time.map(Timestamp::as_millisecond).map_err(|_| {
        let rule = "must be a time of RFC 3339, such as 2026-12-31T23:59:59+08:00";
        Refusal::invalid("expires_at", rule)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_fixed_or_open_and_within_its_bounds() {
        let cases = [
            ((Some(1), None, None), Ok(1)),
            ((Some(TOTAL_MAX_FEN), None, None), Ok(TOTAL_MAX_FEN)),
            ((None, None, Some(5)), Ok(1)),
            ((None, Some(5), Some(5)), Ok(5)),
            ((Some(0), None, None), Err("total_fen")),
            ((Some(TOTAL_MAX_FEN + 1), None, None), Err("total_fen")),
            ((None, Some(0), Some(5)), Err("min_fen")),
            ((None, Some(1), Some(0)), Err("max_fen")),
            ((None, Some(1), Some(TOTAL_MAX_FEN + 1)), Err("max_fen")),
            ((None, Some(6), Some(5)), Err("min_fen")),
            ((None, Some(6), None), Err("max_fen")),
            ((None, None, None), Err("total_fen")),
            ((Some(1), Some(1), None), Err("min_fen")),
            ((Some(1), None, Some(1)), Err("max_fen")),
        ];
        for ((total_fen, min_fen, max_fen), expected) in cases {
            let request = CreateLink {
                total_fen,
                min_fen,
                max_fen,
                ..CreateLink::default()
            };
            let found = check_amount(&request).map_err(|refusal| {
                assert_eq!(refusal.code(), ErrorCode::AmountInvalid);
                refusal.api_error().field.unwrap()
            });
            let expected = expected.map_err(str::to_owned);
            assert_eq!(found, expected, "{total_fen:?} {min_fen:?} {max_fen:?}");
        }
    }
}
