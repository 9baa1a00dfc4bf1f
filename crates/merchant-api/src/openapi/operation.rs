//! One route of the table as an operation of the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::PartialSchema as _;
use utoipa::openapi::path::{
    Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{Content, HttpMethod, RefOr, Required, Response, ResponseBuilder, Schema};

use crate::error::ErrorCode;
use crate::error::wire::ErrorEnvelope;
use crate::routes::{
    NamedSchemas, ParameterKind, ParameterPlace, Refusal, Route, RouteAccess, RouteAnswer,
    RouteContent, RouteMethod, SchemaOf,
};

pub(super) const fn method_of(route: &Route) -> HttpMethod {
    match route.method {
        RouteMethod::Get => HttpMethod::Get,
        RouteMethod::Post => HttpMethod::Post,
    }
}

/// The operation; the schemas that the operation refers to are added to `schemas`.
pub(super) fn of_route(route: &Route, schemas: &mut NamedSchemas) -> Operation {
    let description = (!route.description.is_empty()).then_some(route.description);
    let mut operation = OperationBuilder::new()
        .tag(route.tag)
        .summary(Some(route.summary))
        .description(description)
        .operation_id(Some(route.operation_id));
    for parameter in route.parameters {
        operation = operation.parameter(described(parameter));
    }
    if let Some(body) = route.body {
        body.schema.collect(schemas);
        let content = Content::new(Some(body.schema.reference()));
        let body = RequestBodyBuilder::new()
            .content(body.content_type, content)
            .required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    if let RouteAccess::ApiKey { .. } = route.access {
        let no_scopes: [&str; 0] = [];
        operation = operation.security(SecurityRequirement::new("api_key", no_scopes));
    }
    for answer in route.answers {
        operation = operation.response(answer.status.to_string(), answered(answer, schemas));
    }
    for (status, refusals) in by_status(route) {
        let response = refused(&refusals, route.access, schemas);
        operation = operation.response(status.to_string(), response);
    }
    operation.build()
}

fn described(parameter: &crate::routes::Parameter) -> Parameter {
    let (place, required) = match parameter.place {
        ParameterPlace::Path => (ParameterIn::Path, Required::True),
        ParameterPlace::Query => (ParameterIn::Query, Required::False),
        ParameterPlace::QueryRequired => (ParameterIn::Query, Required::True),
    };
    let schema: RefOr<Schema> = match parameter.kind {
        ParameterKind::Text => String::schema(),
        ParameterKind::U32 => u32::schema(),
        ParameterKind::U64 => u64::schema(),
    };
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(place)
        .required(required)
        .description(Some(parameter.description))
        .schema(Some(schema))
        .build()
}

fn answered(answer: &RouteAnswer, schemas: &mut NamedSchemas) -> Response {
    let response = ResponseBuilder::new().description(answer.description);
    let response = match answer.content {
        RouteContent::Nothing => response,
        RouteContent::Csv => response.content("text/csv", Content::new(Some(String::schema()))),
        RouteContent::Picture(media_type) => response.content(media_type, Content::default()),
        RouteContent::Json(schema) => with_json(response, schema, schemas),
    };
    response.build()
}

fn with_json(
    response: ResponseBuilder,
    schema: SchemaOf,
    schemas: &mut NamedSchemas,
) -> ResponseBuilder {
    schema.collect(schemas);
    response.content("application/json", Content::new(Some(schema.reference())))
}

/// Each status has one row in the document, even if several codes have that status.
fn by_status(route: &Route) -> BTreeMap<u16, Vec<Refusal>> {
    let mut rows = BTreeMap::<u16, Vec<Refusal>>::new();
    for refusal in route.refusals() {
        rows.entry(refusal.code.status()).or_default().push(refusal);
    }
    rows
}

fn refused(refusals: &[Refusal], access: RouteAccess, schemas: &mut NamedSchemas) -> Response {
    let words: Vec<_> = refusals
        .iter()
        .map(|refusal| in_words(*refusal, access))
        .collect();
    let has_notes = refusals.iter().any(|refusal| !refusal.note.is_empty());
    let separator = if has_notes { "; " } else { ", " };
    let response = ResponseBuilder::new().description(words.join(separator));
    with_json(response, SchemaOf::type_of::<ErrorEnvelope>(), schemas).build()
}

fn in_words(refusal: Refusal, access: RouteAccess) -> String {
    let code = refusal.code.as_str();
    match (refusal.code, access, refusal.note) {
        (ErrorCode::Forbidden, RouteAccess::ApiKey { scope }, _) => {
            format!("{code}: the key lacks the scope {scope}")
        }
        (_, _, "") => code.to_owned(),
        (_, _, note) => format!("{code}: {note}"),
    }
}
