//! The simulated network: a TCP stack for each host (`turmoil-net`), links between them, and fault rules.
//!
//! ```text
//!   host's sockets ── stack ──> egress ──> rules and link model ──> queue by (time, sequence) ──> stack of the peer
//! ```
//!
//! Hosts run in windows. What a host sends within a window leaves at its end, stamped with the window's start, and
//! arrives no earlier than the next window: hence a window must not be longer than the smallest latency. A packet is
//! delivered at the first window that starts at or after its arrival. Late by half a window on average on one side and
//! early by as much on the other, latencies are right in the mean.
//!
//! Retransmission is the stack's: a segment is repeated a second after it was sent, each second, for a quarter of an
//! hour, as long as Linux tries. Three omissions of the stack are made good in `ack.rs`.

mod ack;
mod link;
mod record;
mod rule;
mod tcp;
mod transport;

pub use link::LinkModel;
pub use rule::{Rule, RuleId, RuleStats};
pub use tcp::{CONNECT_TIMEOUT, TcpListener, TcpStream};
pub use transport::Tcp;

use crate::{entropy, host_id::HostId, trace::Trace};
use ack::Acks;
use link::Links;
use std::{collections::BTreeMap, net::IpAddr, time::Duration};
use turmoil_net::{EnterGuard, KernelConfig, Net, NetstatState, Packet, Proto};

/// A segment is repeated when it was not acknowledged for this long.
const RETRANSMIT_AFTER: Duration = Duration::from_secs(1);
/// A connection is given up after so many repetitions: Linux's `tcp_retries2` of 15 comes to as many seconds.
const RETRANSMIT_MAX: u32 = 924;
/// Bytes that a socket takes before its application reads, about Linux's default.
const RECEIVE_BUFFER: usize = 256 * 1024;
/// The addresses of hosts are `10.0.x.y` with `y` from 1 to this.
const HOSTS_PER_NET: u32 = 250;

/// What a host has sent and got. Bytes are those of IP packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostTraffic {
    /// Packets that left the host, whatever became of them.
    pub packets_sent: u64,
    /// Their bytes.
    pub bytes_sent: u64,
    /// Packets that reached the host.
    pub packets_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
}

struct NetHost {
    stack: turmoil_net::HostId,
    address: IpAddr,
    /// False between a power cut and the next boot: nothing comes in or out.
    powered: bool,
    traffic: HostTraffic,
}

struct ActiveRule {
    rule: Rule,
    stats: RuleStats,
}

/// The network of a world.
pub struct Network {
    hosts: Vec<NetHost>,
    by_address: BTreeMap<IpAddr, HostId>,
    links: Links,
    rules: BTreeMap<RuleId, ActiveRule>,
    next_rule: u64,
    queue: BTreeMap<(Duration, u64), Packet>,
    sequence: u64,
    acks: Acks,
    owed: Vec<Packet>,
    outbox: Vec<Packet>,
    trace: Trace,
    stage: Stage,
}

/// Hosts can be added only before the stack is installed on the thread.
enum Stage {
    Building(Box<Net>),
    Running(EnterGuard),
}

impl Network {
    pub(crate) fn new(seed: u64, model: LinkModel, window: Duration, trace: Trace) -> Self {
        let threshold = RETRANSMIT_AFTER.as_nanos().div_ceil(window.as_nanos().max(1)) as u32;
        let config = KernelConfig::default()
            .retx_threshold(threshold.max(1))
            .retx_max(RETRANSMIT_MAX)
            .recv_buf_cap(RECEIVE_BUFFER);
        Self {
            hosts: Vec::new(),
            by_address: BTreeMap::new(),
            links: Links::new(seed, model),
            rules: BTreeMap::new(),
            next_rule: 0,
            queue: BTreeMap::new(),
            sequence: 0,
            acks: Acks::default(),
            owed: Vec::new(),
            outbox: Vec::new(),
            trace,
            stage: Stage::Building(Box::new(Net::with_config(config))),
        }
    }

