//! Absent, null and wrong, for every field and parameter that the OpenAPI document has: the cases
//! are made from the document that the server serves, so that a new field cannot be forgotten.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::test_server::{API_KEY, Answer, TestServer, backend};

/// A field of a body, at any depth.
#[derive(Debug)]
struct Field {
    /// The name in a refusal: `from[0].amount_fen`.
    name: String,
    /// The place in a body: `/from/0/amount_fen`.
    pointer: String,
    is_required: bool,
    schema: Value,
}

/// A route that takes a JSON body.
#[derive(Debug)]
struct BodyRoute {
    path: String,
    /// A body with every field, in the form that the document describes.
    full: Value,
    fields: Vec<Field>,
}

/// A schema itself, or the schema that it refers to.
fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        None => schema,
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
    }
}

/// A value of the schema's form, with every field. The meaning of its texts does not matter.
fn sample(document: &Value, schema: &Value) -> Value {
    let schema = resolve(document, schema);
    if let Some(words) = schema["enum"].as_array() {
        return words[0].clone();
    }
    match schema["type"].as_str() {
        Some("string") => json!("x"),
        Some("integer") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([sample(document, &schema["items"])]),
        Some("object") => {
            let fields = schema["properties"].as_object().unwrap().iter();
            fields
                .map(|(name, field)| (name.clone(), sample(document, field)))
                .collect::<Map<_, _>>()
                .into()
        }
        other => panic!("a form that this test does not know: {other:?} of {schema}"),
    }
}

/// All fields of an object and of the objects in it.
fn collect(document: &Value, schema: &Value, name: &str, pointer: &str, fields: &mut Vec<Field>) {
    let schema = resolve(document, schema);
    let items = &schema["items"];
    if items.is_object() {
        let (name, pointer) = (format!("{name}[0]"), format!("{pointer}/0"));
        fields.push(Field {
            name: name.clone(),
            pointer: pointer.clone(),
            // A list without this element is a different, valid list.
            is_required: false,
            schema: resolve(document, items).clone(),
        });
        return collect(document, items, &name, &pointer, fields);
    }
    let required = schema["required"].as_array();
    for (own, field) in schema["properties"].as_object().into_iter().flatten() {
        let name = match name {
            "" => own.clone(),
            around => format!("{around}.{own}"),
        };
        let pointer = format!("{pointer}/{own}");
        fields.push(Field {
            name: name.clone(),
            pointer: pointer.clone(),
            is_required: required.is_some_and(|names| names.contains(&json!(own))),
            schema: resolve(document, field).clone(),
        });
        collect(document, field, &name, &pointer, fields);
    }
}

fn body_routes(document: &Value) -> Vec<BodyRoute> {
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let schema = &item["post"]["requestBody"]["content"]["application/json"]["schema"];
        if schema.is_null() {
            continue;
        }
        let mut fields = Vec::new();
        collect(document, schema, "", "", &mut fields);
        routes.push(BodyRoute {
            path: path.clone(),
            full: sample(document, schema),
            fields,
        });
    }
    routes
}

async fn document(server: &TestServer) -> Value {
    server.get("/openapi.json").await.json
}

impl BodyRoute {
    async fn post(&self, server: &TestServer, body: &Value) -> Answer {
        let path = self
            .path
            .replace("{order_no}", "tea-0001")
            .replace("{refund_no}", "R-1")
            .replace("{share_no}", "P-1")
            .replace("{no}", "1");
        let path = format!("/v1{path}");
        server.send(backend(&path, API_KEY, body.to_string())).await
    }

    /// The full body with another value in one place.
    fn with(&self, field: &Field, value: Value) -> Value {
        let mut body = self.full.clone();
        *body.pointer_mut(&field.pointer).unwrap() = value;
        body
    }

    /// The full body without one field.
    fn without(&self, field: &Field) -> Value {
        let mut body = self.full.clone();
        let (around, name) = field.pointer.rsplit_once('/').unwrap();
        let around = body.pointer_mut(around).unwrap();
        match around {
            Value::Object(fields) => drop(fields.remove(name)),
            Value::Array(entries) => entries.clear(),
            _ => unreachable!("a field is in an object or a list"),
        }
        body
    }
}

