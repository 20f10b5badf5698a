//! The event stream rules on a whole body at once, clause by clause.

/// An event as (name, data, id, retry), or the limit that one passed.
pub type Entry = Result<(Vec<u8>, Vec<u8>, Vec<u8>, Option<u64>), usize>;

/// What came of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stream {
    pub log: Vec<Entry>,
    pub last_event_id: Vec<u8>,
    pub retry: Option<u64>,
    /// The data of a block that no blank line has closed.
    pub open: Option<Vec<u8>>,
}

#[derive(Default)]
struct Block {
    name: Vec<u8>,
    data: Option<Vec<u8>>,
    retry: Option<u64>,
    dropped: bool,
}

/// The stream that `body` is, where an event may hold `limit` bytes of data.
pub fn read(body: &[u8], limit: usize) -> Stream {
    let mut stream = Stream::default();
    let (mut block, mut id) = (Block::default(), Vec::new());
    let (lines, rest) = lines(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body));
    for line in lines {
        if line.is_empty() {
            stream.last_event_id = id.clone();
            let Block { name, data, retry, .. } = std::mem::take(&mut block);
            stream.log.extend(data.map(|data| Ok((name, data, id.clone(), retry))));
        } else if !block.dropped && line[0] != b':' {
            let fits = line.len() <= limit + 6 && enter(&mut block, &mut id, &mut stream.retry, line, limit);
            if !fits {
                stream.log.push(Err(limit));
                block.dropped = true;
                block.data = None;
            }
        }
    }
    if block.dropped || rest.first() == Some(&b':') {
        stream.open = block.data;
    } else if rest.len() > limit + 6 {
        stream.log.push(Err(limit));
    } else {
        let (name, value) = field(rest);
        let unfinished = (name == b"data").then(|| value.to_vec());
        stream.open = match (block.data, unfinished) {
            (Some(data), Some(value)) => Some([data, value].join(&b'\n')),
            (data, value) => data.or(value),
        };
    }
    if stream.log.last() == Some(&Err(limit)) && block.dropped {
        stream.open = None;
    }
    stream
}

/// False if the event is now too large.
fn enter(block: &mut Block, id: &mut Vec<u8>, retry: &mut Option<u64>, line: &[u8], limit: usize) -> bool {
    let (name, value) = field(line);
    match name {
        b"data" => {
            let data = match block.data.take() {
                Some(data) => [&data[..], value].join(&b'\n'),
                None => value.to_vec(),
            };
            let fits = data.len() <= limit;
            block.data = Some(data);
            return fits;
        }
        b"event" => block.name = value.to_vec(),
        b"id" if !value.contains(&0) => *id = value.to_vec(),
        b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
            let digits = String::from_utf8(value.to_vec()).expect("digits");
            if let Ok(ms) = digits.parse() {
                block.retry = Some(ms);
                *retry = Some(ms);
            }
        }
        _ => {}
    }
    true
}

fn field(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(|&byte| byte == b':') {
        None => (line, b""),
        Some(at) if line.get(at + 1) == Some(&b' ') => (&line[..at], &line[at + 2..]),
        Some(at) => (&line[..at], &line[at + 1..]),
    }
}

/// The lines that have ended, and what is left.
fn lines(body: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let (mut lines, mut start, mut at) = (Vec::new(), 0, 0);
    while at < body.len() {
        if body[at] == b'\n' || body[at] == b'\r' {
            lines.push(&body[start..at]);
            if body[at..].starts_with(b"\r\n") {
                at += 1;
            }
            start = at + 1;
        }
        at += 1;
    }
    (lines, &body[start..])
}
