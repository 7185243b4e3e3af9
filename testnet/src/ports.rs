//! Free ports on loopback.

use crate::TestnetError;
use std::net::TcpListener;

/// Finds `count` different ports that nobody listens on. They are held together and let go together; until the nodes have
/// them another process may take one, and then that node says so and ends.
pub fn free(count: usize) -> Result<Vec<u16>, TestnetError> {
    let held = (0..count).map(|_| {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        Ok((listener, port))
    });
    let held: Vec<_> =
        held.collect::<std::io::Result<_>>().map_err(TestnetError::system("cannot find free ports on 127.0.0.1"))?;
    Ok(held.iter().map(|(_, port)| *port).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_differ() {
        let mut ports = free(8).expect("loopback has free ports");
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 8);
    }
}
