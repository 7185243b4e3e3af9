//! A Prometheus server's eyes: the metrics of every node, asked for over its API at regular times. In a simulation it is a
//! host of its own, [`HOST`].

use crate::{HostId, World, net::TcpStream};
use assay_node::api::{Client, client::ClientError, model::MetricsInfo};
use assay_reports::scrapes::{INTERVAL, Scraper};
use assay_scenarios::Scenario;
use futures::future::join_all;
use std::{cell::RefCell, net::SocketAddr, rc::Rc, time::Duration};
use tokio::time::MissedTickBehavior;

/// The host's name.
pub const HOST: &str = "prometheus";
/// How long an answer may take, as in the Prometheus configuration that is shipped.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// No scrape yet, of nodes of a scenario.
pub fn scraper(scenario: &Scenario) -> Scraper {
    Scraper::new(INTERVAL, scenario.consensus.name())
}

/// Starts it on a host of a simulation; `apis` are the nodes'.
pub fn boot(world: &mut World, host: HostId, apis: &[SocketAddr], scraper: Rc<RefCell<Scraper>>) {
    let client = |address: &SocketAddr| {
        let address = *address;
        Client::new(address.to_string(), move || TcpStream::connect(address))
    };
    let clients: Vec<Client> = apis.iter().map(client).collect();
    world.boot(host, move || async move { run(&clients, &scraper).await });
}

/// Scrapes for ever.
pub async fn run(nodes: &[Client], scraper: &RefCell<Scraper>) -> ! {
    let mut tick = tokio::time::interval(Duration::from_secs(INTERVAL));
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tick.tick().await;
        scraper.borrow_mut().begin();
        let asked = nodes.iter().map(|node| node.get_json::<MetricsInfo>("/api/metrics", ANSWER_MAX));
        for (node, answer) in join_all(asked).await.into_iter().enumerate() {
            take(&mut scraper.borrow_mut(), &format!("n{node}"), answer);
        }
    }
}

/// Takes in what a node has answered.
fn take(scraper: &mut Scraper, instance: &str, answer: Result<MetricsInfo, ClientError>) {
    scraper.up(instance, answer.is_ok());
    for (name, metric) in answer.unwrap_or_default().metrics {
        scraper.family(&name, &metric.kind, &metric.help);
        for sample in metric.samples {
            // JSON has no number that is not finite; such a one says nothing.
            if let Some(value) = sample.value {
                scraper.sample(instance, &sample.name, &sample.labels, value);
            }
        }
    }
}
