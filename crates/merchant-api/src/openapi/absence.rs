//! An optional field may be absent and is never null, in both directions. The generator describes
//! each optional field as "this or null", which is not true for any route. This module never
//! changes which fields are required.

use utoipa::Modify;
use utoipa::openapi::schema::{ArrayItems, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr, Schema};

/// Takes `null` out of every schema of the document.
pub(super) struct NeverNull;

impl Modify for NeverNull {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        components.schemas.values_mut().for_each(refuse_null);
        for item in document.paths.paths.values_mut() {
            let operations = [
                &mut item.get,
                &mut item.put,
                &mut item.post,
                &mut item.delete,
                &mut item.patch,
            ];
            for operation in operations.into_iter().flatten() {
                for parameter in operation.parameters.iter_mut().flatten() {
                    if let RefOr::T(parameter) = parameter {
                        parameter.schema.iter_mut().for_each(refuse_null);
                    }
                }
            }
        }
    }
}

fn refuse_null(schema: &mut RefOr<Schema>) {
    let RefOr::T(inner) = schema else {
        return;
    };
    match inner {
        Schema::Object(object) => {
            refuse_null_type(&mut object.schema_type);
            object.properties.values_mut().for_each(refuse_null);
        }
        Schema::Array(array) => {
            refuse_null_type(&mut array.schema_type);
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                refuse_null(items);
            }
        }
        Schema::AllOf(all) => all.items.iter_mut().for_each(refuse_null),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(refuse_null),
        Schema::OneOf(one) => {
            one.items.retain(|item| !is_null(item));
            one.items.iter_mut().for_each(refuse_null);
            // "One of" a single schema is the schema itself, which has its description already.
            if one.items.len() == 1
                && let Some(only) = one.items.pop()
            {
                *schema = only;
            }
        }
        _ => {}
    }
}

fn refuse_null_type(schema_type: &mut SchemaType) {
    if let SchemaType::Array(types) = schema_type {
        types.retain(|kind| *kind != Type::Null);
        if let [only] = types.as_slice() {
            *schema_type = SchemaType::Type(only.clone());
        }
    }
}

fn is_null(schema: &RefOr<Schema>) -> bool {
    let null = SchemaType::Type(Type::Null);
    matches!(schema, RefOr::T(Schema::Object(object)) if object.schema_type == null)
}
