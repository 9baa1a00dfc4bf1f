//! The optional objects of an order (`detail`, `scene_info`, `settle_info`), checked by APIv3's own
//! rules. They are JSON because merchants have them as JSON. A name that APIv3 does not document is
//! refused here, because WeChat refuses the whole order for it.

use payment_values::{InvalidField, Rule, check_text};
use serde_json::{Map, Value};

/// Goods for coupons: at most 6144 bytes of JSON.
pub(crate) fn check_detail(detail: &Value) -> Result<(), InvalidField> {
    let got = detail.to_string().len();
    if got > 6144 {
        return Err(InvalidField::new(
            "detail",
            Rule::TooManyBytes { max: 6144, got },
        ));
    }
    let members = object("detail", detail)?;
    check(members, "detail", DETAIL)?;
    let Some(goods) = members.get("goods_detail") else {
        return Ok(());
    };
    let Some(goods) = goods.as_array() else {
        let rule = Rule::Form("a list of objects");
        return Err(InvalidField::new("detail.goods_detail", rule));
    };
    for good in goods {
        check(
            object("detail.goods_detail", good)?,
            "detail.goods_detail",
            GOODS,
        )?;
    }
    Ok(())
}

/// The place of payment.
pub(crate) fn check_scene_info(scene: &Map<String, Value>) -> Result<(), InvalidField> {
    check(scene, "scene_info", SCENE)?;
    if let Some(store) = scene.get("store_info") {
        let store = object("scene_info.store_info", store)?;
        check(store, "scene_info.store_info", STORE)?;
    }
    if let Some(h5) = scene.get("h5_info") {
        check(
            object("scene_info.h5_info", h5)?,
            "scene_info.h5_info",
            H5_INFO,
        )?;
    }
    Ok(())
}

/// The place of payment of a combined order: no `store_info`, and a `device_id` that H5 requires.
pub(crate) fn check_combined_scene_info(
    scene: &Map<String, Value>,
    is_h5: bool,
) -> Result<(), InvalidField> {
    if !is_h5 {
        return check(scene, "scene_info", COMBINED_SCENE);
    }
    check(scene, "scene_info", COMBINED_H5_SCENE)?;
    scene.get("h5_info").map_or(Ok(()), |h5| {
        check(
            object("scene_info.h5_info", h5)?,
            "scene_info.h5_info",
            H5_INFO,
        )
    })
}

/// Profit sharing.
pub(crate) fn check_settle_info(settle: &Value) -> Result<(), InvalidField> {
    check(object("settle_info", settle)?, "settle_info", SETTLE)
}

/// One documented member: its name, its full name for errors, whether it is required, its kind.
struct Member(&'static str, &'static str, bool, Kind);

enum Kind {
    Text(usize),
    Integer(i64),
    Flag,
    /// Checked by the caller.
    Nested,
}

const DETAIL: &[Member] = &[
    Member("cost_price", "detail.cost_price", false, Kind::Integer(0)),
    Member("invoice_id", "detail.invoice_id", false, Kind::Text(32)),
    Member("goods_detail", "detail.goods_detail", false, Kind::Nested),
];

const GOODS: &[Member] = &[
    Member(
        "merchant_goods_id",
        "detail.goods_detail.merchant_goods_id",
        true,
        Kind::Text(32),
    ),
    Member(
        "wechatpay_goods_id",
        "detail.goods_detail.wechatpay_goods_id",
        false,
        Kind::Text(32),
    ),
    // The documentation of code pay spells the name in this way.
    Member(
        "wxpay_goods_id",
        "detail.goods_detail.wxpay_goods_id",
        false,
        Kind::Text(32),
    ),
    Member(
        "goods_name",
        "detail.goods_detail.goods_name",
        false,
        Kind::Text(256),
    ),
    Member(
        "quantity",
        "detail.goods_detail.quantity",
        true,
        Kind::Integer(1),
    ),
    Member(
        "unit_price",
        "detail.goods_detail.unit_price",
        true,
        Kind::Integer(0),
    ),
];

const SCENE: &[Member] = &[
    Member(
        "payer_client_ip",
        "scene_info.payer_client_ip",
        true,
        Kind::Text(45),
    ),
    Member("device_id", "scene_info.device_id", false, Kind::Text(32)),
    Member("store_info", "scene_info.store_info", false, Kind::Nested),
    Member("h5_info", "scene_info.h5_info", false, Kind::Nested),
];

const COMBINED_SCENE: &[Member] = &[
    Member(
        "payer_client_ip",
        "scene_info.payer_client_ip",
        true,
        Kind::Text(45),
    ),
    Member("device_id", "scene_info.device_id", false, Kind::Text(16)),
];

const COMBINED_H5_SCENE: &[Member] = &[
    Member(
        "payer_client_ip",
        "scene_info.payer_client_ip",
        true,
        Kind::Text(45),
    ),
    Member("device_id", "scene_info.device_id", true, Kind::Text(32)),
    Member("h5_info", "scene_info.h5_info", true, Kind::Nested),
];

const STORE: &[Member] = &[
    Member("id", "scene_info.store_info.id", true, Kind::Text(32)),
    Member("name", "scene_info.store_info.name", false, Kind::Text(256)),
    Member(
        "area_code",
        "scene_info.store_info.area_code",
        false,
        Kind::Text(32),
    ),
    Member(
        "address",
        "scene_info.store_info.address",
        false,
        Kind::Text(512),
    ),
];