    /// Adds a rule. It holds for packets that leave from now on.
    pub fn add_rule(&mut self, rule: Rule) -> RuleId {
        let id = RuleId(self.next_rule);
        self.next_rule += 1;
        self.rules.insert(id, ActiveRule { rule, stats: RuleStats::default() });
        id
    }

    /// Removes a rule and says what it did; none if there is no such rule.
    pub fn remove_rule(&mut self, id: RuleId) -> Option<RuleStats> {
        self.rules.remove(&id).map(|active| active.stats)
    }

    /// What a rule has done so far.
    pub fn rule_stats(&self, id: RuleId) -> Option<RuleStats> {
        self.rules.get(&id).map(|active| active.stats)
    }

    /// What a host has sent and got so far.
    pub fn traffic(&self, host: HostId) -> HostTraffic {
        self.hosts[host.index()].traffic
    }

    /// The latency of a link without jitter.
    pub fn base_latency(&mut self, from: HostId, to: HostId) -> Duration {
        self.links.get(from, to).base
    }

    pub(crate) fn address(&self, host: HostId) -> IpAddr {
        self.hosts[host.index()].address
    }

    /// # Panics
    /// After the first boot: the stack takes no more hosts.
    pub(crate) fn add_host(&mut self) -> HostId {
        let Stage::Building(net) = &mut self.stage else { panic!("hosts are added before the first one boots") };
        let index = self.hosts.len() as u32;
        let [_, _, high, low] = (index / HOSTS_PER_NET).to_be_bytes();
        debug_assert_eq!(high, 0, "more than 64000 hosts");
        let address = IpAddr::from([10, 0, low, (index % HOSTS_PER_NET + 1) as u8]);
        let stack = net.add_host(address);
        let host = HostId::from_index(index);
        self.by_address.insert(address, host);
        self.hosts.push(NetHost { stack, address, powered: true, traffic: HostTraffic::default() });
        host
    }

    /// Installs the stack on this thread, once.
    pub(crate) fn start(&mut self) -> &EnterGuard {
        if let Stage::Building(net) = &mut self.stage {
            let net = std::mem::take(&mut **net);
            self.stage = Stage::Running(net.enter());
        }
        match &self.stage {
            Stage::Running(guard) => guard,
            Stage::Building(_) => unreachable!("started above"),
        }
    }

    /// Makes `host` the one whose sockets the thread's calls mean.
    pub(crate) fn set_current(&mut self, host: HostId) {
        let NetHost { stack, address, .. } = self.hosts[host.index()];
        self.start().set_current(stack);
        tcp::set_local_address(address);
    }

