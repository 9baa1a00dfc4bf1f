//! The optional objects of an order (`detail`, `scene_info`, `settle_info`) in the names of version
//! 2. The caller has checked them by version 3's rules.

use payment_values::{InvalidField, Rule};
use serde_json::{Map, Value};

/// The goods, at most 6000 bytes of JSON.
pub(super) fn detail_text(detail: &Value) -> Result<String, InvalidField> {
    const NAMES: &[(&str, &str)] = &[("invoice_id", "receipt_id")];
    const GOODS: &[(&str, &str)] = &[
        ("merchant_goods_id", "goods_id"),
        ("wechatpay_goods_id", "wxpay_goods_id"),
        ("unit_price", "price"),
    ];
    let mut detail = renamed(detail, NAMES);
    if let Some(goods) = detail.get_mut("goods_detail").and_then(Value::as_array_mut) {
        for good in goods {
            *good = renamed(good, GOODS);
        }
    }
    limited("detail", &detail, 6000)
}

/// The place of payment, at most 256 bytes of JSON; `None` if it has nothing that version 2 puts
/// there (the payer's address and the device have fields of their own).
pub(super) fn scene_text(scene: &Map<String, Value>) -> Result<Option<String>, InvalidField> {
    let mut kept = Map::new();
    if let Some(store) = scene.get("store_info") {
        kept.insert("store_info".into(), store.clone());
    }
    if let Some(h5) = scene.get("h5_info") {
        kept.insert("h5_info".into(), h5_info(h5));
    }
    if kept.is_empty() {
        return Ok(None);
    }
    limited("scene_info", &Value::Object(kept), 256).map(Some)
}

/// `Y` or `N`, if the settings say anything about it.
pub(super) fn profit_sharing(settle_info: &Value) -> Option<&'static str> {
    let shares = settle_info.get("profit_sharing")?.as_bool()?;
    Some(if shares { "Y" } else { "N" })
}

/// A page has other names than an app.
fn h5_info(h5: &Value) -> Value {
    const PAGE: &[(&str, &str)] = &[("app_name", "wap_name"), ("app_url", "wap_url")];
    match h5.get("type").and_then(Value::as_str) {
        Some("Wap") => renamed(h5, PAGE),
        Some("iOS") => {
            let mut h5 = h5.clone();
            h5["type"] = "IOS".into();
            h5
        }
        _ => h5.clone(),
    }
}

fn renamed(object: &Value, names: &[(&str, &str)]) -> Value {
    let Some(members) = object.as_object() else {
        return object.clone();
    };
    let members = members.iter().map(|(name, value)| {
        let other = names.iter().find(|(known, _)| known == name);
        let name = other.map_or(name.as_str(), |(_, other)| other);
        (name.to_owned(), value.clone())
    });
    Value::Object(members.collect())
}

fn limited(field: &'static str, json: &Value, max: usize) -> Result<String, InvalidField> {
    let text = json.to_string();
    if text.len() > max {
        let got = text.len();
        return Err(InvalidField::new(field, Rule::TooManyBytes { max, got }));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn goods_have_the_names_of_version_2() {
        let detail = json!({
            "cost_price": 100, "invoice_id": "wx123",
            "goods_detail": [{
                "merchant_goods_id": "1", "wechatpay_goods_id": "1001", "goods_name": "茶",
                "quantity": 1, "unit_price": 100,
            }],
        });
        let expected = json!({
            "cost_price": 100, "receipt_id": "wx123",
            "goods_detail": [{
                "goods_id": "1", "wxpay_goods_id": "1001", "goods_name": "茶",
                "quantity": 1, "price": 100,
            }],
        });
        let text = detail_text(&detail).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
        let long = json!({"goods_detail": [{"goods_name": "茶".repeat(2000)}]});
        assert_eq!(detail_text(&long).unwrap_err().field, "detail");
    }

    #[test]
    fn a_page_and_an_app_are_described_in_the_names_of_version_2() {
        let text = |h5: Value| {
            let scene = json!({"payer_client_ip": "1.1.1.1", "device_id": "d", "h5_info": h5});
            scene_text(scene.as_object().unwrap()).unwrap().unwrap()
        };
        for (h5, expected) in [
            (
                json!({"type": "Wap", "app_name": "茶", "app_url": "https://shop.example"}),
                json!({"type": "Wap", "wap_name": "茶", "wap_url": "https://shop.example"}),
            ),
            (
                json!({"type": "iOS", "app_name": "茶", "bundle_id": "a.b"}),
                json!({"type": "IOS", "app_name": "茶", "bundle_id": "a.b"}),
            ),
            (
                json!({"type": "Android", "app_name": "茶", "package_name": "a.b"}),
                json!({"type": "Android", "app_name": "茶", "package_name": "a.b"}),
            ),
        ] {
            let written: Value = serde_json::from_str(&text(h5)).unwrap();
            assert_eq!(written, json!({ "h5_info": expected }));
        }
        let device = json!({"payer_client_ip": "1.1.1.1", "device_id": "d"});
        assert_eq!(scene_text(device.as_object().unwrap()), Ok(None));
    }

    #[test]
    fn profit_sharing_is_yes_no_or_unsaid() {
        assert_eq!(profit_sharing(&json!({"profit_sharing": true})), Some("Y"));
        assert_eq!(profit_sharing(&json!({"profit_sharing": false})), Some("N"));
        assert_eq!(profit_sharing(&json!({})), None);
    }
}
