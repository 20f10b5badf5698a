//! HTTP/1.1 as a client reads and writes it: the same answer wherever the bytes are cut.

use eugpt_fast::http1::{Body, Chunks, Head, HeadReader, MAX_HEAD, RequestHead, Sending, Violation};

const HEAD: &[u8] = b"HTTP/1.1 200 Very OK\r\nContent-Type: text/event-stream\r\nX-Empty:\r\nx-fold: a\r\n  b\r\n\r\n";

fn fields(pairs: &[(&str, &str)]) -> Vec<(Vec<u8>, Vec<u8>)> {
    pairs.iter().map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec())).collect()
}

fn head(status: u16, pairs: &[(&str, &str)]) -> Head {
    Head { status, minor: 1, reason: Vec::new(), fields: fields(pairs) }
}

fn read_head(pieces: &[&[u8]]) -> Result<Option<(Head, Vec<u8>)>, Violation> {
    let mut reader = HeadReader::default();
    for piece in pieces {
        reader.push(piece);
        if let Some(head) = reader.take()? {
            return Ok(Some((head, reader.rest())));
        }
    }
    Ok(None)
}

#[test]
fn a_head_is_read_wherever_it_is_cut() {
    let expected = Head {
        status: 200,
        minor: 1,
        reason: b"Very OK".to_vec(),
        fields: fields(&[("Content-Type", "text/event-stream"), ("X-Empty", ""), ("x-fold", "a b")]),
    };
    for at in 0..HEAD.len() {
        let (first, second) = HEAD.split_at(at);
        let with_body = [second, b"body"].concat();
        assert_eq!(read_head(&[first, &with_body]), Ok(Some((expected.clone(), b"body".to_vec()))), "{at}");
    }
    let bytes: Vec<_> = HEAD.chunks(1).collect();
    assert_eq!(read_head(&bytes), Ok(Some((expected, Vec::new()))));
    assert_eq!(read_head(&bytes[..HEAD.len() - 1]), Ok(None));
}

#[test]
fn lines_may_end_in_line_feeds_and_interim_answers_are_passed_over() {
    let (found, rest) =
        read_head(&[b"\r\nHTTP/1.1 100 \r\n\r\nHTTP/1.1 103 Early\na: b\n\nHTTP/1.0 204 No\n\nx"]).unwrap().unwrap();
    assert_eq!((found.status, found.minor, rest), (204, 0, b"x".to_vec()));
}

#[test]
fn what_is_no_head_is_refused() {
    for bytes in [&b"hello\r\n\r\n"[..], b"HTTP/1.1 099 No\r\n\r\n", b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"] {
        assert!(read_head(&[bytes]).is_err(), "{:?}", String::from_utf8_lossy(bytes));
    }
    let large = [b"HTTP/1.1 200 OK\r\na: ", &vec![b'x'; MAX_HEAD][..]].concat();
    assert!(read_head(&[&large]).is_err());
    assert!(read_head(&[&large, b"\r\n\r\n"]).is_err());
}

#[test]
fn as_many_fields_are_read_as_the_documentation_says() {
    let head = |count| {
        let many: String = (0..count).map(|number| format!("a{number}: b\r\n")).collect();
        read_head(&[format!("HTTP/1.1 200 OK\r\n{many}\r\n").as_bytes()])
    };
    assert_eq!(head(1024).unwrap().unwrap().0.fields.len(), 1024);
    assert_eq!(head(1025), Err(Violation("no HTTP response: too many headers".into())));
}

fn decode(pieces: &[&[u8]]) -> Result<(Vec<u8>, usize, bool), Violation> {
    let (mut chunks, mut out, mut used) = (Chunks::default(), Vec::new(), 0);
    for piece in pieces {
        used += chunks.decode(piece, &mut out)?;
        if chunks.is_done() {
            break;
        }
    }
    Ok((out, used, chunks.is_done()))
}

#[test]
fn chunks_are_the_same_wherever_they_are_cut() {
    let plain = b"5\r\nhello\r\n1\r\n \r\n0A\r\nworld, she\r\n0\r\n\r\nnext";
    let odd = b"5;a=\"b\"\r\nhello\r\n1 \r\n \r\n00000a ; x\r\nworld, she\r\n000\r\nX-Sum: 1\r\nY: 2\r\n\r\nnext";
    for coded in [&plain[..], odd] {
        let length = coded.len() - 4;
        for at in 0..coded.len() {
            let (first, second) = coded.split_at(at);
            assert_eq!(decode(&[first, second]), Ok((b"hello world, she".to_vec(), length, true)), "{at}");
        }
        assert_eq!(decode(&coded.chunks(1).collect::<Vec<_>>()), Ok((b"hello world, she".to_vec(), length, true)));
    }
}

#[test]
fn chunks_that_break_their_coding_are_refused() {
    for coded in [
        &b"\r\n"[..],
        b"x\r\n",
        b"-1\r\n",
        b"5\nhello",
        b"5\rhello",
        b"5;a\nhello",
        b"5\r\nhello5",
        b"5\r\nhello\n",
        b"11112222333344445\r\n",
        b"0\r\nno colon\r\n\r\n",
        b"0\r\n: no name\r\n",
        b"0\r\n\rx",
    ] {
        let whole = decode(&[coded]);
        assert!(whole.is_err(), "{:?}: {whole:?}", String::from_utf8_lossy(coded));
        assert_eq!(decode(&coded.chunks(1).collect::<Vec<_>>()), whole);
    }
    let endless = [b"5;", &vec![b'x'; 200 * 1024][..]].concat();
    assert!(decode(&[&endless]).is_err());
    let trailers = [&b"0\r\n"[..], &b"a: b\r\n".repeat(40 * 1024)].concat();
    assert!(decode(&[&trailers]).is_err());
}