    /// Delivers what has arrived by `now`.
    pub(crate) fn deliver_due(&mut self, now: Duration) {
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let packet = entry.remove();
            let Some(to) = self.by_address.get(&packet.dst) else { continue };
            let host = &mut self.hosts[to.index()];
            if !host.powered {
                continue;
            }
            host.traffic.packets_received += 1;
            host.traffic.bytes_received += u64::from(packet.size());
            self.owed.extend(self.acks.owed(&packet));
            if let Stage::Running(guard) = &self.stage {
                if let Some(last) = self.acks.last_of_handshake(&packet).filter(is_half_open) {
                    guard.deliver(last);
                }
                guard.deliver(packet);
            }
        }
    }

    /// Takes what the hosts have sent since the last call and puts it on its way, as sent at `sent_at`.
    pub(crate) fn collect(&mut self, sent_at: Duration, now: Duration) {
        let mut outbox = std::mem::take(&mut self.outbox);
        outbox.append(&mut self.owed);
        self.start().egress_all(&mut outbox);
        self.announce_windows(&mut outbox);
        for packet in outbox.drain(..) {
            self.send(packet, sent_at, now);
        }
        self.outbox = outbox;
    }

    /// Cuts the power of a host whose sockets are closed by now: what they sent does not leave.
    pub(crate) fn power_off(&mut self, host: HostId, now: Duration) {
        self.hosts[host.index()].powered = false;
        self.collect(now, now);
    }

    /// The host's machine comes up: no connection of before is left in its stack.
    pub(crate) fn power_on(&mut self, host: HostId, now: Duration) {
        let address = self.hosts[host.index()].address;
        self.start();
        let flows: Vec<_> = connections(address).map(|(flow, _)| flow).collect();
        if let Stage::Running(guard) = &self.stage {
            flows.iter().for_each(|(local, peer)| guard.deliver(ack::reset((*peer, *local))));
        }
        for (local, peer) in flows {
            self.acks.forget((local, peer));
        }
        // The stack lets go of closed connections when it is asked for packets.
        self.collect(now, now);
        self.hosts[host.index()].powered = true;
    }

    /// Adds announcements for windows that were closed and have room again.
    fn announce_windows(&mut self, outbox: &mut Vec<Packet>) {
        let closed: Vec<_> = self.acks.closed().collect();
        for flow in closed {
            match connections(flow.0.ip()).find(|(other, _)| *other == flow) {
                None => self.acks.forget(flow),
                Some((_, unread)) => {
                    let room = RECEIVE_BUFFER.saturating_sub(unread).min(usize::from(u16::MAX)) as u16;
                    if room >= ack::WINDOW_MIN {
                        outbox.extend(self.acks.reopened(flow, room));
                    }
                }
            }
        }
    }

    fn send(&mut self, packet: Packet, sent_at: Duration, now: Duration) {
        let Some(&from) = self.by_address.get(&packet.src) else { return };
        let host = &mut self.hosts[from.index()];
        if !host.powered {
            return;
        }
        host.traffic.packets_sent += 1;
        host.traffic.bytes_sent += u64::from(packet.size());
        self.acks.sent(&packet);
        let to = self.by_address.get(&packet.dst).copied();
        let arrival = to.and_then(|to| self.arrival(from, to, sent_at)).map(|at| at.max(now));
        record::record(&self.trace, from, &packet, arrival, now);
        if let Some(at) = arrival {
            self.queue.insert((at, self.sequence), packet);
            self.sequence += 1;
        }
    }

    /// When a packet arrives; none if it is lost.
    fn arrival(&mut self, from: HostId, to: HostId, sent_at: Duration) -> Option<Duration> {
        let (jitter, loss) = (self.links.model.jitter, self.links.model.loss);
        let link = self.links.get(from, to);
        // Both are drawn whatever the rules say, so that a rule does not move the draws of later packets.
        let mut late = entropy::duration(&mut link.rng, Duration::ZERO, jitter);
        let lost = entropy::chance(&mut link.rng, loss);
        for active in self.rules.values_mut().filter(|active| active.rule.covers(from, to)) {
            match &active.rule {
                Rule::Block { .. } => {
                    active.stats.dropped += 1;
                    return None;
                }
                Rule::Degrade { delay, jitter, loss, .. } => {
                    let more = *delay + entropy::duration(&mut link.fault_rng, Duration::ZERO, *jitter);
                    if entropy::chance(&mut link.fault_rng, *loss) {
                        active.stats.dropped += 1;
                        return None;
                    }
                    if !more.is_zero() {
                        active.stats.delayed += 1;
                        late += more;
                    }
                }
            }
        }
        let at = sent_at + link.base + late;
        (!lost).then(|| link.arrival(at))
    }
}

/// Whether the receiver of `packet` awaits the end of a handshake with its sender.
fn is_half_open(packet: &Packet) -> bool {
    let Some(((from, to), _)) = ack::segment(packet) else { return false };
    let mut entries = turmoil_net::netstat(packet.dst).entries.into_iter();
    entries.any(|entry| entry.state == Some(NetstatState::SynReceived) && (entry.local, entry.peer) == (to, Some(from)))
}

/// The connections of a host, each with the bytes that its application has not read.
fn connections(address: IpAddr) -> impl Iterator<Item = (ack::Flow, usize)> {
    let open = |state: Option<NetstatState>| state.is_some_and(|state| state != NetstatState::Listen);
    let entries = turmoil_net::netstat(address).entries.into_iter();
    entries
        .filter(move |entry| entry.proto == Proto::Tcp && open(entry.state))
        .filter_map(|entry| Some(((entry.local, entry.peer?), entry.recv_q)))
}
