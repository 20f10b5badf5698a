//! The framer: what it keeps of a stream, and the loop over its lines.

use memchr::{memchr, memchr2};

use super::{Event, TooLarge, field};
use crate::scan::starts_with;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The longest prefix that a `data` line puts before its value.
const DATA_PREFIX: usize = b"data: ".len();

/// How a block may end behind its data. After two CRs, a LF would still belong to the second.
const CLOSINGS: [&[u8]; 2] = [b"\n\n", b"\r\n\r\n"];

/// Longer openings are not remembered, in bytes.
const MAX_OPENING: usize = 256;

/// Buffers that grew beyond this many bytes are given back after the event that needed them.
const KEPT_CAPACITY: usize = 64 * 1024;

/// Where the data of the open block lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Data {
    /// No `data` line so far.
    None,
    /// In the framer's `data` buffer, from this offset on.
    Kept(usize),
    /// The event was too large: skip everything up to the blank line.
    Dropped,
}

/// Turns chunks into events, one stream each.
#[derive(Debug)]
pub struct Framer {
    max_event_size: usize,
    /// Bytes of the leading BOM seen so far, or `BOM.len()` once the question is settled.
    bom: usize,
    /// The last line ended in CR at the end of a chunk: a LF that follows belongs to it.
    after_cr: bool,
    /// The line that is not finished yet.
    line: Vec<u8>,
    data: Vec<u8>,
    state: Data,
    /// The event name given last, of this block if `named`: streams seldom change it.
    name: Vec<u8>,
    named: bool,
    /// Nothing of the open block has come yet.
    fresh: bool,
    /// What stood before and behind the data of the last block that was nothing but a name and one `data` line.
    opening: Vec<u8>,
    closing: &'static [u8],
    /// Where in the opening the `data` line starts.
    data_at: usize,
    block_retry: Option<u64>,
    id: Vec<u8>,
    /// `id` is not that of the last block.
    new_id: bool,
    last_event_id: Vec<u8>,
    retry: Option<u64>,
    /// The event handed out last is still in the buffers.
    dispatched: bool,
    scanned: u64,
}

impl Framer {
    /// A framer for one stream. `max_event_size` limits the data of one event, in bytes.
    pub fn new(max_event_size: usize) -> Self {
        Self {
            max_event_size,
            bom: 0,
            after_cr: false,
            line: Vec::new(),
            data: Vec::new(),
            state: Data::None,
            name: Vec::new(),
            named: false,
            fresh: true,
            opening: Vec::new(),
            closing: CLOSINGS[0],
            data_at: 0,
            block_retry: None,
            id: Vec::new(),
            new_id: false,
            last_event_id: Vec::new(),
            retry: None,
            dispatched: false,
            scanned: 0,
        }
    }

    /// The id of the last dispatched block that had one; empty before.
    pub fn last_event_id(&self) -> &[u8] {
        &self.last_event_id
    }

    /// The reconnection time in ms that the stream set last.
    pub fn retry(&self) -> Option<u64> {
        self.retry
    }

    /// How many bytes the search for line ends has looked at: the measure of linear time.
    pub fn scanned(&self) -> u64 {
        self.scanned
    }

    /// The data received of a block that no blank line has closed, if there is any.
    ///
    /// At the end of the bytes such a block is not an event (clause 9.2.6: "discard").
    pub fn open_data(&self) -> Option<Vec<u8>> {
        if self.dispatched {
            return None;
        }
        let unfinished = match field(&self.line) {
            (b"data", value) => Some(value),
            _ => None,
        };
        match (self.state, unfinished) {
            (Data::Dropped, _) | (Data::None, None) => None,
            (Data::None, Some(value)) => Some(value.to_vec()),
            (Data::Kept(at), None) => Some(self.data[at..].to_vec()),
            (Data::Kept(at), Some(value)) => Some([&self.data[at..], b"\n", value].concat()),
        }
    }

