//! The node's six seams, filled with simulated parts.

use super::files::SimFiles;
use crate::{
    HostId, World,
    disk::Disk,
    memory::HostMemory,
    net::{Tcp, TcpListener, TcpStream},
    world::current_clock,
};
use assay_node::{
    seams::{self, Blocking, Clock, Deliver, HttpListener, Memory, Seams, raw_transport},
    types::Timestamp,
};
use axum::serve::Listener;
use std::{io, net::SocketAddr, time::Duration};

/// How often work that waits for a slow disk looks whether it still is.
const SLOW_LOOK: Duration = Duration::from_secs(1);

/// What of a host outlives its processes, and a node is given.
pub(super) struct Machine {
    disk: Disk,
    memory: HostMemory,
}

impl Machine {
    pub fn of(world: &World, host: HostId) -> Self {
        Self { disk: world.disk(host).clone(), memory: world.memory(host).clone() }
    }
}

/// The seams of the host that is running, which is on `machine`. Binds the API's address.
///
/// # Errors
/// When the address cannot be bound.
pub(super) async fn simulated(machine: Machine, api: SocketAddr) -> io::Result<Seams> {
    let listener = TcpListener::bind(api).await?;
    let Machine { disk, memory } = machine;
    Ok(Seams {
        transport: raw_transport(Tcp::default()),
        http: HttpListener::new(SimHttp(listener)),
        disk: seams::Disk::new(disk.env(), SimFiles(disk.clone())),
        clock: Clock::new(|| {
            let clock = current_clock().expect("a node reads its clock on its own host");
            Timestamp(clock.wall().as_millis() as u64)
        }),
        blocking: blocking(disk),
        memory: Memory::new(move || memory.now()),
    })
}

/// Work is done at once. Its result is handed over when as much virtual time has passed as faults of the disk made it
/// longer; the host goes on meanwhile, as it would beside a thread that waits for the disk.
fn blocking(disk: Disk) -> Blocking {
    Blocking::new(move |work| {
        let deliver = work();
        match disk.take_latency() {
            Duration::ZERO => deliver(),
            latency => drop(tokio::spawn(late(deliver, latency, disk.clone()))),
        }
    })
}

/// The work has been done with the faults that were on when it began. Those of its operations whose turn would come when
/// the disk is no longer slow take no time.
async fn late(deliver: Deliver, latency: Duration, disk: Disk) {
    let mut left = latency;
    while left > Duration::ZERO && disk.is_slow() {
        let part = left.min(SLOW_LOOK);
        tokio::time::sleep(part).await;
        left -= part;
    }
    deliver();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        WorldConfig,
        disk::{Effect, Fault, FileKind, Operation, When},
        world::run_on_fresh_thread,
    };

    #[test]
    fn slow_work_takes_its_hosts_time_and_other_work_goes_on() {
        let said = run_on_fresh_thread("slow", || {
            let mut world = World::new(WorldConfig::new(1)).expect("fresh");
            let host = world.add_host("n0");
            let disk = world.disk(host).clone();
            let effect = Effect::Slow(Duration::from_millis(40));
            let files = [FileKind::Other].into();
            disk.inject(Fault { operation: Operation::Change, files, when: When::Always, effect });
            world.boot(host, move || async move {
                let (start, blocking) = (tokio::time::Instant::now(), blocking(disk.clone()));
                let work = move || disk.create_dir("/a").and_then(|()| disk.create_dir("/b"));
                let slow = async {
                    blocking.run(work).await.expect("slow is not broken");
                    start.elapsed()
                };
                let quick = async {
                    blocking.run(|| ()).await;
                    start.elapsed()
                };
                let (slow, quick) = tokio::join!(slow, quick);
                format!("{} {}", slow.as_millis(), quick.as_millis())
            });
            world.run_until(Duration::from_secs(1)).expect("no panic");
            world.exited(host)
        });
        assert_eq!(said.expect("no panic").as_deref(), Some("80 0"));
    }

    #[test]
    fn slow_work_is_done_soon_after_the_disk_is_in_order() {
        let said = run_on_fresh_thread("slow", || {
            let mut world = World::new(WorldConfig::new(1)).expect("fresh");
            let host = world.add_host("n0");
            let disk = world.disk(host).clone();
            let effect = Effect::Slow(Duration::from_secs(20));
            let files = [FileKind::Other].into();
            let fault = disk.inject(Fault { operation: Operation::Change, files, when: When::Always, effect });
            let slow = disk.clone();
            world.boot(host, move || async move {
                let (start, blocking) = (tokio::time::Instant::now(), blocking(slow.clone()));
                let work = move || slow.create_dir("/a").and_then(|()| slow.create_dir("/b"));
                blocking.run(work).await.expect("slow is not broken");
                start.elapsed().as_secs().to_string()
            });
            world.run_until(Duration::from_secs(5)).expect("no panic");
            disk.remove_fault(fault);
            world.run_until(Duration::from_secs(10)).expect("no panic");
            world.exited(host)
        });
        assert_eq!(said.expect("no panic").as_deref(), Some("5"));
    }
}
