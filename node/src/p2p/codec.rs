//! The request-response protocol on the wire: one borsh value each way, with a limit on its length.

use crate::{
    chain::sync::{RANGE_BYTES_MAX, Request, Response},
    types::BLOCK_BYTES_MAX,
};
use borsh::BorshDeserialize;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response};
use std::{io, time::Duration};

/// Bytes of an encoded request, at most: a full locator and some.
pub const REQUEST_BYTES_MAX: u64 = 4096;
/// Bytes of an encoded response, at most: a full range, the block that ends it, and some.
pub const RESPONSE_BYTES_MAX: u64 = (RANGE_BYTES_MAX + BLOCK_BYTES_MAX + 4096) as u64;

/// What borsh says of bytes that end too early; a test holds it to this.
const UNFINISHED: &str = "Unexpected length of input";

/// Time from a request's first byte to its last. It is one packet.
pub const REQUEST_READ_MAX: Duration = Duration::from_secs(5);

/// What a peer's request turned out to be. libp2p tells nobody of a request that cannot be read, so that is one of the
/// outcomes of reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// A request; the only one that can be sent.
    Request(Request),
    /// Bytes that are none.
    Malformed(String),
    /// It was not finished, or not in time.
    Stalled,
}

/// Reads and writes [`Request`] and [`Response`]. The sender closes its side of the stream after the value.
#[derive(Clone, Debug, Default)]
pub(super) struct SyncCodec;

async fn read_request(io: &mut (impl AsyncRead + Unpin + Send)) -> io::Result<Asked> {
    match tokio::time::timeout(REQUEST_READ_MAX, read(io, REQUEST_BYTES_MAX)).await {
        Ok(Ok(request)) => Ok(Asked::Request(request)),
        Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => Ok(Asked::Malformed(error.to_string())),
        Ok(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        Ok(Err(_)) | Err(_) => Ok(Asked::Stalled),
    }
}

async fn read<T: BorshDeserialize>(io: &mut (impl AsyncRead + Unpin + Send), bytes_max: u64) -> io::Result<T> {
    let mut bytes = Vec::new();
    io.take(bytes_max + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > bytes_max {
        let message = format!("a message of more than {bytes_max} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    // It would go on: the peer stopped in the midst of it, as one does that gives up or dies.
    let is_unfinished = |error: &io::Error| error.to_string() == UNFINISHED;
    borsh::from_slice(&bytes).map_err(|error| match is_unfinished(&error) {
        true => io::Error::new(io::ErrorKind::UnexpectedEof, error),
        false => error,
    })
}

async fn write<T: borsh::BorshSerialize>(io: &mut (impl AsyncWrite + Unpin + Send), value: &T) -> io::Result<()> {
    io.write_all(&crate::encode(value)).await?;
    io.close().await
}

impl request_response::Codec for SyncCodec {
    type Protocol = StreamProtocol;
    type Request = Asked;
    type Response = Response;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Asked>
    where
        T: AsyncRead + Unpin + Send,
    {
        read_request(io).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, RESPONSE_BYTES_MAX).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, asked: Asked) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        let Asked::Request(request) = asked else { return Err(io::ErrorKind::InvalidInput.into()) };
        write(io, &request).await
    }

    async fn write_response<T>(&mut self, _: &StreamProtocol, io: &mut T, response: Response) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write(io, &response).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Hash;
    use futures::{executor::block_on, io::Cursor};
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    #[test]
    fn values_come_back() {
        let request = Request::Blocks { locator: vec![Hash([1; 32]), Hash([2; 32])], count: 7 };
        let mut io = Cursor::new(Vec::new());
        block_on(write(&mut io, &request)).expect("memory takes it");
        io.set_position(0);
        assert_eq!(block_on(read::<Request>(&mut io, REQUEST_BYTES_MAX)).expect("it fits"), request);
    }

    #[test]
    fn what_is_too_long_or_no_value_is_refused() {
        let too_long = block_on(read::<Request>(&mut Cursor::new(vec![0; 5000]), REQUEST_BYTES_MAX));
        assert_eq!(too_long.expect_err("it is too long").to_string(), "a message of more than 4096 bytes");
        let unfinished = block_on(read::<Request>(&mut Cursor::new(vec![1, 2, 0, 0, 0, 7]), REQUEST_BYTES_MAX));
        assert_eq!(unfinished.expect_err("two hashes are announced").kind(), io::ErrorKind::UnexpectedEof);
        let garbage = block_on(read::<Request>(&mut Cursor::new(vec![9, 9]), REQUEST_BYTES_MAX));
        assert_eq!(garbage.expect_err("there is no variant 9").kind(), io::ErrorKind::InvalidData);
    }

    /// Never gives a byte.
    struct Silent;

    impl AsyncRead for Silent {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_not_finished_in_time_is_given_up() {
        let start = tokio::time::Instant::now();
        let asked = read_request(&mut Silent).await.expect("it is no failure of the stream");
        assert_eq!((asked, start.elapsed()), (Asked::Stalled, REQUEST_READ_MAX));
        let asked = read_request(&mut Cursor::new(vec![0, 1])).await.expect("memory can be read");
        assert_eq!(asked, Asked::Stalled, "it ends in the midst of a hash");
        let asked = read_request(&mut Cursor::new(vec![9])).await.expect("memory can be read");
        assert!(matches!(asked, Asked::Malformed(_)), "{asked:?}");
    }
}