    /// The data of the next event, if it is foreseen: its block opens and closes as one before it did, and `expect`
    /// tells how many of the bytes before it are the data, without a search for their end. `expect` may err, but not
    /// take a line end for data. `None` leaves the event to [`Framer::next`].
    #[inline]
    pub fn expected<'c>(
        &mut self,
        input: &mut &'c [u8],
        expect: impl FnOnce(&[u8]) -> Option<usize>,
    ) -> Option<&'c [u8]> {
        if self.dispatched {
            self.reset_block();
        }
        if !self.opens_as_before(input) {
            return None;
        }
        let ahead = &input[self.opening.len()..];
        if ahead.first() == Some(&b' ') {
            return None; // behind a colon, it would not be data
        }
        let len = expect(ahead)?;
        let rest = ahead.get(len..)?.strip_prefix(self.closing)?;
        if len > self.max_event_size {
            return None;
        }
        self.scanned += (input.len() - rest.len()) as u64;
        self.after_cr = false;
        *input = rest;
        Some(&ahead[..len])
    }

    #[inline(always)]
    fn opens_as_before(&self, input: &[u8]) -> bool {
        self.fresh && !self.opening.is_empty() && starts_with(input, &self.opening)
    }

    /// The next event that `input` completes; what was consumed is cut off the front of `input`.
    ///
    /// `None` means that all of `input` was consumed and an unfinished tail is kept. After `TooLarge` the framer
    /// stands behind the point where the limit was passed, and goes on with the block after this one.
    pub fn next<'s, 'c: 's>(&'s mut self, input: &mut &'c [u8]) -> Result<Option<Event<'s>>, TooLarge> {
        if self.dispatched {
            self.reset_block();
        }
        if self.bom < BOM.len() {
            self.skip_bom(input);
        }
        // Where the block starts, as long as it has none but `event` and `data` lines, and may be news.
        let mut plain = self.fresh.then_some(*input);
        if self.opens_as_before(input) {
            // The name is known, and is not searched.
            plain = None;
            self.scanned += self.data_at as u64;
            self.named = self.data_at > 0;
            self.after_cr = false;
            *input = &input[self.data_at..];
        }
        // The first `data` value while it can still be borrowed from the chunk.
        let mut borrowed: Option<&'c [u8]> = None;
        while let Some(&first) = input.first() {
            self.fresh = false;
            if self.after_cr {
                self.after_cr = false;
                if first == b'\n' {
                    *input = &input[1..];
                    plain = None;
                    continue;
                }
            }
            // A blank line is every third one: no search.
            let end = if first == b'\n' { Some(0) } else { memchr2(b'\n', b'\r', input) };
            let Some(end) = end else {
                self.scanned += input.len() as u64;
                let tail = std::mem::take(input);
                self.keep_data(borrowed);
                return self.keep_tail(tail).map(|()| None);
            };
            self.scanned += end as u64 + 1;
            let line = &input[..end];
            let ending = match input.get(end..end + 2) {
                Some(b"\r\n") => 2,
                _ => 1,
            };
            self.after_cr = ending == 1 && input[end] == b'\r';
            *input = &input[end + ending..];

            if !self.line.is_empty() {
                self.line.extend_from_slice(line);
                self.end_kept_line()?;
            } else if line.is_empty() {
                if self.end_block(borrowed.is_some()) {
                    if let (Some(start), Some(data)) = (plain, borrowed) {
                        self.note_opening(&start[..start.len() - input.len()], data);
                    }
                    return Ok(Some(self.event(borrowed)));
                }
                plain = Some(*input);
            } else if self.state == Data::Dropped {
                // Skipped up to the blank line.
            } else if self.is_too_long(line) {
                return Err(self.drop_block());
            } else {
                match field(line) {
                    (b"data", value) if self.state == Data::None && borrowed.is_none() => {
                        if value.len() > self.max_event_size {
                            return Err(self.drop_block());
                        }
                        borrowed = Some(value);
                    }
                    (b"data", value) => {
                        self.keep_data(borrowed.take());
                        self.append_data(value)?;
                    }
                    (name, value) => {
                        plain = plain.filter(|_| name == b"event");
                        self.set_field(name, value);
                    }
                }
            }
        }
        self.keep_data(borrowed);
        Ok(None)
    }

    /// Remembers what stood around the data of a plain block.
    fn note_opening(&mut self, block: &[u8], data: &[u8]) {
        let at = data.as_ptr() as usize - block.as_ptr() as usize;
        let (opening, closing) = (&block[..at], &block[at + data.len()..]);
        let line = [b"data: ".as_slice(), b"data:"].into_iter().find(|line| opening.ends_with(line));
        let closing = CLOSINGS.into_iter().find(|&known| known == closing);
        if let (Some(line), Some(closing), ..MAX_OPENING) = (line, closing, at) {
            self.data_at = at - line.len();
            self.opening.clear();
            self.opening.extend_from_slice(opening);
            self.closing = closing;
        }
    }

    /// "Strip one leading U+FEFF" (clause 9.2.5), whatever pieces it comes in.
    fn skip_bom(&mut self, input: &mut &[u8]) {
        while let Some(&byte) = input.first() {
            if byte != BOM[self.bom] {
                self.line.extend_from_slice(&BOM[..self.bom]);
                self.fresh &= self.bom == 0; // these bytes are the start of the first line
                self.bom = BOM.len();
                return;
            }
            *input = &input[1..];
            self.bom += 1;
            if self.bom == BOM.len() {
                return;
            }
        }
    }

    fn keep_tail(&mut self, tail: &[u8]) -> Result<(), TooLarge> {
        if self.line.len() + tail.len() > self.line.capacity() {
            // Fourfold, not twofold: a third of the copies.
            let more = 3 * self.line.len();
            self.line.reserve(tail.len() + more.min(self.max_event_size.saturating_sub(self.line.len())));
        }
        self.line.extend_from_slice(tail);
        if self.line[0] == b':' || self.state == Data::Dropped {
            // Of these nothing matters but that the line is not blank.
            self.line.clear();
            self.line.push(b':');
        } else if self.is_too_long(&self.line) {
            let error = self.drop_block();
            self.line = vec![b':'];
            return Err(error);
        }
        Ok(())
    }

    fn is_too_long(&self, line: &[u8]) -> bool {
        line.len() > self.max_event_size.saturating_add(DATA_PREFIX) && line[0] != b':'
    }

    /// The kept line is complete. Its buffer becomes the data buffer where it can: no second copy of a long value.
    fn end_kept_line(&mut self) -> Result<(), TooLarge> {
        let mut line = std::mem::take(&mut self.line);
        if self.is_too_long(&line) {
            return Err(self.drop_block());
        }
        match field(&line) {
            (b"data", value) if self.state == Data::None => {
                if value.len() > self.max_event_size {
                    return Err(self.drop_block());
                }
                self.state = Data::Kept(line.len() - value.len());
                std::mem::swap(&mut self.data, &mut line);
            }
            (b"data", value) => self.append_data(value)?,
            (name, value) => self.set_field(name, value),
        }
        line.clear();
        self.line = line;
        Ok(())
    }

    fn keep_data(&mut self, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.data.clear();
            self.data.extend_from_slice(value);
            self.state = Data::Kept(0);
        }
    }

    fn append_data(&mut self, value: &[u8]) -> Result<(), TooLarge> {
        if let Data::Kept(at) = self.state {
            if self.data.len() - at + 1 + value.len() > self.max_event_size {
                return Err(self.drop_block());
            }
            self.data.push(b'\n');
            self.data.extend_from_slice(value);
        }
        Ok(())
    }

    fn set_field(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"event" => {
                if self.name.len() != value.len() || !starts_with(&self.name, value) {
                    self.name.clear();
                    self.name.extend_from_slice(value);
                    self.opening.clear(); // it gives the old name
                }
                self.named = true;
            }
            b"id" if memchr(0, value).is_none() => {
                self.new_id = true;
                self.id.clear();
                self.id.extend_from_slice(value);
            }
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                // Digits beyond 64 bits are no time that anyone can wait: ignored.
                let ms = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
                if ms.is_some() {
                    self.block_retry = ms;
                    self.retry = ms;
                }
            }
            _ => {}
        }
    }

    /// A blank line: "dispatch the event". True if there is one; without a `data` line there is none.
    fn end_block(&mut self, borrowed: bool) -> bool {
        if self.new_id {
            self.new_id = false;
            self.last_event_id.clone_from(&self.id);
        }
        let event = borrowed || matches!(self.state, Data::Kept(_));
        if event {
            self.dispatched = true;
        } else {
            self.reset_block();
        }
        event
    }

    fn event<'s>(&'s self, borrowed: Option<&'s [u8]>) -> Event<'s> {
        let data = match (borrowed, self.state) {
            (Some(value), _) => value,
            (None, Data::Kept(at)) => &self.data[at..],
            (None, _) => &[],
        };
        Event {
            name: if self.named { &self.name } else { &[] },
            data,
            id: &self.last_event_id,
            retry: self.block_retry,
        }
    }

    fn reset_block(&mut self) {
        self.dispatched = false;
        self.fresh = true;
        self.block_retry = None;
        self.named = false;
        if std::mem::replace(&mut self.state, Data::None) != Data::None || self.line.capacity() > KEPT_CAPACITY {
            for buffer in [&mut self.data, &mut self.line] {
                buffer.clear();
                if buffer.capacity() > KEPT_CAPACITY {
                    // Freed, not shrunk: glibc then serves the next large one from pages that it has. Shrunk, each one
                    // of 1 MB came with 259 page faults.
                    *buffer = Vec::new();
                }
            }
        }
    }

    #[cold]
    fn drop_block(&mut self) -> TooLarge {
        self.state = Data::Dropped;
        self.data = Vec::new();
        TooLarge { limit: self.max_event_size }
    }
}
