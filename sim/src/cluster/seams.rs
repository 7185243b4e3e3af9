//! The node's five seams, filled with simulated parts.

use crate::{
    disk::Disk,
    net::{Tcp, TcpListener, TcpStream},
    world::current_clock,
};
use assay_node::{
    seams::{Blocking, Clock, HttpListener, Seams, raw_transport},
    types::Timestamp,
};
use axum::serve::Listener;
use std::{io, net::SocketAddr};

/// The seams of the host that is running. Binds the API's address.
///
/// # Errors
/// When the address cannot be bound.
pub(super) async fn simulated(disk: &Disk, api: SocketAddr) -> io::Result<Seams> {
    let listener = TcpListener::bind(api).await?;
    Ok(Seams {
        transport: raw_transport(Tcp::default()),
        http: HttpListener::new(SimHttp(listener)),
        disk: disk.env(),
        clock: Clock::new(|| {
            let clock = current_clock().expect("a node reads its clock on its own host");
            Timestamp(clock.wall().as_millis() as u64)
        }),
        blocking: Blocking::new(|work| work()),
    })
}

struct SimHttp(TcpListener);

impl Listener for SimHttp {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            // An error is of one connection, which ended before it was accepted.
            if let Ok(accepted) = self.0.accept().await {
                return accepted;
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
