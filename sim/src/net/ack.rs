//! Acknowledgements that the TCP of `turmoil-net` 0.1 owes and does not send.
//!
//! RFC 9293 (3.10.7.4) has a receiver answer every segment that it does not accept with an acknowledgement; this stack
//! drops duplicates without a word. Then one lost acknowledgement at the end of a transfer kills the connection: the
//! sender repeats itself until it gives up. Nor does it announce a window that opens again in small steps (3.8.6.2.2),
//! so that a sender which has filled it waits for ever. And a connection that is reset before it is set up keeps its
//! address for ever. [`Acks`] watches the packets that leave and says which are missing. It is pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};
use turmoil_net::{Packet, TcpFlags, TcpSegment, Transport};

/// Connections watched at most; beyond, those with the lowest addresses are forgotten.
const WATCHED_MAX: usize = 65_536;
/// A window below this is taken for closed: two full segments on an Ethernet.
pub const WINDOW_MIN: u16 = 2 * 1460;

/// One direction of a connection: who sends to whom.
pub type Flow = (SocketAddr, SocketAddr);

/// What a sender said last.
#[derive(Clone, Copy)]
struct Said {
    next: u32,
    ack: u32,
    window: u16,
}

/// What has been acknowledged, by flow of the acknowledgements.
#[derive(Default)]
pub struct Acks {
    said: BTreeMap<Flow, Said>,
    closed: BTreeSet<Flow>,
    /// What the last handshake of each flow awaits from the other side, by flow of the side that was called.
    called: BTreeMap<Flow, u32>,
}

/// The flow and segment of a TCP packet.
pub fn segment(packet: &Packet) -> Option<(Flow, &TcpSegment)> {
    let Transport::Tcp(s) = &packet.payload else { return None };
    Some(((SocketAddr::new(packet.src, s.src_port), SocketAddr::new(packet.dst, s.dst_port)), s))
}

/// The sequence number after a segment.
fn end(s: &TcpSegment) -> u32 {
    s.seq.wrapping_add(s.payload.len() as u32).wrapping_add(u32::from(s.flags.syn)).wrapping_add(u32::from(s.flags.fin))
}

/// True if `a` is `b` or comes after it, around the wrap.
fn reaches(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) < 1 << 31
}

impl Acks {
    /// Takes note of a packet that leaves its host.
    pub fn sent(&mut self, packet: &Packet) {
        let Some((flow, s)) = segment(packet) else { return };
        let back = (flow.1, flow.0);
        if s.flags.syn && s.flags.ack {
            self.called.insert(flow, end(s));
            while self.called.len() > WATCHED_MAX {
                self.called.pop_first();
            }
        }
        if s.flags.rst || (s.flags.syn && !s.flags.ack) {
            for flow in [flow, back] {
                self.said.remove(&flow);
                self.closed.remove(&flow);
            }
            return;
        }
        let next = match self.said.get(&flow) {
            Some(said) if reaches(said.next, end(s)) && !s.flags.syn => said.next,
            _ => end(s),
        };
        self.said.insert(flow, Said { next, ack: s.ack, window: s.window });
        match s.window < WINDOW_MIN {
            true => self.closed.insert(flow),
            false => self.closed.remove(&flow),
        };
        while self.said.len() > WATCHED_MAX {
            if let Some((flow, _)) = self.said.pop_first() {
                self.closed.remove(&flow);
            }
        }
    }

    /// The answer to a packet that was just delivered, if its receiver has acknowledged all of it before and so will
    /// say nothing.
    pub fn owed(&self, packet: &Packet) -> Option<Packet> {
        let (flow, s) = segment(packet)?;
        if s.flags.rst || end(s) == s.seq {
            return None;
        }
        let back = (flow.1, flow.0);
        let said = self.said.get(&back)?;
        reaches(said.ack, end(s)).then(|| acknowledge(back, *said))
    }

