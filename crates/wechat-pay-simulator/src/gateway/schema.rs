//! Validation of an order's body, field by field, with WeChat's messages.
//!
//! Where an answer of the live gateway was observed, the message is the same. Business rules are
//! elsewhere.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::answer::Refusal;
use super::field::{Field, Fields, Rule};
use super::order_fields::OUT_TRADE_NO;
use crate::settings::TextLimit;

/// A body, read as JSON and checked.
pub(super) fn read(fields: Fields, limit: TextLimit, body: &[u8]) -> Result<Value, Refusal> {
    let json: Value = serde_json::from_slice(body).map_err(|_| not_json())?;
    let object = json.as_object().ok_or_else(not_json)?;
    let mut unknown = Vec::new();
    collect_unknown(fields, object, "/body", &mut unknown);
    if !unknown.is_empty() {
        return Err(Refusal::parameter(
            "请求中含有未在API文档中定义的参数",
            None,
            json!(unknown),
        ));
    }
    let place = Place {
        path: "/body".to_owned(),
        location: "body",
        limit,
    };
    check_object(fields, object, &place)?;
    Ok(json)
}

/// The number in a path; the rule is that of a body.
pub(super) fn check_number_in_path(number: &str) -> Result<(), Refusal> {
    check_in_path(&OUT_TRADE_NO, number)
}

/// A text in a path, by the rule of a body's field.
pub(super) fn check_in_path(field: &'static Field, number: &str) -> Result<(), Refusal> {
    let place = Place {
        path: format!("/uri_template/{}", field.name),
        location: "uri_template",
        limit: TextLimit::Bytes,
    };
    check_value(field, &Value::from(number), &place)
}

/// The refusal of a query without `mchid`.
pub(super) fn missing_in_query(name: &str, label: &str) -> Refusal {
    missing(&format!("/query/{name}"), label, "query")
}

struct Place {
    path: String,
    location: &'static str,
    limit: TextLimit,
}

impl Place {
    fn inner(&self, name: impl std::fmt::Display) -> Self {
        Self {
            path: format!("{}/{name}", self.path),
            ..*self
        }
    }
}

fn check_object(
    fields: &[&'static [Field]],
    object: &Map<String, Value>,
    outer: &Place,
) -> Result<(), Refusal> {
    for field in fields.iter().copied().flatten() {
        let place = outer.inner(field.name);
        match object.get(field.name) {
            None | Some(Value::Null) if field.required => {
                return Err(missing(&place.path, field.label, place.location));
            }
            None | Some(Value::Null) => {}
            Some(value) => check_value(field, value, &place)?,
        }
    }
    Ok(())
}

fn check_value(field: &'static Field, value: &Value, place: &Place) -> Result<(), Refusal> {
    match (&field.rule, value) {
        (Rule::Text(min, max), Value::String(text)) => check_length(field, text, *min, *max, place),
        (Rule::Description(max), Value::String(text)) => match place.limit {
            TextLimit::Bytes => check_length(field, text, 1, *max, place),
            TextLimit::Characters => check_characters(field, text, *max, place),
        },
        (Rule::Pattern(min, max, pattern), Value::String(text)) => {
            check_length(field, text, *min, *max, place)?;
            if (pattern.fits)(text) {
                return Ok(());
            }
            let rule = format!("字符串必须匹配正则表达式“{}”", pattern.shown);
            Err(broken_text(field, &rule, place, value.clone()))
        }
        (Rule::Moment, Value::String(text)) if text.parse::<Timestamp>().is_ok() => Ok(()),
        (Rule::Integer(min), Value::Number(number)) => match number.as_i64() {
            Some(number) if number < *min => Err(Refusal::parameter(
                format!(
                    "输入源“{}”映射到数值字段“{}”规则校验失败，值低于最小值 {min}",
                    place.path, field.label
                ),
                Some(place.location),
                number.into(),
            )),
            Some(_) => Ok(()),
            None => Err(wrong_kind(field, value, place)),
        },
        (Rule::Flag, Value::Bool(_)) => Ok(()),
        (Rule::Object(fields), Value::Object(object)) => check_object(&[fields], object, place),
        (Rule::List(fields), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                match item {
                    Value::Object(object) => check_object(&[fields], object, &place.inner(index))?,
                    _ => return Err(wrong_kind(field, item, place)),
                }
            }
            Ok(())
        }
        (Rule::Texts(min, max), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                let text = item
                    .as_str()
                    .ok_or_else(|| wrong_kind(field, item, place))?;
                check_length(field, text, *min, *max, &place.inner(index))?;
            }
            Ok(())
        }
        _ => Err(wrong_kind(field, value, place)),
    }
}

