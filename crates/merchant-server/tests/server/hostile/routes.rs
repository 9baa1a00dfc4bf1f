//! Every route of the server, read from the server itself.

use std::collections::BTreeSet;

use axum::body::Body;
use http::{Method, Request};

use crate::test_server::TestServer;

/// A method that no route takes.
const NO_METHOD: &str = "BREW";

/// One of the server's routes.
#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) method: Method,
    /// The pattern of the route: `/v1/orders/{order_no}`.
    pub(super) path: String,
}

impl Route {
    /// The name of the variable part of the address.
    pub(super) fn parameter(&self) -> Option<&str> {
        let (_, rest) = self.path.split_once('{')?;
        Some(rest.split_once('}').unwrap().0.trim_start_matches('*'))
    }

    /// The address with this value in its variable part.
    pub(super) fn with(&self, value: &str) -> String {
        match self.path.split_once('{') {
            None => self.path.clone(),
            Some((before, rest)) => {
                let (_, after) = rest.split_once('}').unwrap();
                format!("{before}{value}{after}")
            }
        }
    }
}

/// All routes, each with every method that it takes. A route names these methods in its answer to a
/// method that it does not take.
pub(super) async fn routes(server: &TestServer) -> Vec<Route> {
    let mut routes = Vec::new();
    for path in paths(server) {
        let bare = path.replace(['{', '}', '*'], "");
        let request = Request::builder().method(NO_METHOD).uri(bare);
        let answer = server.send(request.body(Body::empty()).unwrap()).await;
        let allowed = match answer.headers.get("allow") {
            Some(methods) => methods.to_str().unwrap().to_owned(),
            // These routes serve files and depend on the file's name.
            None => "GET".to_owned(),
        };
        let methods = allowed.split(',').map(str::trim);
        // A HEAD is a GET without the answer's body.
        let methods = methods.filter(|method| *method != "HEAD");
        routes.extend(methods.map(|method| Route {
            method: method.parse().unwrap(),
            path: path.clone(),
        }));
    }
    routes
}

/// The paths of the router, from its `Debug` form: axum shows them nowhere else.
fn paths(server: &TestServer) -> BTreeSet<String> {
    let router = format!("{:?}", server.app);
    let (own, _fallbacks) = router.split_once("fallback_router").unwrap();
    let quoted = own.split('"').skip(1).step_by(2);
    let paths: BTreeSet<_> = quoted
        .filter(|text| text.starts_with('/'))
        .map(str::to_owned)
        .collect();
    // Compare with the contract's own list: if the `Debug` form changes, its paths are missing.
    let document = serde_json::to_value(merchant_api::openapi_document()).unwrap();
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(paths.contains(&format!("/v1{path}")), "{path} in {paths:?}");
    }
    paths
}
