//! Packets in the trace.

use super::ack;
use crate::{
    host_id::HostId,
    trace::{Fields, Subsystem, Trace},
};
use std::{net::SocketAddr, time::Duration};
use turmoil_net::{Packet, Transport};

/// Records a packet that leaves `from`, and when it arrives if it is not lost.
pub(super) fn record(trace: &Trace, from: HostId, packet: &Packet, arrival: Option<Duration>, now: Duration) {
    let Some(((src, dst), s)) = ack::segment(packet) else { return record_other(trace, from, packet, arrival, now) };
    let flags = [s.flags.syn, s.flags.ack, s.flags.fin, s.flags.rst];
    let fields = |fields: &mut Fields<'_>| {
        fields.number(address_bits(src)).number(address_bits(dst));
        fields.number(u64::from(s.seq) << 32 | u64::from(s.ack)).number(u64::from(s.window));
        fields.bytes(&flags.map(u8::from)).bytes(&s.payload);
        fields.number(arrival.map_or(0, |at| at.as_nanos() as u64));
    };
    trace.event(from, Subsystem::PACKET, now, fields, || {
        let flags: String = "SAFR".chars().zip(flags).filter(|(_, on)| *on).map(|(c, _)| c).collect();
        let fate = arrival.map_or("lost".to_owned(), |at| format!("arrives {:.6}", at.as_secs_f64()));
        format!("{src} > {dst} {flags} seq {} ack {} win {} len {} {fate}", s.seq, s.ack, s.window, s.payload.len())
    });
}

fn record_other(trace: &Trace, from: HostId, packet: &Packet, arrival: Option<Duration>, now: Duration) {
    let Transport::Udp(datagram) = &packet.payload else { return };
    let fields = |fields: &mut Fields<'_>| {
        fields.number(address_bits(SocketAddr::new(packet.src, datagram.src_port)));
        fields.number(address_bits(SocketAddr::new(packet.dst, datagram.dst_port)));
        fields.bytes(&datagram.payload).number(arrival.map_or(0, |at| at.as_nanos() as u64));
    };
    let text = || format!("{} > {} udp len {}", packet.src, packet.dst, datagram.payload.len());
    trace.event(from, Subsystem::PACKET, now, fields, text);
}

/// An IPv4 address and port as a number.
fn address_bits(address: SocketAddr) -> u64 {
    match address {
        SocketAddr::V4(v4) => u64::from(v4.ip().to_bits()) << 16 | u64::from(v4.port()),
        SocketAddr::V6(v6) => u64::from(v6.port()),
    }
}
