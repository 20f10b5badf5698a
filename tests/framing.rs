//! The framer without an interpreter: the rules, any chunking, and time and copies that are counted.

use std::ops::Range;

use eugpt_fast::sse::{Framer, TooLarge};

const LIMIT: usize = 64 << 20;

/// What came of a stream: events as (name, data, id, retry), or the limit that one passed.
type Log = Vec<Result<(String, String, String, Option<u64>), usize>>;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn drain(framer: &mut Framer, mut chunk: &[u8], log: &mut Log) {
    loop {
        match framer.next(&mut chunk) {
            Ok(None) => break,
            Ok(Some(event)) => log.push(Ok((text(event.name), text(event.data), text(event.id), event.retry))),
            Err(TooLarge { limit }) => log.push(Err(limit)),
        }
    }
    assert!(chunk.is_empty(), "a chunk is consumed to its end");
}

fn read(framer: &mut Framer, chunks: &[&[u8]]) -> Log {
    let mut log = Log::new();
    for chunk in chunks {
        drain(framer, chunk, &mut log);
    }
    log
}

fn data_of(body: &[u8]) -> Vec<String> {
    read(&mut Framer::new(LIMIT), &[body]).into_iter().map(|event| event.expect("no limit is passed").1).collect()
}

fn inside(inner: &[u8], outer: &[u8]) -> bool {
    let Range { start, end } = outer.as_ptr_range();
    inner.as_ptr_range().start >= start && inner.as_ptr_range().end <= end
}

#[test]
fn the_examples_of_the_standard() {
    assert_eq!(data_of(b"data: YHOO\ndata: +2\ndata: 10\n\n"), ["YHOO\n+2\n10"]);
    assert_eq!(data_of(b"data\n\ndata\ndata\n\ndata:"), ["", "\n"]);
    assert_eq!(data_of(b"data:test\n\ndata: test\n\n"), ["test", "test"]);
    let body = b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n";
    let ids: Vec<_> = read(&mut Framer::new(LIMIT), &[body]).into_iter().map(|event| event.unwrap().2).collect();
    assert_eq!(ids, ["1", "", ""]);
    assert_eq!(data_of(body), ["first event", "second event", " third event"]);
}

#[test]
fn lines_end_at_lf_cr_and_crlf_and_at_nothing_else() {
    for end in ["\n", "\r", "\r\n"] {
        let body = "data: a\u{2028}b\u{2029}\u{85}\u{b}\u{c}|data: c||data: d||".replace('|', end);
        assert_eq!(data_of(body.as_bytes()), ["a\u{2028}b\u{2029}\u{85}\u{b}\u{c}\nc", "d"]);
    }
}

#[test]
fn one_leading_bom_is_removed() {
    assert_eq!(data_of(b"\xEF\xBB\xBFdata: a\n\n"), ["a"]);
    assert_eq!(data_of(b"\xEF\xBB\xBF\xEF\xBB\xBFdata: a\n\ndata: b\n\n"), ["b"]);
    assert_eq!(data_of(b"\xEF\xBBdata: a\n\ndata: b\n\n"), ["b"]);
}

#[test]
fn name_id_and_retry_are_those_of_the_standard() {
    let body = b"event: e\nid: 1\nretry: 007\ndata: a\n\nid: x\0\nretry: +5\ndata: b\n\n";
    let mut framer = Framer::new(LIMIT);
    let event = |name: &str, data: &str, retry| Ok((name.into(), data.into(), "1".into(), retry));
    assert_eq!(read(&mut framer, &[body]), [event("e", "a", Some(7)), event("", "b", None)]);
    assert_eq!((framer.last_event_id(), framer.retry()), (b"1".as_slice(), Some(7)));
}

#[test]
#[cfg_attr(miri, ignore = "too much for Miri")]
fn every_two_cuts_give_the_same() {
    let bodies: [&[u8]; 4] = [
        b"\xEF\xBB\xBFdata: a\r\ndata: b\r\n\r\ndata:c\r\rid: 1\n\r",
        b": c\nevent: e\ndata\ndata: \xC3\xA9\n\nretry: 5\n\ndata: d",
        b"data: 123456789\nid: 5\nretry: 6\ndata: x\n\ndata: a\n\n",
        b"data: 1234\ndata: 5678\nevent: e\n\nother: 123456789012345\n\ndata: b\n\n",
    ];
    for body in bodies {
        let mut whole = Framer::new(8);
        let expected = read(&mut whole, &[body]);
        for first in 0..body.len() {
            for second in first..body.len() {
                let mut framer = Framer::new(8);
                let chunks = [&body[..first], &body[first..second], &body[second..]];
                assert_eq!(read(&mut framer, &chunks), expected, "{chunks:?}");
                assert_eq!(framer.last_event_id(), whole.last_event_id());
                assert_eq!(framer.retry(), whole.retry());
                assert_eq!(framer.open_data(), whole.open_data());
            }
        }
    }
}

