//! The page about the merchant API: each route, each object and each webhook of the OpenAPI document. This module
//! knows the parts of OpenAPI that our document uses, and shows an unknown schema as an object.

use std::fmt::Write as _;

use serde_json::Value;

use crate::docs::cells;

const INTRODUCTION: &str = "\
# API reference

`cargo xtask docs` writes this page from `crates/merchant-api/goldens/openapi.json`, the document that the server \
serves as `/openapi.json`. What to do for each code is in [Error codes](errors.md).
";

/// The whole page.
pub(super) fn page(document: &Value) -> String {
    let mut page = INTRODUCTION.to_owned();
    paragraph(&mut page, text_at(document, "/info/description"));
    let routes: Vec<Route<'_>> = routes(document);
    page.push_str("\n## Routes\n\n| Call | What it does |\n|---|---|\n");
    for route in &routes {
        let (name, id) = (route.name(), route.text("operationId"));
        line(
            &mut page,
            &format!(
                "| [`{name}`](#{id}) | {} |",
                cells::text(route.text("summary"))
            ),
        );
    }
    for route in &routes {
        route.write(&mut page);
    }
    write_schemas(&mut page, document);
    write_webhooks(&mut page, document);
    page
}

/// One method of one path.
struct Route<'a> {
    method: &'a str,
    path: &'a str,
    operation: &'a Value,
}

fn routes(document: &Value) -> Vec<Route<'_>> {
    entries(document, "/paths")
        .flat_map(|(path, methods)| {
            entries(methods, "").map(move |(method, operation)| Route {
                method,
                path,
                operation,
            })
        })
        .collect()
}

impl Route<'_> {
    fn name(&self) -> String {
        format!("{} /v1{}", self.method.to_uppercase(), self.path)
    }

    fn text(&self, field: &str) -> &str {
        self.operation[field].as_str().unwrap_or_default()
    }

    fn write(&self, page: &mut String) {
        let id = self.text("operationId");
        line(page, &format!("\n### `{}`<a id=\"{id}\"></a>", self.name()));
        paragraph(page, self.text("summary"));
        paragraph(page, self.text("description"));
        let access = if self.operation["security"].is_array() {
            "Access: an API key as Bearer."
        } else {
            "Access: the order's token in the path."
        };
        paragraph(page, access);
        self.write_parameters(page);
        for (media, content) in entries(self.operation, "/requestBody/content") {
            paragraph(
                page,
                &format!("Body: {}, as `{media}`.", type_of(&content["schema"])),
            );
        }
        page.push_str("\n| Status | Answer |\n|---|---|\n");
        for (status, response) in entries(self.operation, "/responses") {
            let description = cells::text(text_at(response, "/description"));
            let kind =
                entries(response, "/content").map(|(_, content)| type_of(&content["schema"]));
            // Each refusal has the envelope: it is named once, by its own heading.
            let kind: Vec<String> = kind
                .filter(|kind| !kind.contains("[ErrorEnvelope]"))
                .collect();
            let kind = if kind.is_empty() {
                String::new()
            } else {
                format!(": {}", kind.join(", "))
            };
            line(page, &format!("| {status} | {description}{kind} |"));
        }
    }

    fn write_parameters(&self, page: &mut String) {
        let Some(parameters) = self.operation["parameters"].as_array() else {
            return;
        };
        page.push_str("\n| Parameter | In | Type | Meaning |\n|---|---|---|---|\n");
        for parameter in parameters {
            let is_required = parameter["required"] == Value::Bool(true);
            line(
                page,
                &format!(
                    "| {} | {} | {}{} | {} |",
                    cells::code(text_at(parameter, "/name")),
                    text_at(parameter, "/in"),
                    type_of(&parameter["schema"]),
                    if is_required { ", required" } else { "" },
                    cells::text(text_at(parameter, "/description")),
                ),
            );
        }
    }
}

fn write_schemas(page: &mut String, document: &Value) {
    page.push_str("\n## Objects\n");
    for (name, schema) in entries(document, "/components/schemas") {
        line(page, &format!("\n### {name}"));
        paragraph(page, text_at(schema, "/description"));
        if let Some(words) = words_of(schema) {
            paragraph(page, &format!("One of {words}."));
            continue;
        }
        let mut rows = String::new();
        write_fields(&mut rows, schema, "");
        if !rows.is_empty() {
            page.push_str("\n| Field | Type | Meaning |\n|---|---|---|\n");
            page.push_str(&rows);
        }
    }
}

