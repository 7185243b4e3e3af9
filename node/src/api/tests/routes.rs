//! What each route says.

use super::host::{Host, LONG, Mining, poor, rich, transfer};
use crate::api::{client::Answer, model::MetricsInfo};
use std::fmt::Write;

fn show(text: &mut String, what: &str, answer: &Answer) {
    let body = match serde_json::from_slice::<serde_json::Value>(&answer.body) {
        Ok(json) => format!("{json:#}"),
        Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    writeln!(text, "{what}\n{}\n{body}\n", answer.status.as_u16()).expect("a string takes all text");
}

async fn shown(host: &Host, paths: &[String]) -> String {
    let mut text = String::new();
    for path in paths {
        show(&mut text, &format!("GET {path}"), &host.get(path).await);
    }
    text
}

#[tokio::test(start_paused = true)]
async fn bodies_of_a_chain_that_has_its_genesis_only() {
    let host = Host::start(Mining::Off).await;
    let genesis = host.node.view().identity.genesis;
    let waiting = transfer(0, 5);
    host.client().submit(&waiting, LONG).await.expect("it is valid");
    let paths = [
        "/chain/head".to_owned(),
        "/api/v1/chain/height".to_owned(),
        "/api/v1/chain/info".to_owned(),
        format!("/block/{genesis}"),
        format!("/tx/{}", waiting.id()),
        format!("/balance/{}", rich().address()),
        format!("/balance/{}", poor()),
        format!("/api/v1/proof/account/{}", rich().address()),
        "/health".to_owned(),
        "/health/live".to_owned(),
        "/health/ready".to_owned(),
    ];
    insta::assert_snapshot!(shown(&host, &paths).await);
}

#[tokio::test(start_paused = true)]
async fn bodies_of_errors() {
    let host = Host::start(Mining::Off).await;
    let unknown = "ab".repeat(32);
    let paths = [
        "/nowhere".to_owned(),
        "/submit-tx".to_owned(),
        "/block/1".to_owned(),
        "/block/-1".to_owned(),
        "/block/0x10".to_owned(),
        "/block/18446744073709551616".to_owned(),
        "/block/%ff".to_owned(),
        format!("/block/{unknown}"),
        format!("/block/{}", "z".repeat(64)),
        "/tx/1".to_owned(),
        format!("/tx/{unknown}"),
        "/balance/rich".to_owned(),
        format!("/api/v1/proof/account/{}?height=9", poor()),
        format!("/api/v1/proof/account/{}?height=high", poor()),
        format!("/api/v1/proof/account/{}?depth=1", poor()),
        format!("/api/v1/proof/transaction/{unknown}"),
    ];
    insta::assert_snapshot!(shown(&host, &paths).await);
}

#[tokio::test(start_paused = true)]
async fn a_route_says_the_same_under_its_other_names() {
    let host = Host::start(Mining::Off).await;
    let names = [
        ("/chain/head", "/api/v1/chain/head"),
        ("/block/0", "/api/v1/block/0"),
        ("/health/live", "/health/liveness"),
        ("/health/ready", "/health/readiness"),
        ("/health/ready", "/ready"),
    ];
    for (name, other) in names {
        let answer = host.get(name).await;
        assert_eq!(answer.status.as_u16(), 200, "{name}");
        assert_eq!(answer, host.get(other).await, "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn metrics_are_the_same_numbers_in_both_forms() {
    let host = Host::start(Mining::Off).await;
    host.get("/block/0").await;
    host.get("/block/7").await;
    host.get("/nowhere").await;
    let text = host.get("/metrics").await;
    let text = std::str::from_utf8(&text.body).expect("metrics are text");
    for line in [
        r#"assay_http_requests_total{route="/block/{id}",method="GET",status="200"} 1"#,
        r#"assay_http_requests_total{route="/block/{id}",method="GET",status="404"} 1"#,
        r#"assay_http_requests_total{route="none",method="GET",status="404"} 1"#,
        "assay_chain_height 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    let json: MetricsInfo = host.client().get_json("/api/metrics", LONG).await.expect("it is answered");
    let requests = &json.metrics["assay_http_requests"];
    assert_eq!((requests.kind.as_str(), requests.samples.len()), ("counter", 4));
    assert_eq!(json.metrics["assay_chain_height"].samples[0].value, Some(0.0));
    let families = text.lines().filter(|line| line.starts_with("# TYPE ")).count();
    assert_eq!(json.metrics.len(), families);
}

#[tokio::test(start_paused = true)]
async fn a_request_keeps_its_id_or_is_given_one() {
    let host = Host::start(Mining::Off).await;
    let ask = async |header: &str| {
        let answer =
            host.raw(&format!("GET /health/live HTTP/1.1\r\nhost: node\r\nconnection: close\r\n{header}\r\n")).await;
        let line = answer.lines().find_map(|line| line.strip_prefix("x-request-id: ")).expect("there is an id");
        line.to_owned()
    };
    assert_eq!(ask("x-request-id: order-66\r\n").await, "order-66");
    assert_eq!(ask("").await, "0");
    assert_eq!(ask(&format!("x-request-id: {}\r\n", "9".repeat(65))).await, "1");
}