    /// What to deliver before a reset that ends a handshake, so that the called side takes the connection up and its
    /// application closes it. The stack forgets a connection that is reset before it is set up but not its address, which
    /// then cannot be bound again. `None` when `packet` is no reset or no handshake is known.
    pub fn last_of_handshake(&self, packet: &Packet) -> Option<Packet> {
        let (flow, s) = segment(packet).filter(|(_, s)| s.flags.rst)?;
        let awaited = *self.called.get(&(flow.1, flow.0))?;
        Some(acknowledge(flow, Said { next: s.seq, ack: awaited, window: u16::MAX }))
    }

    /// The flows whose last announcement was a closed window.
    pub fn closed(&self) -> impl Iterator<Item = Flow> + '_ {
        self.closed.iter().copied()
    }

    /// The announcement that a flow's window is open again. None if nothing is known of the flow.
    pub fn reopened(&self, flow: Flow, window: u16) -> Option<Packet> {
        self.said.get(&flow).map(|said| acknowledge(flow, Said { window, ..*said }))
    }

    /// Nothing is known of the flow any more.
    pub fn forget(&mut self, flow: Flow) {
        self.said.remove(&flow);
        self.closed.remove(&flow);
    }
}

fn acknowledge((src, dst): Flow, said: Said) -> Packet {
    let flags = TcpFlags { ack: true, ..TcpFlags::default() };
    let segment = TcpSegment {
        src_port: src.port(),
        dst_port: dst.port(),
        seq: said.next,
        ack: said.ack,
        flags,
        window: said.window,
        payload: bytes::Bytes::new(),
    };
    Packet { src: src.ip(), dst: dst.ip(), ttl: TTL, payload: Transport::Tcp(segment) }
}

const TTL: u8 = 64;

/// A reset from `src` to `dst`, as it would come from a host that knows no such connection.
pub fn reset((src, dst): Flow) -> Packet {
    let said = Said { next: 0, ack: 0, window: 0 };
    let mut packet = acknowledge((src, dst), said);
    if let Transport::Tcp(segment) = &mut packet.payload {
        segment.flags.rst = true;
    }
    packet
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(from: u16, to: u16, seq: u32, ack: u32, len: usize, window: u16) -> Packet {
        let flow = (SocketAddr::from(([10, 0, 0, 1], from)), SocketAddr::from(([10, 0, 0, 2], to)));
        let mut packet = acknowledge(flow, Said { next: seq, ack, window });
        if let Transport::Tcp(segment) = &mut packet.payload {
            segment.payload = vec![0; len].into();
        }
        packet
    }

    fn reply(ack: u32, window: u16) -> Packet {
        let mut packet = packet(2, 1, 500, ack, 0, window);
        std::mem::swap(&mut packet.src, &mut packet.dst);
        packet
    }

    #[test]
    fn a_segment_that_was_acknowledged_before_is_answered_again() {
        let mut acks = Acks::default();
        let data = packet(1, 2, 100, 500, 10, 9000);
        assert!(acks.owed(&data).is_none(), "nothing is known yet");
        acks.sent(&reply(105, 9000));
        assert!(acks.owed(&data).is_none(), "half of it is new: the stack answers");
        acks.sent(&reply(110, 9000));
        let answer = acks.owed(&data).expect("a duplicate");
        let (_, s) = segment(&answer).expect("tcp");
        assert_eq!((answer.src, s.ack, s.seq), (data.dst, 110, 500));
        assert!(acks.owed(&packet(1, 2, 100, 500, 0, 9000)).is_none(), "acknowledgements are not acknowledged");
    }

    #[test]
    fn a_closed_window_is_remembered_until_it_opens() {
        let mut acks = Acks::default();
        acks.sent(&reply(110, WINDOW_MIN - 1));
        let flow = acks.closed().next().expect("closed");
        let (_, s) = segment(&acks.reopened(flow, 4000).expect("known")).map(|(f, s)| (f, s.clone())).expect("tcp");
        assert_eq!((s.window, s.ack), (4000, 110));
        acks.sent(&reply(110, 9000));
        assert_eq!(acks.closed().count(), 0);
    }

    #[test]
    fn sequence_numbers_wrap() {
        assert!(reaches(3, u32::MAX - 3) && !reaches(u32::MAX - 3, 3) && reaches(7, 7));
    }
}
