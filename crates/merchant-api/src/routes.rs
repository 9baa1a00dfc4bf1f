//! The routes of the contract as one table: what each route takes, answers and refuses. The OpenAPI
//! document is made from the table, and the merchant server's tests compare every refusal with it.
//!
//! The table never says how a route is served: a server has its own router.

mod forms;
mod table;

use std::borrow::Cow;

use utoipa::ToSchema;
use utoipa::openapi::{Ref, RefOr, Schema};

pub use self::table::ROUTES;
use crate::error::ErrorCode;

/// One method at one address.
#[derive(Debug)]
pub struct Route {
    /// The HTTP method.
    pub method: RouteMethod,
    /// The address below the API's base, with its parameters in braces: `/orders/{order_no}`.
    pub path: &'static str,
    /// Who may call the route.
    pub access: RouteAccess,
    /// The name of the operation in clients that are generated from the document.
    pub(crate) operation_id: &'static str,
    /// The group of the route in the document.
    pub(crate) tag: &'static str,
    pub(crate) summary: &'static str,
    /// Details beyond the summary; empty if there are none.
    pub(crate) description: &'static str,
    pub(crate) parameters: &'static [Parameter],
    pub(crate) body: Option<RequestBody>,
    pub(crate) answers: &'static [RouteAnswer],
    /// The refusals that follow from what the route does. [`Route::refusals`] has all.
    own_refusals: &'static [Refusal],
}

impl Route {
    /// Every refusal of the route: its own, and those that follow from its access rule and its
    /// body.
    pub fn refusals(&self) -> impl Iterator<Item = Refusal> {
        let of_access: &[ErrorCode] = match self.access {
            RouteAccess::Token => &[ErrorCode::RateLimited],
            RouteAccess::ApiKey { .. } => &[ErrorCode::Unauthorized, ErrorCode::Forbidden],
        };
        let too_large = self.body.map(|_| ErrorCode::TooLarge);
        let own = self.own_refusals.iter().copied();
        let common = of_access.iter().copied().chain(too_large);
        let by_our_fault = [ErrorCode::DatabaseUnavailable, ErrorCode::Internal];
        own.chain(common.chain(by_our_fault).map(Refusal::of))
    }

    /// Whether a call belongs to this route: its method, and its path below the API's base.
    pub fn takes(&self, method: &str, path: &str) -> bool {
        let is_parameter = |part: &str| part.starts_with('{');
        let mut given = path.split('/');
        self.method.as_str() == method
            && self.path.split('/').all(|part| {
                let given = given.next();
                given == Some(part)
                    || (is_parameter(part) && given.is_some_and(|value| !value.is_empty()))
            })
            && given.next().is_none()
    }
}

/// The methods that the contract uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteMethod {
    /// Reads, and changes nothing.
    Get,
    /// Changes something.
    Post,
}

impl RouteMethod {
    /// The method's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteAccess {
    /// Any caller that has the order's token: the buyer's page. The rate of calls is limited.
    Token,
    /// The merchant's backend, with an API key.
    ApiKey {
        /// The scope that the key must have.
        scope: &'static str,
    },
}

/// One reason for which a route refuses a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The code, with its status.
    pub code: ErrorCode,
    /// What the code means at this route; empty if its general meaning is enough.
    pub(crate) note: &'static str,
}

impl Refusal {
    pub(crate) const fn of(code: ErrorCode) -> Self {
        Self { code, note: "" }
    }

    pub(crate) const fn noted(code: ErrorCode, note: &'static str) -> Self {
        Self { code, note }
    }
}

/// A part of the address that the caller chooses.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) place: ParameterPlace,
    pub(crate) kind: ParameterKind,
    pub(crate) description: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParameterPlace {
    Path,
    Query,
    /// In the query, and required.
    QueryRequired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParameterKind {
    Text,
    U32,
    U64,
}

/// What a route takes in its body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestBody {
    pub(crate) content_type: &'static str,
    pub(crate) schema: SchemaOf,
}

/// An answer that is not a refusal.
#[derive(Debug)]
pub(crate) struct RouteAnswer {
    pub(crate) status: u16,
    pub(crate) description: &'static str,
    pub(crate) content: RouteContent,
}

#[derive(Debug)]
pub(crate) enum RouteContent {
    Nothing,
    Csv,
    /// A picture of this type.
    Picture(&'static str),
    Json(SchemaOf),
}

/// The schema of a type of the contract, and all schemas that it refers to.
#[derive(Clone, Copy)]
pub(crate) struct SchemaOf {
    name: fn() -> Cow<'static, str>,
    collect: fn(&mut NamedSchemas),
}

/// The schemas of a document by name.
pub(crate) type NamedSchemas = Vec<(String, RefOr<Schema>)>;

impl SchemaOf {
    pub(crate) const fn type_of<T: ToSchema>() -> Self {
        Self {
            name: T::name,
            collect: |schemas| {
                schemas.push((T::name().into_owned(), T::schema()));
                T::schemas(schemas);
            },
        }
    }

    pub(crate) fn reference(self) -> Ref {
        Ref::from_schema_name((self.name)())
    }

    /// Adds the schema and all schemas that it refers to.
    pub(crate) fn collect(self, schemas: &mut NamedSchemas) {
        (self.collect)(schemas);
    }
}

impl std::fmt::Debug for SchemaOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("SchemaOf").field(&(self.name)()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_takes_its_own_method_and_address_and_no_other() {
        let taken = |method: &str, path: &str| {
            let mut routes = ROUTES.iter().filter(|route| route.takes(method, path));
            let first = routes.next().map(|route| route.operation_id);
            assert!(routes.next().is_none(), "{method} {path} has two routes");
            first
        };
        let cases = [
            ("GET", "/orders", Some("list_orders")),
            ("POST", "/orders", Some("create_order")),
            ("GET", "/orders/A-0001", Some("get_order")),
            ("POST", "/webhooks/resend", Some("resend_webhooks")),
            ("POST", "/webhooks/w1/resend", Some("resend_webhook")),
            ("GET", "/orders/", None),
            ("GET", "/orders/A-0001/", None),
            ("GET", "/orders/A-0001/close", None),
            ("PUT", "/orders", None),
            ("GET", "", None),
        ];
        for (method, path, expected) in cases {
            assert_eq!(taken(method, path), expected, "{method} {path}");
        }
    }

    #[test]
    fn no_route_has_one_refusal_twice_and_every_path_parameter_is_described() {
        for route in ROUTES {
            let codes: Vec<_> = route.refusals().map(|refusal| refusal.code).collect();
            for (place, code) in codes.iter().enumerate() {
                let is_new = !codes[..place].contains(code);
                assert!(is_new, "{} {}", route.operation_id, code.as_str());
            }
            let in_path = |parameter: &&Parameter| parameter.place == ParameterPlace::Path;
            let described = route.parameters.iter().filter(in_path);
            let described: Vec<_> = described
                .map(|parameter| format!("{{{}}}", parameter.name))
                .collect();
            let parts = route.path.split('/').filter(|part| part.starts_with('{'));
            assert!(parts.eq(&described), "{}", route.operation_id);
        }
    }
}
