//! The request-response protocol on the wire: one borsh value each way, with a limit on its length.

use crate::{
    chain::sync::{RANGE_BYTES_MAX, Request, Response},
    types::BLOCK_BYTES_MAX,
};
use borsh::BorshDeserialize;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::{StreamProtocol, request_response};
use std::io;

/// Bytes of an encoded request, at most: a full locator and some.
pub const REQUEST_BYTES_MAX: u64 = 4096;
/// Bytes of an encoded response, at most: a full range, the block that ends it, and some.
pub const RESPONSE_BYTES_MAX: u64 = (RANGE_BYTES_MAX + BLOCK_BYTES_MAX + 4096) as u64;

/// Reads and writes [`Request`] and [`Response`]. The sender closes its side of the stream after the value.
#[derive(Clone, Debug, Default)]
pub(super) struct SyncCodec;

async fn read<T: BorshDeserialize>(io: &mut (impl AsyncRead + Unpin + Send), bytes_max: u64) -> io::Result<T> {
    let mut bytes = Vec::new();
    io.take(bytes_max + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > bytes_max {
        let message = format!("a message of more than {bytes_max} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    borsh::from_slice(&bytes)
}

async fn write<T: borsh::BorshSerialize>(io: &mut (impl AsyncWrite + Unpin + Send), value: &T) -> io::Result<()> {
    io.write_all(&crate::encode(value)).await?;
    io.close().await
}

impl request_response::Codec for SyncCodec {
    type Protocol = StreamProtocol;
    type Request = Request;
    type Response = Response;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Request>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, REQUEST_BYTES_MAX).await
    }

    async fn read_response<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<Response>
    where
        T: AsyncRead + Unpin + Send,
    {
        read(io, RESPONSE_BYTES_MAX).await
    }

    async fn write_request<T>(&mut self, _: &StreamProtocol, io: &mut T, request: Request) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
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
        let garbage = block_on(read::<Request>(&mut Cursor::new(vec![9, 9]), REQUEST_BYTES_MAX));
        assert_eq!(garbage.expect_err("there is no variant 9").kind(), io::ErrorKind::InvalidData);
    }
}
