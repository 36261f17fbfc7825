//! How a child reads an original that its parent serves on a Unix socket.
//!
//! Media work has neither network nor credentials: it parses hostile bytes. So the path of the
//! original may be a socket. The child connects before it gives up the right to
//! ([`Transcode::reach`](crate::Transcode::reach)), once for each opening that there may be at a time;
//! a connection serves one opening after the other. All numbers are big-endian:
//!
//! ```text
//! server: GREETING, 4 bytes   length of the original, u64                   once, on connecting
//! client: offset, u64         length, u32, at most MAX_BYTES                again and again, one
//! server: status, u8          length, u32      that many bytes              answer for each request
//! ```
//!
//! With status 0 the bytes of the original follow, at least one and at most as many as asked for,
//! none only at or beyond its end. With status 1 follows why they cannot be had, as text of at most
//! [`MAX_MESSAGE`] bytes.

/// What a server says first: the name and version of the protocol.
pub const GREETING: [u8; 4] = *b"vmo1";

/// Most bytes that a request may ask for.
pub const MAX_BYTES: u32 = 4 << 20;

/// Most bytes of an answer's text.
pub const MAX_MESSAGE: u32 = 4096;

/// The other side does not keep to the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// It greets otherwise.
    #[error("it is no server of originals")]
    Greeting,
    /// A request beyond [`MAX_BYTES`], or an answer longer than it may be.
    #[error("{0} bytes in one message")]
    Length(u32),
    /// A status that is not known.
    #[error("unknown status {0}")]
    Status(u8),
}

/// The server's first words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Length of the original in bytes.
    pub bytes: u64,
}

impl Hello {
    /// Its length on the wire.
    pub const SIZE: usize = 12;

    /// As it is sent.
    pub fn encode(self) -> [u8; Self::SIZE] {
        let mut wire = [0; Self::SIZE];
        wire[..4].copy_from_slice(&GREETING);
        wire[4..].copy_from_slice(&self.bytes.to_be_bytes());
        wire
    }

    /// As it was received.
    pub fn decode(wire: [u8; Self::SIZE]) -> Result<Hello, Violation> {
        let [a, b, c, d, length @ ..] = wire;
        match [a, b, c, d] == GREETING {
            true => Ok(Hello { bytes: u64::from_be_bytes(length) }),
            false => Err(Violation::Greeting),
        }
    }
}

/// Asks for a piece of the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Where it begins, in bytes.
    pub offset: u64,
    /// Its length in bytes.
    pub length: u32,
}

impl Request {
    /// Its length on the wire.
    pub const SIZE: usize = 12;

    /// As it is sent.
    pub fn encode(self) -> [u8; Self::SIZE] {
        let mut wire = [0; Self::SIZE];
        wire[..8].copy_from_slice(&self.offset.to_be_bytes());
        wire[8..].copy_from_slice(&self.length.to_be_bytes());
        wire
    }

    /// As it was received.
    pub fn decode(wire: [u8; Self::SIZE]) -> Result<Request, Violation> {
        let [a, b, c, d, e, f, g, h, length @ ..] = wire;
        let offset = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        match u32::from_be_bytes(length) {
            length if length <= MAX_BYTES => Ok(Request { offset, length }),
            length => Err(Violation::Length(length)),
        }
    }
}

/// What an answer begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// That many bytes of the original follow.
    Bytes(u32),
    /// The bytes cannot be had; that many bytes of text follow.
    Failed(u32),
}

impl Answer {
    /// Its length on the wire.
    pub const SIZE: usize = 5;

    /// As it is sent.
    pub fn encode(self) -> [u8; Self::SIZE] {
        let (status, length) = match self {
            Answer::Bytes(length) => (0, length),
            Answer::Failed(length) => (1, length),
        };
        let [a, b, c, d] = length.to_be_bytes();
        [status, a, b, c, d]
    }

    /// As it was received, in answer to a request for `asked` bytes.
    pub fn decode(wire: [u8; Self::SIZE], asked: u32) -> Result<Answer, Violation> {
        let [status, length @ ..] = wire;
        match (status, u32::from_be_bytes(length)) {
            (0, length) if length <= asked => Ok(Answer::Bytes(length)),
            (1, length) if length <= MAX_MESSAGE => Ok(Answer::Failed(length)),
            (0 | 1, length) => Err(Violation::Length(length)),
            (status, _) => Err(Violation::Status(status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_what_arrives() {
        let hello = Hello { bytes: u64::MAX - 1 };
        assert_eq!(Hello::decode(hello.encode()), Ok(hello));
        let request = Request { offset: 1 << 40, length: MAX_BYTES };
        assert_eq!(Request::decode(request.encode()), Ok(request));
        for answer in [Answer::Bytes(7), Answer::Bytes(0), Answer::Failed(MAX_MESSAGE)] {
            assert_eq!(Answer::decode(answer.encode(), 7), Ok(answer));
        }
    }

    #[test]
    fn messages_that_are_too_long_or_strange_are_refused() {
        assert_eq!(Hello::decode(*b"HTTP/1.1 200"), Err(Violation::Greeting));
        let long = Request { offset: 0, length: MAX_BYTES + 1 };
        assert_eq!(Request::decode(long.encode()), Err(Violation::Length(MAX_BYTES + 1)));
        assert_eq!(Answer::decode(Answer::Bytes(8).encode(), 7), Err(Violation::Length(8)));
        let text = Answer::Failed(MAX_MESSAGE + 1);
        assert_eq!(Answer::decode(text.encode(), 7), Err(Violation::Length(MAX_MESSAGE + 1)));
        assert_eq!(Answer::decode([2, 0, 0, 0, 0], 7), Err(Violation::Status(2)));
    }
}
