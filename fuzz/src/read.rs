//! Streams as the core reads them.

use eugpt_fast::json::shape::Filling;
use eugpt_fast::json::shapes::Shapes;
use eugpt_fast::responses::Account;
use eugpt_fast::sse::{Framer, TooLarge};

use crate::framing::{Entry, Stream};

/// What the framer makes of these chunks.
pub fn read(chunks: &[&[u8]], limit: usize) -> Stream {
    let mut framer = Framer::new(limit);
    let mut log = Vec::new();
    for mut chunk in chunks.iter().copied() {
        while step(&mut framer, &mut chunk, &mut log) {}
        assert!(chunk.is_empty(), "a chunk is consumed to its end");
    }
    let bytes: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    assert!(framer.scanned() <= bytes as u64, "no byte is scanned twice");
    Stream { log, last_event_id: framer.last_event_id().to_vec(), retry: framer.retry(), open: framer.open_data() }
}

fn step(framer: &mut Framer, chunk: &mut &[u8], log: &mut Vec<Entry>) -> bool {
    match framer.next(chunk) {
        Ok(None) => return false,
        Ok(Some(event)) => {
            log.push(Ok((event.name.to_vec(), event.data.to_vec(), event.id.to_vec(), event.retry)));
        }
        Err(TooLarge { limit }) => log.push(Err(limit)),
    }
    true
}

/// The data of every event, or the limit that one passed, read with what `shapes` foresees.
pub fn foresee(chunks: &[&[u8]], limit: usize, shapes: &mut Shapes, mut each: impl FnMut(Seen<'_>)) -> Framer {
    let mut framer = Framer::new(limit);
    let mut fillings = Vec::new();
    for mut chunk in chunks.iter().copied() {
        loop {
            if let Some(data) = framer.expected(&mut chunk, |ahead| shapes.find(ahead, &mut fillings)) {
                each(Seen::Foreseen(data, shapes, &fillings));
                continue;
            }
            match framer.next(&mut chunk) {
                Ok(None) => break,
                Ok(Some(event)) if shapes.find(event.data, &mut fillings) == Some(event.data.len()) => {
                    each(Seen::Foreseen(event.data, shapes, &fillings));
                }
                Ok(Some(event)) => each(Seen::Read(event.data, shapes)),
                Err(TooLarge { limit }) => each(Seen::TooLarge(limit)),
            }
        }
    }
    framer
}

/// How an event came.
pub enum Seen<'a> {
    /// It is the shape found last, with this in its holes.
    Foreseen(&'a [u8], &'a Shapes, &'a [Filling]),
    /// It is none that was expected, and may be learned.
    Read(&'a [u8], &'a mut Shapes),
    TooLarge(usize),
}

/// The account without its index, which has no order.
pub fn told(account: &Account) -> String {
    let Account { events, progress, text, refusal, reasoning, reasoning_summary, arguments, .. } = account;
    let sequence = (account.last_sequence_number, account.gaps, account.repeats, account.reorders);
    let texts = (text, refusal, reasoning, reasoning_summary, arguments, &account.response_id);
    format!("{events} {progress} {texts:?} {sequence:?}")
}
