//! Shortens the openids in WeChat's reports before they are shown. A person identifies a payment by
//! WeChat's numbers; the payer stays in the ledger, whatever scopes a key has.

use serde_json::Value;
use wechat_pay::without_openids;

use crate::config::masked;

/// The end of every name under which WeChat gives an openid: `openid`, `sp_openid`, `sub_openid`,
/// `payer_openid`.
const NAME_END: &str = "openid";

/// The value with every openid in it cut to its first characters.
pub(crate) fn mask_openids(mut told: Value) -> Value {
    mask(&mut told);
    told
}

/// The same for JSON as text. In a text that is not a JSON object, everything with the form of an openid
/// is cut.
pub(crate) fn mask_openids_in_text(told: &str) -> String {
    match serde_json::from_str::<Value>(told) {
        Ok(object @ Value::Object(_)) => mask_openids(object).to_string(),
        _ => without_openids(told),
    }
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                match field {
                    Value::String(openid) if name.ends_with(NAME_END) => *openid = masked(openid),
                    field => mask(field),
                }
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(mask),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_openid_is_shortened_in_any_place_and_nothing_else_is() {
        let told = json!({
            "payer": { "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "sp_openid": "oSp1234567" },
            "list": [{ "payer": { "sub_openid": "oSub1234567" } }],
            "transaction_id": "4200000000202611210000000001",
            "amount": { "total": 1990 },
        });
        let masked = json!({
            "payer": { "openid": "oUpF8u…", "sp_openid": "oSp123…" },
            "list": [{ "payer": { "sub_openid": "oSub12…" } }],
            "transaction_id": "4200000000202611210000000001",
            "amount": { "total": 1990 },
        });
        assert_eq!(mask_openids(told.clone()), masked);
        let text: Value =
            serde_json::from_str(&mask_openids_in_text(&told.to_string())).expect("JSON");
        assert_eq!(text, masked);
        let broken = r#"{"payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}, "#;
        let shown = r#"{"payer":{"openid":"oUpF8u…"}, "#;
        assert_eq!(mask_openids_in_text(broken), shown);
        for word in ["NOTPAY", "ORDER_NOT_EXIST", "\"openid\"", ""] {
            assert_eq!(mask_openids_in_text(word), word);
        }
    }
}
