//! The description and the router are about the same routes.

use super::host::{Host, LONG, Mining};
use crate::api::model::ErrorBody;
use axum::http::Method;
use serde_json::Value;

async fn document(host: &Host) -> Value {
    host.client().get_json("/openapi.json", LONG).await.expect("it is served")
}

/// Methods and paths of the document.
fn operations(document: &Value) -> Vec<(Method, String)> {
    let paths = document["paths"].as_object().expect("there are paths");
    let methods = |(path, item): (&String, &Value)| {
        let methods = item.as_object().expect("a path has methods").keys();
        methods.map(|method| (method.to_uppercase().parse().expect("it is a method"), path.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(methods).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_described_is_routed() {
    let host = Host::start(Mining::Off).await;
    for (method, path) in operations(&document(&host).await) {
        let filled = path.replace(['{', '}'], "_");
        let answer = host.client().request(method.clone(), &filled, None, LONG).await.expect("it is answered");
        if let Ok(ErrorBody { error }) = serde_json::from_slice(&answer.body) {
            assert!(
                !["unknown_route", "method_not_allowed"].contains(&error.code.as_str()),
                "{method} {path}: {error:?}"
            );
        }
        // And with no other method.
        let other = if method == Method::GET { Method::POST } else { Method::GET };
        let answer = host.client().request(other, &filled, None, LONG).await.expect("it is answered");
        assert_eq!(answer.status.as_u16(), 405, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_routed_is_described() {
    // The router is built from described routes alone, so the list of them is the list of all.
    let host = Host::start(Mining::Off).await;
    let listed = operations(&document(&host).await).into_iter().map(|(method, path)| format!("{method} {path}\n"));
    insta::assert_snapshot!(listed.collect::<String>());
}

#[tokio::test(start_paused = true)]
async fn the_document_is_whole() {
    let host = Host::start(Mining::Off).await;
    let document = document(&host).await;
    let mut ids: Vec<_> = Vec::new();
    visit(&document, &mut |key, value| match (key, value) {
        ("$ref", Value::String(target)) => {
            let pointer = target.strip_prefix('#').expect("nothing is outside");
            assert!(document.pointer(pointer).is_some(), "{target} is not there");
        }
        ("operationId", id) => ids.push(id.clone()),
        ("responses", Value::Object(responses)) => {
            for (status, response) in responses {
                assert!(response["description"].is_string(), "{status} is not described");
            }
        }
        _ => {}
    });
    let count = ids.len();
    ids.sort_by_key(Value::to_string);
    ids.dedup();
    assert_eq!(ids.len(), count, "each operation has an identifier of its own");
}

fn visit(value: &Value, seen: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                seen(key, value);
                visit(value, seen);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| visit(item, seen)),
        _ => {}
    }
}