/// The fields of an object, the required ones first. `above`: the field that holds the object.
fn write_fields(rows: &mut String, schema: &Value, above: &str) {
    for part in schema["allOf"].as_array().into_iter().flatten() {
        write_fields(rows, part, above);
    }
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let is_required = |name: &str| required.contains(&name);
    let mut fields: Vec<(&str, &Value)> = entries(schema, "/properties").collect();
    fields.sort_by_key(|(name, _)| !is_required(name));
    for (name, field) in fields {
        let full_name = format!("{above}{name}");
        line(
            rows,
            &format!(
                "| {} | {}{} | {} |",
                cells::code(&full_name),
                type_of(field),
                if is_required(name) { ", required" } else { "" },
                cells::text(text_at(field, "/description")),
            ),
        );
        if field["properties"].is_object() {
            write_fields(rows, field, &format!("{full_name}."));
        }
    }
}

fn write_webhooks(page: &mut String, document: &Value) {
    page.push_str("\n## Webhooks\n");
    paragraph(
        page,
        "How they are signed and repeated is in [Webhooks](webhooks.md).",
    );
    page.push_str("\n| `type` | `data` | What happened |\n|---|---|---|\n");
    for (name, webhook) in entries(document, "/webhooks") {
        let data = "/post/requestBody/content/application~1json/schema/properties/data";
        let data = webhook.pointer(data).map(type_of).unwrap_or_default();
        let summary = cells::text(text_at(webhook, "/post/summary"));
        line(page, &format!("| `{name}` | {data} | {summary} |"));
    }
}

/// A type in a few words. The objects of the document have headings on this page.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(words) = words_of(schema) {
        return words;
    }
    match schema["type"].as_str() {
        Some("array") => format!("list of {}", type_of(&schema["items"])),
        Some(name) => name.to_owned(),
        None => "object".to_owned(),
    }
}

fn words_of(schema: &Value) -> Option<String> {
    let words = schema["enum"].as_array()?.iter().filter_map(Value::as_str);
    Some(words.map(cells::code).collect::<Vec<_>>().join(", "))
}

fn entries<'a>(value: &'a Value, pointer: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let object = value.pointer(pointer).and_then(Value::as_object);
    object
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}

fn text_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn paragraph(page: &mut String, text: &str) {
    if !text.is_empty() {
        line(page, &format!("\n{}", cells::text(text)));
    }
}

fn line(page: &mut String, text: &str) {
    // A String never refuses text.
    let _ = writeln!(page, "{text}");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::page;

    #[test]
    fn each_route_field_and_webhook_is_on_the_page() {
        let document = json!({
            "info": { "description": "What <wechat-pay> needs." },
            "paths": { "/orders": { "post": {
                "operationId": "create_order",
                "summary": "Creates an order.",
                "parameters": [{ "name": "dry", "in": "query", "required": true,
                    "schema": { "type": "boolean" }, "description": "a | b" }],
                "requestBody": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Form" } } } },
                "responses": {
                    "201": { "description": "Created", "content": { "application/json": {
                        "schema": { "$ref": "#/components/schemas/Form" } } } },
                    "400": { "description": "AMOUNT_INVALID", "content": { "application/json": {
                        "schema": { "$ref": "#/components/schemas/ErrorEnvelope" } } } },
                },
                "security": [{ "api_key": [] }],
            } } },
            "components": { "schemas": {
                "Form": { "type": "object", "required": ["total_fen"], "properties": {
                    "attach": { "type": "array", "items": { "type": "string" } },
                    "total_fen": { "type": "integer", "description": "In fen." },
                    "error": { "type": "object", "properties": { "code": { "type": "string" } } },
                } },
                "State": { "type": "string", "enum": ["open", "paid"] },
            } },
            "webhooks": { "order.closed": { "post": { "summary": "It is over.", "requestBody": {
                "content": { "application/json": { "schema": { "properties": {
                    "data": { "$ref": "#/components/schemas/Form" } } } } } } } } },
        });
        let page = page(&document);
        for line in [
            "What &lt;wechat-pay> needs.",
            "| [`POST /v1/orders`](#create_order) | Creates an order. |",
            "### `POST /v1/orders`<a id=\"create_order\"></a>",
            "Access: an API key as Bearer.",
            "| `dry` | query | boolean, required | a \\| b |",
            "Body: [Form](#form), as `application/json`.",
            "| 201 | Created: [Form](#form) |",
            "| 400 | AMOUNT_INVALID |",
            "| `total_fen` | integer, required | In fen. |\n| `attach` | list of string |  |",
            "| `error.code` | string |  |",
            "One of `open`, `paid`.",
            "| `order.closed` | [Form](#form) | It is over. |",
        ] {
            assert!(page.contains(line), "{line} in\n{page}");
        }
    }
}