/// UTF-8 of up to three bytes a character: no emoji.
fn check_alphabet(field: &Field, text: &str, place: &Place) -> Result<(), Refusal> {
    if text.chars().all(|c| c.len_utf8() <= 3) {
        return Ok(());
    }
    Err(broken_text(
        field,
        "含有不支持的字符",
        place,
        Value::from(text),
    ))
}

fn check_length(
    field: &Field,
    text: &str,
    min: usize,
    max: usize,
    place: &Place,
) -> Result<(), Refusal> {
    check_alphabet(field, text, place)?;
    let got = text.len();
    let rule = if got < min {
        format!("字节数 {got}，小于最小值 {min}")
    } else if got > max {
        format!("字节数 {got}，大于最大值 {max}")
    } else {
        return Ok(());
    };
    Err(broken_text(field, &rule, place, got.into()))
}

fn check_characters(field: &Field, text: &str, max: usize, place: &Place) -> Result<(), Refusal> {
    check_alphabet(field, text, place)?;
    let got = text.chars().count();
    let rule = if got < 1 {
        "字符数 0，小于最小值 1".to_owned()
    } else if got > max {
        format!("字符数 {got}，大于最大值 {max}")
    } else {
        return Ok(());
    };
    Err(broken_text(field, &rule, place, got.into()))
}

fn broken_text(field: &Field, rule: &str, place: &Place, value: Value) -> Refusal {
    Refusal::parameter(
        format!(
            "输入源“{}”映射到值字段“{}”字符串规则校验失败，{rule}",
            place.path, field.label
        ),
        Some(place.location),
        value,
    )
}

fn wrong_kind(field: &Field, value: &Value, place: &Place) -> Refusal {
    let kind = match field.rule {
        Rule::Text(..) | Rule::Description(_) | Rule::Pattern(..) => "字符串",
        Rule::Moment => "符合 RFC3339 的时间",
        Rule::Integer(_) => "64 位有符号整数",
        Rule::Flag => "布尔值",
        Rule::Object(_) => "对象",
        Rule::List(_) | Rule::Texts(..) => "数组",
    };
    Refusal::parameter(
        format!(
            "无法将 JSON 输入源“{}”映射到目标字段“{}”中，此字段需要一个合法的{}{kind}",
            place.path,
            field.label,
            // WeChat sets a space before a digit.
            if kind.starts_with('6') { " " } else { "" },
        ),
        Some(place.location),
        value.clone(),
    )
}

pub(super) fn missing(path: &str, label: &str, location: &'static str) -> Refusal {
    Refusal::parameter(
        format!("输入源“{path}”映射到字段“{label}”必填性规则校验失败，此字段为必填项"),
        Some(location),
        Value::Null,
    )
}

fn not_json() -> Refusal {
    Refusal::parameter("请求体不是合法的 JSON 对象", Some("body"), Value::Null)
}