#[test]
fn a_block_left_open_is_no_event_but_its_data_is_told() {
    let open = |body: &[u8]| {
        let mut framer = Framer::new(LIMIT);
        read(&mut framer, &[b"data: a\n\n", body]);
        framer.open_data()
    };
    assert_eq!(open(b""), None);
    assert_eq!(open(b"data: b"), Some(b"b".to_vec()));
    assert_eq!(open(b"data: b\n"), Some(b"b".to_vec()));
    assert_eq!(open(b"data: b\ndata: c"), Some(b"b\nc".to_vec()));
    assert_eq!(open(b"data"), Some(Vec::new()));
    assert_eq!(open(b"dat"), None);
    assert_eq!(open(b"id: 1\nevent: x"), None);
}

#[test]
fn the_limit_is_exact_and_the_events_around_survive() {
    for (body, fits) in [
        (b"data: 12345678\n\n".as_slice(), true),
        (b"data: 123456789\n\n", false),
        (b"data: 1234\ndata: 567\n\n", true),
        (b"data: 1234\ndata: 5678\n\n", false),
        (b"data: 1\n: a comment of any length\n\n", true),
    ] {
        let stream = [b"data: a\n\n", body, b"data: b\n\n"].concat();
        let log = read(&mut Framer::new(8), &[&stream]);
        assert_eq!(log.len(), 3);
        assert_eq!(log[1].is_ok(), fits);
        assert_eq!(log[2].as_ref().expect("the event behind").1, "b");
        if !fits {
            assert_eq!(log[1], Err(8));
        }
    }
}

// Events that are foreseen.

/// As `read`, by a caller who expects the data to have the length that `expect` names, whatever it is.
fn read_expecting(framer: &mut Framer, chunks: &[&[u8]], expect: impl Fn(&[u8]) -> Option<usize>) -> (Log, usize) {
    let (mut log, mut foreseen) = (Log::new(), 0);
    for mut chunk in chunks.iter().copied() {
        loop {
            if let Some(data) = framer.expected(&mut chunk, &expect) {
                foreseen += 1;
                log.push(Ok((String::new(), text(data), String::new(), None)));
                continue;
            }
            match framer.next(&mut chunk) {
                Ok(None) => break,
                Ok(Some(event)) => log.push(Ok((String::new(), text(event.data), String::new(), None))),
                Err(TooLarge { limit }) => log.push(Err(limit)),
            }
        }
    }
    (log, foreseen)
}

fn data_only(log: Log) -> Log {
    log.into_iter().map(|entry| entry.map(|(_, data, ..)| (String::new(), data, String::new(), None))).collect()
}

#[test]
#[cfg_attr(miri, ignore = "too much for Miri")]
fn what_is_foreseen_is_what_would_have_been_found() {
    let bodies: [&[u8]; 9] = [
        b"data: abc\n\ndata: abc\n\ndata: abc\n\n",
        b"event: e\ndata: abc\n\nevent: e\ndata: abc\n\nevent: f\ndata: abc\n\nevent: f\ndata: abc\n\n",
        b"data: abc\r\n\r\ndata: abc\r\n\r\ndata: abc\n\ndata: abc\r\r\ndata: abc\r\n\r\n",
        b"data:abc\n\ndata:abc\n\ndata: abc\n\ndata:abc\n\n",
        b"data: abc\n\ndata: abcd\n\ndata: ab\n\ndata: abc \n\ndata: abc\ndata: abc\n\ndata: abc\n\n",
        b"data: abc\n\n: c\ndata: abc\n\nid: 1\ndata: abc\n\ndata: abc\nid: 2\n\ndata: abc\n\n",
        b"\xEF\xBB\xBFdata: abc\n\ndata: abc\n\ndata: 123456789\n\ndata: abc\n\nretry: 1\n\ndata: abc\n\n",
        b"event: e\ndata: abc\n\ndata: abc\n\nevent: e\nevent: f\ndata: abc\n\nevent: f\ndata: abc\n\n",
        b"data\n\ndata\n\ndata: abc\n\ndata\n\ndata: abc\nevent: e\n\ndata: abc\n\n",
    ];
    let mut foreseen = 0;
    for body in bodies {
        for cut in 0..=body.len() {
            let chunks = [&body[..cut], &body[cut..]];
            let mut searching = Framer::new(8);
            let expected = data_only(read(&mut searching, &chunks));
            for len in 0..6 {
                let mut framer = Framer::new(8);
                // Like a caller who compares: it takes no line end for data.
                let expect = |ahead: &[u8]| (!ahead.iter().take(len).any(|byte| b"\r\n".contains(byte))).then_some(len);
                let (log, hits) = read_expecting(&mut framer, &chunks, expect);
                assert_eq!(log, expected, "{chunks:?}, expecting {len} bytes");
                assert_eq!(framer.open_data(), searching.open_data());
                assert_eq!(framer.last_event_id(), searching.last_event_id());
                assert!(framer.scanned() <= body.len() as u64);
                foreseen += hits;
            }
        }
    }
    assert!(foreseen > 500, "{foreseen}");
}