const H5_INFO: &[Member] = &[
    Member("type", "scene_info.h5_info.type", true, Kind::Text(32)),
    Member(
        "app_name",
        "scene_info.h5_info.app_name",
        false,
        Kind::Text(64),
    ),
    Member(
        "app_url",
        "scene_info.h5_info.app_url",
        false,
        Kind::Text(128),
    ),
    Member(
        "bundle_id",
        "scene_info.h5_info.bundle_id",
        false,
        Kind::Text(128),
    ),
    Member(
        "package_name",
        "scene_info.h5_info.package_name",
        false,
        Kind::Text(128),
    ),
];

const SETTLE: &[Member] = &[Member(
    "profit_sharing",
    "settle_info.profit_sharing",
    false,
    Kind::Flag,
)];

fn object<'a>(
    field: &'static str,
    value: &'a Value,
) -> Result<&'a Map<String, Value>, InvalidField> {
    value
        .as_object()
        .ok_or(InvalidField::new(field, Rule::Form("a JSON object")))
}

fn check(
    members: &Map<String, Value>,
    parent: &'static str,
    documented: &'static [Member],
) -> Result<(), InvalidField> {
    for name in members.keys() {
        if !documented.iter().any(|member| member.0 == name) {
            return Err(InvalidField::new(parent, Rule::UnknownName));
        }
    }
    for Member(name, field, required, kind) in documented {
        match members.get(*name) {
            Some(value) => check_kind(field, value, kind)?,
            None if *required => return Err(InvalidField::new(field, Rule::Required)),
            None => {}
        }
    }
    Ok(())
}

fn check_kind(field: &'static str, value: &Value, kind: &Kind) -> Result<(), InvalidField> {
    let form = |form| InvalidField::new(field, Rule::Form(form));
    match kind {
        Kind::Text(max) => {
            let text = value.as_str().ok_or_else(|| form("text"))?;
            check_text(field, text, *max)
        }
        Kind::Integer(min) => {
            let number = value.as_i64().ok_or_else(|| form("a whole number"))?;
            if number < *min {
                return Err(InvalidField::new(field, Rule::BelowMinimum(*min)));
            }
            Ok(())
        }
        Kind::Flag if value.is_boolean() => Ok(()),
        Kind::Flag => Err(form("true or false")),
        Kind::Nested => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documented_values_are_accepted() {
        let detail = json!({
            "cost_price": 608_800, "invoice_id": "微信123",
            "goods_detail": [{
                "merchant_goods_id": "1246464644", "wechatpay_goods_id": "1001",
                "goods_name": "iPhoneX 256G", "quantity": 1, "unit_price": 528_800,
            }],
        });
        assert_eq!(check_detail(&detail), Ok(()));
        let scene = json!({
            "payer_client_ip": "14.23.150.211", "device_id": "013467007045764",
            "store_info": {"id": "0001", "name": "店", "area_code": "440305", "address": "深圳"},
            "h5_info": {"type": "Wap", "app_name": "王者荣耀", "bundle_id": "com.example"},
        });
        assert_eq!(check_scene_info(scene.as_object().unwrap()), Ok(()));
        assert_eq!(check_settle_info(&json!({"profit_sharing": false})), Ok(()));
    }

    #[test]
    fn each_broken_rule_is_reported_with_its_field() {
        let good = |change: Value| json!({ "goods_detail": [change] });
        let table = [
            (json!([]), "detail: must be a JSON object"),
            (
                json!({"price": 1}),
                "detail: has a name in it that APIv3 does not document",
            ),
            (
                json!({"cost_price": "1"}),
                "detail.cost_price: must be a whole number",
            ),
            (
                json!({"cost_price": 1.5}),
                "detail.cost_price: must be a whole number",
            ),
            (
                json!({"goods_detail": {}}),
                "detail.goods_detail: must be a list of objects",
            ),
            (good(json!(1)), "detail.goods_detail: must be a JSON object"),
            (
                good(json!({"quantity": 1, "unit_price": 1})),
                "detail.goods_detail.merchant_goods_id: is required",
            ),
            (
                good(json!({"merchant_goods_id": "a", "quantity": 0, "unit_price": 1})),
                "detail.goods_detail.quantity: must be at least 1",
            ),
        ];
        for (detail, message) in table {
            assert_eq!(check_detail(&detail).unwrap_err().to_string(), message);
        }
        let scenes = [
            (
                json!({"device_id": "d"}),
                "scene_info.payer_client_ip: is required",
            ),
            (
                json!({"payer_client_ip": "1", "store_info": {"name": "n"}}),
                "scene_info.store_info.id: is required",
            ),
            (
                json!({"payer_client_ip": "1", "device_id": "d".repeat(33)}),
                "scene_info.device_id: must be at most 32 bytes of UTF-8, is 33",
            ),
            (
                json!({"payer_client_ip": "1", "h5_info": {}}),
                "scene_info.h5_info.type: is required",
            ),
        ];
        for (scene, message) in scenes {
            let error = check_scene_info(scene.as_object().unwrap()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
        assert_eq!(
            check_settle_info(&json!({"profit_sharing": 1}))
                .unwrap_err()
                .to_string(),
            "settle_info.profit_sharing: must be true or false"
        );
    }
}