#[test]
fn a_chunk_as_large_as_a_number_can_say_is_only_bytes_to_come() {
    assert_eq!(decode(&[b"ffffffffffffffff\r\nab"]), Ok((b"ab".to_vec(), 20, false)));
}

#[test]
fn the_end_of_a_body_is_known() {
    type Case<'a> = (&'a [u8], u16, &'a [(&'a str, &'a str)], bool);
    let cases: [Case<'_>; 8] = [
        (b"GET", 200, &[("content-length", "0")], true),
        (b"HEAD", 200, &[("content-length", "5")], true),
        (b"GET", 204, &[("transfer-encoding", "chunked")], true),
        (b"GET", 304, &[("Content-Length", "5")], true),
        (b"GET", 200, &[("Content-Length", "5"), ("content-length", "5, 5")], false),
        (b"GET", 200, &[("Transfer-Encoding", "Chunked"), ("content-length", "5")], false),
        (b"GET", 200, &[], false),
        (b"GET", 101, &[], true),
    ];
    for (method, status, pairs, done) in cases {
        let body = Body::behind(&head(status, pairs), method).unwrap();
        assert_eq!(body.is_done(), done, "{method:?} {status} {pairs:?}");
    }
    for pairs in [
        &[("content-length", "5"), ("content-length", "6")][..],
        &[("content-length", "-5")],
        &[("content-length", "")],
        &[("content-length", "99999999999999999999")],
        &[("transfer-encoding", "gzip")],
        &[("transfer-encoding", "gzip, chunked")],
        &[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")],
    ] {
        assert!(Body::behind(&head(200, pairs), b"GET").is_err(), "{pairs:?}");
    }
}

#[test]
fn bytes_behind_a_body_are_not_its_own_and_a_missing_end_is_told() {
    let mut out = Vec::new();
    let mut body = Body::behind(&head(200, &[("content-length", "5")]), b"GET").unwrap();
    assert_eq!(body.decode(b"hel", &mut out), Ok(3));
    assert!(body.close().is_err());
    assert_eq!(body.decode(b"lo there", &mut out), Ok(2));
    assert!(body.is_done() && body.close().is_ok());
    assert_eq!(out, b"hello");

    let mut body = Body::behind(&head(200, &[]), b"GET").unwrap();
    assert_eq!(body.decode(b"hello", &mut out), Ok(5));
    assert!(!body.is_done() && body.close().is_ok());

    let mut body = Body::behind(&head(200, &[("transfer-encoding", "chunked")]), b"GET").unwrap();
    assert_eq!(body.decode(b"5\r\nhello\r\n", &mut out), Ok(10));
    assert!(body.close().is_err());
}

#[test]
fn connections_are_kept_as_both_sides_say() {
    assert!(head(200, &[]).keeps_alive());
    assert!(!head(200, &[("Connection", "x, Close")]).keeps_alive());
    let old = |pairs| Head { minor: 0, ..head(200, pairs) };
    assert!(!old(&[]).keeps_alive());
    assert!(old(&[("connection", "Keep-Alive")]).keeps_alive());
}

fn request(method: &str, target: &str, pairs: &[(&str, &str)]) -> RequestHead {
    RequestHead { method: method.into(), target: target.into(), fields: fields(pairs) }
}

#[test]
fn a_request_goes_out_as_given_with_the_host_first() {
    let request = request("POST", "/a?b", &[("X-A", "1"), ("x-a", "2"), ("Host", "h"), ("E", "")]);
    assert_eq!(request.check(), Ok(()));
    assert_eq!(request.encode(), b"POST /a?b HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2\r\nE: \r\n\r\n");
}

#[test]
fn a_request_that_would_say_something_else_is_refused_without_repeating_it() {
    for bad in [
        request("GE T", "/", &[]),
        request("", "/", &[]),
        request("GET", "/a b", &[]),
        request("GET", "", &[]),
        request("GET", "/", &[("a:b", "")]),
        request("GET", "/", &[("", "")]),
        request("GET", "/", &[("authorization", "secret\r\nx: y")]),
        request("GET", "/", &[("a", "\0")]),
    ] {
        let Violation(what) = bad.check().unwrap_err();
        assert!(!what.contains("secret"), "{what}");
    }
}

#[test]
fn bodies_of_requests_are_framed_as_announced() {
    let mut out = Vec::new();
    let mut sending = Sending::announced(&fields(&[("Transfer-Encoding", "chunked")])).unwrap();
    sending.encode(b"hello, world, a", &mut out).unwrap();
    sending.encode(b"", &mut out).unwrap(); // which would end the body
    out.extend_from_slice(sending.finish().unwrap());
    assert_eq!(out, b"f\r\nhello, world, a\r\n0\r\n\r\n");

    let mut sending = Sending::announced(&fields(&[("content-length", "5")])).unwrap();
    assert!(sending.finish().is_err());
    sending.encode(b"hello", &mut out).unwrap();
    assert_eq!(sending.finish(), Ok(&b""[..]));
    assert!(sending.encode(b"!", &mut out).is_err());
    assert!(Sending::announced(&fields(&[("transfer-encoding", "gzip")])).is_err());
}