#[test]
fn an_expectation_beyond_the_chunk_or_the_limit_is_none() {
    let body = b"data: abc\n\ndata: abcdefghi\n\n";
    for len in [9, 100, usize::MAX] {
        let (log, foreseen) = read_expecting(&mut Framer::new(8), &[body], |_| Some(len));
        assert_eq!((log.len(), &log[1], foreseen), (2, &Err(8), 0));
    }
}

// Linear time, counted in bytes, not in seconds.

/// One event whose data is `size` bytes of `x`.
fn large_event(size: usize) -> Vec<u8> {
    [b"data: ".as_slice(), &vec![b'x'; size], b"\n\n"].concat()
}

#[test]
#[cfg_attr(miri, ignore = "too much for Miri")]
fn every_byte_is_scanned_once_whatever_the_chunks() {
    let small = b"event: e\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"x\"}\n\n".repeat(2000);
    let crlf = b"data: a\r\ndata: b\r\n\r\n: c\r\n\r\n".repeat(2000);
    let dropped = [b"data: ".as_slice(), &vec![b'x'; 9 << 20], b"\nid: 5\n\n"].concat();
    let comment = [b":".as_slice(), &vec![b':'; 2 << 20], b"\n\n"].concat();
    for (body, sizes) in [
        (small, [1, 7, 1400, 65536]),
        (crlf, [1, 7, 1400, 65536]),
        (large_event(8 << 20), [1, 7, 1400, 65536]),
        (dropped, [1, 7, 1400, 65536]),
        (comment, [1, 7, 1400, 65536]),
    ] {
        for size in sizes {
            let mut framer = Framer::new(8 << 20);
            let mut log = Log::new();
            for chunk in body.chunks(size) {
                drain(&mut framer, chunk, &mut log);
            }
            // The LF of a CRLF is stepped over, not searched for: the count may be less than the bytes, never more.
            assert!(framer.scanned() <= body.len() as u64, "{} of {}", framer.scanned(), body.len());
            let crlfs = body.windows(2).filter(|pair| pair == b"\r\n").count();
            assert_eq!(framer.scanned(), (body.len() - crlfs) as u64, "in pieces of {size}");
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "too much for Miri")]
fn errors_do_not_make_it_scan_again() {
    let body = b"data: 123456789\n\ndata: a\n\n".repeat(1000);
    for size in [1, 26, body.len()] {
        let mut framer = Framer::new(8);
        let mut log = Log::new();
        body.chunks(size).for_each(|chunk| drain(&mut framer, chunk, &mut log));
        assert_eq!(log.iter().filter(|entry| entry.is_err()).count(), 1000);
        assert_eq!(framer.scanned(), body.len() as u64);
    }
}

// Copies.

#[test]
fn an_event_inside_one_chunk_is_borrowed_from_it() {
    let body = b"event: e\ndata: first\n\ndata: second\nid: 5\n\ndata: cut".to_vec();
    let mut framer = Framer::new(LIMIT);
    let mut chunk = body.as_slice();
    for expected in ["first", "second"] {
        let event = framer.next(&mut chunk).unwrap().unwrap();
        assert_eq!(text(event.data), expected);
        assert!(inside(event.data, &body));
    }
    assert_eq!(framer.next(&mut chunk), Ok(None));
}

#[test]
fn an_event_over_several_chunks_or_lines_is_not_borrowed() {
    let body = b"data: a\ndata: b\n\ndata: cut".to_vec();
    let mut framer = Framer::new(LIMIT);
    let mut chunk = body.as_slice();
    assert!(!inside(framer.next(&mut chunk).unwrap().unwrap().data, &body));
    assert_eq!(framer.next(&mut chunk), Ok(None));
    let rest = b" here\n\n".to_vec();
    let mut chunk = rest.as_slice();
    let event = framer.next(&mut chunk).unwrap().unwrap();
    assert_eq!(text(event.data), "cut here");
    assert!(!inside(event.data, &rest) && !inside(event.data, &body));
}

#[test]
fn the_chunk_may_be_gone_before_the_event_is_complete() {
    let mut framer = Framer::new(LIMIT);
    for piece in ["da", "ta: a", "b\n", "id: 7\nda", "ta: c", "\n"] {
        let chunk = piece.as_bytes().to_vec();
        assert_eq!(framer.next(&mut chunk.as_slice()), Ok(None));
    }
    let event = framer.next(&mut b"\n".as_slice()).unwrap().map(|event| (text(event.data), text(event.id)));
    assert_eq!(event, Some(("ab\nc".into(), "7".into())));
}

#[test]
fn an_event_stays_readable_until_the_next_call() {
    let mut framer = Framer::new(LIMIT);
    let body = b"data: a\n\ndata: b\n\n";
    let mut chunk = body.as_slice();
    let event = framer.next(&mut chunk).unwrap().unwrap();
    assert_eq!((event.data, event.name, event.retry), (b"a".as_slice(), b"".as_slice(), None));
    assert_eq!(framer.open_data(), None);
    assert_eq!(framer.next(&mut chunk).unwrap().unwrap().data, b"b");
}