fn collect_unknown(
    fields: &[&'static [Field]],
    object: &Map<String, Value>,
    path: &str,
    unknown: &mut Vec<String>,
) {
    for (name, value) in object {
        let path = format!("{path}/{name}");
        match fields
            .iter()
            .copied()
            .flatten()
            .find(|field| field.name == name)
        {
            None => unknown.push(path),
            Some(field) => match (&field.rule, value) {
                (Rule::Object(fields), Value::Object(object)) => {
                    collect_unknown(&[fields], object, &path, unknown);
                }
                (Rule::List(fields), Value::Array(items)) => {
                    for (index, item) in items.iter().enumerate() {
                        if let Value::Object(object) = item {
                            collect_unknown(&[fields], object, &format!("{path}/{index}"), unknown);
                        }
                    }
                }
                _ => {}
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::order_fields::order_fields;
    use crate::ledger::order::Product;

    fn read_order(product: Product, body: &[u8]) -> Result<Value, Refusal> {
        read(order_fields(product, false), TextLimit::Bytes, body)
    }

    fn native() -> Value {
        json!({
            "appid": "wx1", "mchid": "1900000001", "description": "茶", "out_trade_no": "T00001",
            "notify_url": "http://127.0.0.1:8080/n", "amount": { "total": 1 },
        })
    }

    fn refusal_of(product: Product, body: &Value) -> Refusal {
        read_order(product, body.to_string().as_bytes()).unwrap_err()
    }

    /// Sets the value that a JSON pointer names, or removes it with `null`.
    fn with(pointer: &str, value: Value) -> Value {
        let mut body = native();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        body
    }

    #[test]
    fn the_messages_are_those_of_the_live_gateway() {
        let number_rule = "输入源“/body/out_trade_no”映射到值字段“商户订单号”字符串规则校验失败，";
        let table = [
            (with("/out_trade_no", json!("abc")), format!("{number_rule}字节数 3，小于最小值 6"), json!(3)),
            (
                with("/out_trade_no", json!("abc def")),
                format!(r"{number_rule}字符串必须匹配正则表达式“^[0-9a-zA-Z_\-\|\*]+$”"),
                json!("abc def"),
            ),
            (
                with("/amount/total", json!(0)),
                "输入源“/body/amount/total”映射到数值字段“总金额”规则校验失败，值低于最小值 1".into(),
                json!(0),
            ),
            (
                with("/amount/total", json!("1")),
                "无法将 JSON 输入源“/body/amount/total”映射到目标字段“总金额”中，此字段需要一个合法的 64 位有符号整数".into(),
                json!("1"),
            ),
            (
                with("/amount/total", json!(1.5)),
                "无法将 JSON 输入源“/body/amount/total”映射到目标字段“总金额”中，此字段需要一个合法的 64 位有符号整数".into(),
                json!(1.5),
            ),
            (
                with("/description", Value::Null),
                "输入源“/body/description”映射到字段“商品描述”必填性规则校验失败，此字段为必填项".into(),
                Value::Null,
            ),
            (
                with("/description", json!("茶".repeat(43))),
                "输入源“/body/description”映射到值字段“商品描述”字符串规则校验失败，字节数 129，大于最大值 127".into(),
                json!(129),
            ),
            (
                with("/notify_url", json!("https://shop.example/n?a=1")),
                r"输入源“/body/notify_url”映射到值字段“通知地址”字符串规则校验失败，字符串必须匹配正则表达式“^https?://([^\s/?#\[\]\@]+\@)?([^\s/?#\@:]+)(?::\d{2,5})?([^\s?#\[\]]*)$”".into(),
                json!("https://shop.example/n?a=1"),
            ),
            (
                with("/description", json!("🍵")),
                "输入源“/body/description”映射到值字段“商品描述”字符串规则校验失败，含有不支持的字符".into(),
                json!("🍵"),
            ),
        ];
        for (body, message, value) in table {
            let refusal = refusal_of(Product::Native, &body);
            assert_eq!(
                (refusal.status.as_u16(), refusal.code),
                (400, "PARAM_ERROR")
            );
            assert_eq!(refusal.message, message);
            assert_eq!(
                refusal.detail,
                Some(json!({"location": "body", "value": value}))
            );
        }
    }

    #[test]
    fn fields_that_the_product_does_not_have_are_named() {
        // Every product has a payer for the identity; only JSAPI's has an openid.
        let refusal = refusal_of(Product::Native, &with("/payer", json!({"openid": "o"})));
        assert_eq!(refusal.message, "请求中含有未在API文档中定义的参数");
        assert_eq!(
            refusal.detail,
            Some(json!({"location": null, "value": ["/body/payer/openid"]}))
        );
        let nested = with("/amount/totl", json!(1));
        let refusal = refusal_of(Product::Native, &nested);
        assert_eq!(
            refusal.detail.unwrap()["value"],
            json!(["/body/amount/totl"])
        );
    }

    #[test]
    fn each_product_requires_its_own_fields() {
        for (product, path) in [
            (Product::Jsapi, "/body/payer"),
            (Product::H5, "/body/scene_info"),
        ] {
            let refusal = refusal_of(product, &native());
            assert!(refusal.message.contains(path), "{}", refusal.message);
        }
        let without_type = with(
            "/scene_info",
            json!({"payer_client_ip": "1.2.3.4", "h5_info": {}}),
        );
        let refusal = refusal_of(Product::H5, &without_type);
        assert!(refusal.message.contains("/body/scene_info/h5_info/type"));
        assert!(read_order(Product::Native, native().to_string().as_bytes()).is_ok());
    }

    #[test]
    fn fields_that_few_pages_document_are_accepted() {
        let identity = json!({"type": "IDCARD", "number": "sealed", "name": "sealed"});
        let subsidy = json!({"subsidy_detail": [{
            "subsidy_period_type": "DAILY",
            "subsidy_plan": [{"subsidy_installment_num": 3, "subsidy_percent": 100}],
        }]});
        for product in [Product::Jsapi, Product::H5, Product::Native, Product::App] {
            let mut body = with("/limit_pay", json!(["no_credit", "no_balance"]));
            body["payer"] = json!({"identity": identity});
            if product == Product::Jsapi {
                body["payer"]["openid"] = json!("o");
            }
            if product == Product::H5 {
                body["scene_info"] =
                    json!({"payer_client_ip": "1.2.3.4", "h5_info": {"type": "Wap"}});
            }
            if matches!(product, Product::Jsapi | Product::App) {
                body["subsidy_info"] = subsidy.clone();
            }
            let read = read_order(product, body.to_string().as_bytes());
            assert_eq!(read, Ok(body), "{product:?}");
        }
        let elsewhere = refusal_of(Product::Native, &with("/subsidy_info", subsidy));
        assert_eq!(
            elsewhere.detail.unwrap()["value"],
            json!(["/body/subsidy_info"])
        );
    }

    #[test]
    fn a_partner_can_name_a_subsidy_and_a_merchant_cannot() {
        let settle = json!({"profit_sharing": true, "subsidy_amount": 10});
        let partner = json!({
            "sp_appid": "wx1", "sp_mchid": "1900000001", "sub_mchid": "1600000001",
            "description": "茶", "out_trade_no": "T00001", "amount": { "total": 1 },
            "notify_url": "http://127.0.0.1:8080/n", "settle_info": settle,
        });
        let fields = order_fields(Product::Native, true);
        let read = read(fields, TextLimit::Bytes, partner.to_string().as_bytes());
        assert_eq!(read, Ok(partner));
        let merchant = refusal_of(Product::Native, &with("/settle_info", settle));
        assert_eq!(
            merchant.detail.unwrap()["value"],
            json!(["/body/settle_info/subsidy_amount"])
        );
    }

    #[test]
    fn wrong_kinds_are_refused_everywhere() {
        for (pointer, value) in [
            ("/amount", json!(1)),
            ("/description", json!(1)),
            ("/time_expire", json!("tomorrow")),
            ("/support_fapiao", json!("true")),
            ("/detail", json!([])),
            ("/detail", json!({"goods_detail": [1]})),
            ("/detail", json!({"goods_detail": {}})),
            ("/limit_pay", json!("no_credit")),
            ("/limit_pay", json!([1])),
            ("/limit_pay", json!([["no_credit"]])),
            ("/payer", json!({"identity": "IDCARD"})),
            ("/scene_info", json!("x")),
        ] {
            let refusal = refusal_of(Product::Native, &with(pointer, value));
            assert!(
                refusal.message.starts_with("无法将 JSON 输入源"),
                "{pointer}"
            );
        }
        for body in ["", "[]", "null", "1", "{", "\u{0}"] {
            let refusal = read_order(Product::Native, body.as_bytes()).unwrap_err();
            assert_eq!(refusal.code, "PARAM_ERROR", "{body}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_body_makes_the_check_panic(text in "\\PC{0,200}") {
            for product in [Product::Jsapi, Product::H5, Product::Native] {
                let _ = read_order(product, text.as_bytes());
                let mut body = native();
                body["description"] = text.clone().into();
                body["notify_url"] = format!("https://{text}").into();
                body[text.as_str()] = 1.into();
                let _ = read_order(product, body.to_string().as_bytes());
            }
            let _ = check_number_in_path(&text);
        }
    }
}