#[track_caller]
fn assert_refused(answer: &Answer, field: &Field, what: &Value) {
    assert_eq!(
        answer.status,
        StatusCode::BAD_REQUEST,
        "{field:?} {what}: {}",
        answer.json
    );
    assert_eq!(
        answer.json["error"]["field"], *field.name,
        "{what}: {}",
        answer.json
    );
}

/// Values of other kinds than the field's.
fn wrong_values(schema: &Value) -> Vec<Value> {
    if schema["enum"].is_array() {
        return vec![json!("no such word"), json!(""), json!(7), json!({})];
    }
    match schema["type"].as_str() {
        Some("string") => vec![json!(7), json!(true), json!(["x"]), json!({})],
        Some("integer") => vec![json!("1"), json!(1.5), json!(-1), json!(true), json!([])],
        Some("boolean") => vec![json!("false"), json!(0), json!([])],
        Some("array") => vec![json!("x"), json!({}), json!(7)],
        Some("object") => vec![json!("x"), json!(7), json!([])],
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_document_has_no_field_that_may_be_null() {
    fn assert_never_null(value: &Value, path: &str) {
        match value {
            Value::Array(entries) => {
                assert!(!entries.contains(&json!("null")), "{path}");
                for entry in entries {
                    assert_never_null(entry, path);
                }
            }
            Value::Object(fields) => {
                assert_ne!(fields.get("type"), Some(&json!("null")), "{path}");
                for (name, field) in fields {
                    assert_never_null(field, &format!("{path}/{name}"));
                }
            }
            _ => {}
        }
    }
    assert_never_null(&document(&TestServer::open().await).await, "");
}

#[tokio::test]
async fn every_route_refuses_a_null_or_mistyped_field_by_its_name() {
    let server = TestServer::open().await;
    let document = document(&server).await;
    let routes = body_routes(&document);
    let paths: Vec<_> = routes.iter().map(|route| &*route.path).collect();
    assert_eq!(
        paths,
        [
            "/links",
            "/mismatches/{no}/done",
            "/orders",
            "/orders/{order_no}/attempts",
            "/orders/{order_no}/refunds",
            "/orders/{order_no}/shares",
            "/orders/{order_no}/shipping",
            "/orders/{order_no}/unfreeze",
            "/receivers",
            "/receivers/delete",
            "/refunds/{refund_no}/apply-abnormal-refund",
            "/shares/{share_no}/returns",
        ]
    );
    let mut checked = 0;
    for route in &routes {
        for field in &route.fields {
            let mut values = wrong_values(&field.schema);
            values.push(Value::Null);
            for value in values {
                let answer = route.post(&server, &route.with(field, value.clone())).await;
                assert_refused(&answer, field, &value);
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked} fields");
}

#[tokio::test]
async fn a_field_that_is_absent_is_missing_only_where_the_document_requires_it() {
    let server = TestServer::open().await;
    let document = document(&server).await;
    for route in body_routes(&document) {
        for field in &route.fields {
            let answer = route.post(&server, &route.without(field)).await;
            if field.is_required {
                assert_refused(&answer, field, &json!("absent"));
            } else {
                let message = answer.json["error"]["message"].as_str().unwrap_or_default();
                let missing = format!("{} is missing", field.name);
                assert!(!message.starts_with(&missing), "{field:?}: {message}");
            }
        }
    }
}

#[tokio::test]
async fn every_route_refuses_a_text_with_hidden_characters_by_its_name() {
    let server = TestServer::open().await;
    let document = document(&server).await;
    let mut checked = 0;
    for route in body_routes(&document) {
        for field in &route.fields {
            if field.schema["type"] != "string" || field.schema["enum"].is_array() {
                continue;
            }
            for text in [
                "a\u{202e}b",
                "\u{2066}a\u{2069}",
                "a\0b",
                "a\nb",
                "a\u{2028}b",
                "\u{200b}",
                "\u{feff}",
                "\u{3164}",
                " \u{2060}",
                "\u{ad}",
                "   ",
            ] {
                let value = json!(text);
                let answer = route.post(&server, &route.with(field, value.clone())).await;
                assert_refused(&answer, field, &value);
            }
            checked += 1;
        }
    }
    assert!(checked >= 40, "{checked} fields");
}

async fn pay_for_tea(server: &TestServer) {
    let token = server.default_order().await;
    server.attempt(&token, &[("product", "native")]).await;
    server.pay("tea-0001").await;
    for notification in server.take_notifications() {
        assert_eq!(
            server.deliver(&notification).await.status,
            StatusCode::NO_CONTENT
        );
    }
}

#[tokio::test]
async fn an_empty_list_is_refused_by_its_name() {
    let server = TestServer::open().await;
    pay_for_tea(&server).await;
    for list in ["from", "goods_detail"] {
        let refund = json!({ "refund_no": "R-1", list: [] });
        let request = backend("/v1/orders/tea-0001/refunds", API_KEY, refund.to_string());
        let answer = server.send(request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.json);
        assert_eq!(answer.json["error"]["field"], list);
    }
    let refunds = server.shown("/tea-0001/refunds").await;
    assert_eq!(refunds.number("refunded_fen"), 0);
}

#[tokio::test]
async fn a_request_without_its_amount_refunds_nothing() {
    let server = TestServer::open().await;
    pay_for_tea(&server).await;
    let refund = json!({ "refund_no": "R-1", "amount_fen": null });
    let request = backend("/v1/orders/tea-0001/refunds", API_KEY, refund.to_string());
    let answer = server.send(request).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.json);
    assert_eq!(answer.code(), "INVALID_REQUEST");
    assert_eq!(answer.json["error"]["field"], "amount_fen");
    let refunds = server.shown("/tea-0001/refunds").await;
    assert_eq!(refunds.number("refunded_fen"), 0);
    assert_eq!(refunds.json["refunds"], json!([]));
}

/// The parameters of a query or of a form, as the document has them: name and whether it is a number.
fn parameters(document: &Value, operation: &Value) -> Vec<String> {
    let query = operation["parameters"].as_array().into_iter().flatten();
    let query = query.filter(|parameter| parameter["in"] == "query");
    let mut names: Vec<_> = query
        .map(|parameter| parameter["name"].as_str().unwrap().to_owned())
        .collect();
    let form = "application/x-www-form-urlencoded";
    let form = &operation["requestBody"]["content"][form]["schema"];
    let form = resolve(document, form)["properties"].as_object();
    names.extend(form.into_iter().flatten().map(|(name, _)| name.clone()));
    names
}

#[tokio::test]
async fn an_empty_or_null_parameter_does_not_count_as_absent() {
    let server = TestServer::open_with(r#"products = ["native", "jsapi", "mini_program"]"#).await;
    let token = server.default_order().await;
    let document = document(&server).await;
    let mut checked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for name in parameters(&document, operation) {
                for value in ["", "null"] {
                    let address = path
                        .replace("{token}", &token)
                        .replace("{day}", "2026-11-20");
                    let answer = ask(&server, method, &address, &name, value).await;
                    let what = format!("{method} {path} {name}={value}: {}", answer.json);
                    if [("order_no_prefix", "null"), ("transaction_id", "null")]
                        .contains(&(&*name, value))
                    {
                        // An order number may begin with "null", and a payment may be called so. None
                        // is, so the list is empty.
                        assert_eq!(answer.json["orders"], json!([]), "{what}");
                    } else if (&*name, value) == ("payer", "null")
                        || (&*name, value) == ("code", "null")
                    {
                        // A handle that the server never issued.
                        assert!(answer.code().starts_with("PAYER_"), "{what}");
                    } else {
                        assert!(answer.status.is_client_error(), "{what}");
                        assert_eq!(answer.json["error"]["field"], *name, "{what}");
                    }
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 40, "{checked}");
}

/// One parameter, with the other parameters that its route requires.
async fn ask(server: &TestServer, method: &str, address: &str, name: &str, value: &str) -> Answer {
    let address = format!("/v1{address}");
    if address.contains("/checkouts/") && method == "post" {
        let product = if name == "code" {
            "mini_program"
        } else {
            "jsapi"
        };
        let mut fields = vec![("product", product)];
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        return server.form(&address, &fields).await;
    }
    let mut query = format!("{name}={value}");
    if address.ends_with("/resend") && name != "state" {
        query += "&state=failed";
    }
    server
        .call(&method.to_uppercase(), &format!("{address}?{query}"))
        .await
}
