//! What has arrived of a body and nobody has taken yet.

/// So many bytes are handed out at once. The objects made of more would fall out of the cache, and set off the garbage
/// collector, before anybody looks at the first.
const AT_ONCE: usize = 32 * 1024;

/// Bytes in order: they come at one end and are taken at the other.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// How many of them were handed out.
    taken: usize,
}

impl Inbox {
    /// How many bytes wait.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.taken
    }

    /// Whether none do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets `decode` put more behind those that wait.
    pub fn fill<T>(&mut self, decode: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        if self.taken > self.bytes.len() / 2 {
            self.compact(); // moves less than was handed out since the last time
        }
        decode(&mut self.bytes)
    }

    /// The next bytes: at most 32 KiB.
    pub fn take(&mut self) -> Vec<u8> {
        if self.taken == 0 && self.bytes.len() <= AT_ONCE {
            return std::mem::take(&mut self.bytes);
        }
        let rest = &self.bytes[self.taken..];
        let piece = rest[..rest.len().min(AT_ONCE)].to_vec();
        self.taken += piece.len();
        if self.is_empty() {
            *self = Self::default();
        }
        piece
    }

    /// All that wait, for one who takes off what it has dealt with.
    pub fn all(&mut self) -> &mut Vec<u8> {
        self.compact();
        &mut self.bytes
    }

    fn compact(&mut self) {
        self.bytes.drain(..std::mem::take(&mut self.taken));
    }
}
