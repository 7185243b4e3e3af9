//! The router and its description, built together: a route that is not described cannot be added.

use super::{
    ApiError, BODY_BYTES_MAX, accounts, admin, chain, health, metrics,
    middleware::{self, Observer, Places},
    model::ErrorBody,
    operators, schema, transactions, validators,
};
use crate::{
    NodeView,
    types::{Body, Payload, Transaction},
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::StatusCode,
};
use std::sync::Arc;
use utoipa::{
    OpenApi,
    openapi::{
        ContentBuilder, OpenApi as Document, PathItem, RefOr, Response, ResponseBuilder,
        path::{Operation, Paths},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{
    router::{OpenApiRouter, UtoipaMethodRouter},
    routes,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Assay node", description = "Chain, accounts, transactions, health and metrics of one node."),
    components(schemas(ErrorBody, Transaction, Body, Payload)),
    tags(
        (name = "chain", description = "Blocks and the chain as a whole"),
        (name = "accounts", description = "What addresses have"),
        (name = "transactions", description = "Transactions, waiting and included"),
        (name = "health", description = "For load balancers and supervisors"),
        (name = "metrics", description = "For monitoring"),
        (name = "admin", description = "For the node's administrator, who has its `admin.key`"),
        (name = "description", description = "This document"),
    )
)]
struct Head;

/// All routes of a node, and every bound on them but those on connections.
pub fn router(view: NodeView) -> Router {
    let observer = Observer::new(view.metrics.clone());
    let (router, document) = described().split_for_parts();
    let document = Described(Arc::new(document));
    router
        .fallback(async || ApiError::UnknownRoute)
        .method_not_allowed_fallback(async || ApiError::Method)
        .layer(axum::middleware::from_fn(middleware::bound_time))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(axum::middleware::from_fn_with_state(observer, middleware::observe))
        .layer(axum::Extension(document))
        .with_state(view)
}

/// The routes with their description.
fn described() -> OpenApiRouter<NodeView> {
    let work = OpenApiRouter::new()
        .merge(short())
        .nest("/api/v1", short().merge(long()))
        .layer(axum::middleware::from_fn_with_state(Places::default(), middleware::bound_places));
    let mut router = OpenApiRouter::with_openapi(Head::openapi()).merge(work).merge(unbounded());
    complete(router.get_openapi_mut());
    router
}

/// Routes that are short to type, and under `/api/v1` as well.
fn short() -> OpenApiRouter<NodeView> {
    OpenApiRouter::new()
        .routes(routes!(chain::head))
        .routes(routes!(chain::block))
        .routes(routes!(transactions::transaction))
        .routes(routes!(transactions::submit))
        .routes(routes!(accounts::balance))
}

/// Routes under `/api/v1` only.
fn long() -> OpenApiRouter<NodeView> {
    OpenApiRouter::new()
        .routes(routes!(chain::height))
        .routes(routes!(chain::info))
        .routes(routes!(accounts::proof))
        .routes(routes!(validators::validators))
        .routes(routes!(operators::operators))
        .routes(routes!(transactions::proof))
}

/// Routes that a supervisor or the administrator needs most when the node is busiest: they take no place among the requests
/// under way.
fn unbounded() -> OpenApiRouter<NodeView> {
    OpenApiRouter::new()
        .routes(routes!(health::health))
        .routes(routes!(health::live))
        .routes(at("/health/liveness", routes!(health::live)))
        .routes(routes!(health::ready))
        .routes(at("/health/readiness", routes!(health::ready)))
        .routes(at("/ready", routes!(health::ready)))
        .routes(routes!(metrics::text))
        .routes(routes!(metrics::json))
        .routes(routes!(admin::backup))
        .routes(routes!(admin::backup_state))
        .routes(routes!(admin::backups))
        .routes(routes!(document))
}

/// The same handler at another path.
fn at(path: &str, (schemas, paths, handler): UtoipaMethodRouter<NodeView>) -> UtoipaMethodRouter<NodeView> {
    let item = paths.paths.into_values().next().expect("a handler has a path");
    let mut renamed = Paths::new();
    renamed.paths.insert(path.to_owned(), item);
    (schemas, renamed, handler)
}

/// Adds what holds for every operation: an identifier of its own, and the errors that any may end in. And what a token is.
fn complete(document: &mut Document) {
    let error = || {
        let content = ContentBuilder::new().schema(Some(schema::named::<ErrorBody>())).build();
        ResponseBuilder::new()
            .description("Any other error, with its code")
            .content("application/json", content)
            .build()
    };
    let token = "A JSON Web Token, HS256 with the bytes of the home's `admin.key`, that expires within an hour";
    let scheme =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(token)).build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("admin", SecurityScheme::Http(scheme));
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let words = path.split(['/', '{', '}', '.', '-']).filter(|word| !word.is_empty());
            operation.operation_id = Some(words.fold(method.to_owned(), |id, word| id + "_" + word));
            for (status, response) in &mut operation.responses.responses {
                describe(status, response);
            }
            operation.responses.responses.insert("default".into(), RefOr::T(error()));
        }
    }
}

/// Gives a response the name of its status when it has no description, which the format demands.
fn describe(status: &str, response: &mut RefOr<Response>) {
    let name = status.parse().ok().and_then(|status: StatusCode| status.canonical_reason());
    if let (RefOr::T(response), Some(name)) = (response, name)
        && response.description.is_empty()
    {
        response.description = name.to_owned();
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let get = item.get.as_mut().map(|operation| ("get", operation));
    get.into_iter().chain(item.post.as_mut().map(|operation| ("post", operation)))
}

/// The finished document, for the route that serves it.
#[derive(Clone)]
struct Described(Arc<Document>);

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "description", responses((status = 200, body = Object)))]
async fn document(State(_): State<NodeView>, axum::Extension(document): axum::Extension<Described>) -> Json<Document> {
    Json((*document.0).clone())
}
