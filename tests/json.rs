//! Reading JSON without an interpreter: lexer, skim, and what Responses events mean.

use eugpt_fast::json::escapes::{resolve, unescape};
use eugpt_fast::json::lexer::{Lexer, Number};
use eugpt_fast::json::skim::skim;
use eugpt_fast::json::{MAX_DEPTH, MAX_DIGITS, Surprise};
use eugpt_fast::responses::{Account, Head, Role, is_done};

fn members(document: &str) -> Result<Vec<(String, String)>, Surprise> {
    let mut found = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    skim(document.as_bytes(), |key, value| found.push((text(key.raw), text(value))))?;
    Ok(found)
}

fn check(text: &str) -> Result<bool, Surprise> {
    skim(text.as_bytes(), |_, _| {})
}

#[test]
fn skim_names_the_members_of_the_top_level_object_in_order() {
    let text = r#" { "type" : "x" , "a" : [ 1 , {"type":"no"} ] ,"b":{"c":null},"a":-1.5e+3 , "":true } "#;
    let pairs =
        [("type", r#""x""#), ("a", r#"[ 1 , {"type":"no"} ]"#), ("b", r#"{"c":null}"#), ("a", "-1.5e+3"), ("", "true")];
    assert_eq!(members(text).unwrap(), pairs.map(|(key, value)| (key.to_owned(), value.to_owned())));
    assert_eq!(members("{}").unwrap(), []);
    assert_eq!(members(r#"[{"a":1}]"#).unwrap(), []);
}

#[test]
fn what_is_no_object_has_no_members() {
    for text in ["[]", "[{\"a\":1}]", "1", "\"{}\"", "null", "{}"] {
        assert_eq!(members(text), Ok(vec![]), "{text}");
    }
}

#[test]
fn skim_accepts_what_json_loads_accepts() {
    for text in [
        "0",
        "-0",
        "-0.0",
        "1e5",
        "1E+5",
        "1.5e-5",
        "NaN",
        "Infinity",
        "-Infinity",
        "true",
        "false",
        "null",
        r#""""#,
        r#""\ud83d""#,
        r#""\uD83D\uDE00""#,
        r#""\"\\\/\b\f\n\r\t\u0000""#,
        "\"\u{7f}\u{2028}é😀\"",
        "[[],{},[{}]]",
        "\t\r\n [ 1 , 2 ] ",
        r#"{"a":{"b":{"c":[]}}}"#,
    ] {
        assert!(check(text).is_ok(), "{text}");
        let nested = format!("{{\"a\": [{text}, {text}]}}");
        assert!(check(&nested).is_ok(), "{nested}");
    }
}

#[test]
fn skim_refuses_what_json_loads_refuses() {
    for text in [
        "",
        " ",
        "nul",
        "nullx",
        "True",
        "+1",
        "-",
        "01",
        "-01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "1.e5",
        "-NaN",
        "--1",
        "0x1",
        "Inf",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,]",
        "[1 2]",
        "[1}",
        "{",
        "}",
        r#"{"a"#,
        r#"{"a""#,
        r#"{"a":"#,
        r#"{"a":1"#,
        r#"{"a":1,"#,
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        "{a:1}",
        "{1:1}",
        "{,}",
        r#"{"a":1]"#,
        "1 2",
        "{}}",
        "[]]",
        "[] []",
        r#"""#,
        r#""a"#,
        r#""\"#,
        r#""\""#,
        r#""\x""#,
        r#""\u""#,
        r#""\u123""#,
        r#""\u123g""#,
        r#""\u+123""#,
        "\"\t\"",
        "\"\0\"",
        "\"aaaaaaaa\u{1f}\"",
        "\0",
        "1\0",
        "\u{feff}1",
        "\u{a0}1",
        "é",
        "[DONE]",
    ] {
        assert_eq!(check(text), Err(Surprise), "{text:?}");
        let nested = format!("{{\"a\": [0, {text}]}}");
        assert!(text.trim().is_empty() || check(&nested).is_err(), "{nested:?}");
    }
}

#[test]
fn every_beginning_of_a_document_is_refused() {
    let text = r#"{"a": [1, -2.5e+3, "xé\ud83d\n€"], "b": {"c": null, "d": true}, "e": [NaN, -Infinity, {}, []]}"#;
    assert!(check(text).is_ok());
    for (at, _) in text.char_indices() {
        assert_eq!(check(&text[..at]), Err(Surprise), "{}", &text[..at]);
    }
}

#[test]
#[cfg_attr(miri, ignore = "too much for Miri")]
fn no_nesting_overflows_the_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        let deep = format!("{}1{}", open.repeat(1_000_000), close.repeat(1_000_000));
        // A small stack, so that recursion could not hide.
        let result = std::thread::Builder::new().stack_size(64 * 1024).spawn(move || check(&deep));
        assert_eq!(result.unwrap().join().unwrap(), Ok(true));
        let cut = open.repeat(1_000_000);
        let result = std::thread::Builder::new().stack_size(64 * 1024).spawn(move || check(&cut));
        assert_eq!(result.unwrap().join().unwrap(), Err(Surprise));
    }
}

#[test]
fn what_json_loads_might_refuse_is_doubtful() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(!check(&nested(MAX_DEPTH / 2)).unwrap());
    assert!(check(&nested(MAX_DEPTH + 2)).unwrap());
    assert!(!check(&"9".repeat(MAX_DIGITS)).unwrap());
    assert!(check(&"9".repeat(MAX_DIGITS + 1)).unwrap());
    assert!(check(&format!("{{\"a\":[-{}]}}", "9".repeat(5000))).unwrap());
    assert!(!check(&format!("{}.5", "9".repeat(5000))).unwrap());
}

#[test]
fn the_lexer_finds_the_end_of_a_string_at_any_offset() {
    for length in 0..40 {
        for special in ["", "\\n", "\\\"", "\\\\", "\\u0041"] {
            let raw = "é".repeat(length % 3) + &"x".repeat(length) + special + &"y".repeat(length);
            let text = format!("\"{raw}\", \"next");
            let mut lexer = Lexer::new(text.as_bytes());
            let found = lexer.string().unwrap();
            assert_eq!((found.raw, found.escaped), (raw.as_bytes(), !special.is_empty()));
            assert_eq!(lexer.at(), raw.len() + 2);
            let bad = format!("\"{}\u{1f}\"", "x".repeat(length));
            assert_eq!(Lexer::new(bad.as_bytes()).string(), Err(Surprise));
        }
    }
}

#[test]
fn the_lexer_tells_integers_from_floats() {
    for (text, expected) in [
        ("0", Number::Integer(b"0")),
        ("-12 ", Number::Integer(b"-12")),
        ("12345678901234567890,", Number::Integer(b"12345678901234567890")),
        ("1.0", Number::Float(b"1.0")),
        ("-1e5]", Number::Float(b"-1e5")),
        ("Infinity", Number::Constant(f64::INFINITY)),
        ("-Infinity", Number::Constant(f64::NEG_INFINITY)),
    ] {
        assert_eq!(Lexer::new(text.as_bytes()).number(), Ok(expected), "{text}");
    }
    assert!(matches!(Lexer::new(b"NaN").number(), Ok(Number::Constant(value)) if value.is_nan()));
}

#[test]
fn bytes_that_are_no_utf_8_may_stand_in_strings_only() {
    for bad in [b"\xFF".as_slice(), b"\xC3", b"\xED\xA0\x80", b"\xF0\x9F\x98"] {
        assert!(skim(&[b"[\"", bad, b"\"]"].concat(), |_, _| {}).is_ok());
        assert_eq!(skim(&[b"[1", bad, b"]"].concat(), |_, _| {}), Err(Surprise));
        let delta = [br#"{"type":"response.output_text.delta","delta":"a"#, bad, br#"\n"}"#].concat();
        let mut account = Account::default();
        account.enter(&Head::read(&delta).unwrap());
        assert_eq!(account.text, format!("a{}\n", String::from_utf8_lossy(bad)).as_bytes());
    }
}

#[test]
fn unescape_joins_pairs_and_keeps_lone_surrogates() {
    let cases: [(&str, &[u8]); 9] = [
        ("plain é", "plain é".as_bytes()),
        (r#"\"\\\/\b\f\n\r\t"#, b"\"\\/\x08\x0C\n\r\t"),
        (r"\u00e9\u20AC\u0000", "é€\0".as_bytes()),
        (r"\ud83d\ude00", "😀".as_bytes()),
        (r"\uDBFF\uDFFF\uD800\uDC00", "\u{10ffff}\u{10000}".as_bytes()),
        (r"\ud83d", b"\xED\xA0\xBD"),
        (r"\ude00\ud83d", b"\xED\xB8\x80\xED\xA0\xBD"),
        (r"\ud83d\ud83d\ude00", b"\xED\xA0\xBD\xF0\x9F\x98\x80"),
        (r"\ud83dx\\ude00", b"\xED\xA0\xBDx\\ude00"),
    ];
    for (raw, expected) in cases {
        let mut out = b"> ".to_vec();
        assert_eq!(unescape(raw.as_bytes(), &mut out), expected.is_ascii(), "{raw}");
        assert_eq!(&out[2..], expected, "{raw}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "too much for Miri")]
fn escapes_may_stand_at_any_place_in_a_string_of_any_length() {
    let escapes =
        [(r"\n", "\n"), (r#"\""#, "\""), (r"\\", "\\"), (r"\u00e9", "é"), (r"\ud83d\ude00", "😀"), ("é", "é")];
    for (sent, value) in escapes {
        for (before, after) in (0..40).flat_map(|before| (0..40).map(move |after| (before, after))) {
            for twice in [false, true] {
                let again = |text: &str| if twice { format!("{text}{text}x{text}") } else { text.to_owned() };
                let raw = format!("{}{}{}", "a".repeat(before), again(sent), "b".repeat(after));
                let expected = format!("{}{}{}", "a".repeat(before), again(value), "b".repeat(after));
                let mut out = Vec::new();
                assert_eq!(unescape(raw.as_bytes(), &mut out), expected.is_ascii(), "{raw}");
                assert_eq!(String::from_utf8(out).unwrap(), expected);
                for end in ["\"", "\" and more bytes behind it, of which \\n and é are no part"] {
                    let resolved = resolve(format!("{raw}{end}").as_bytes(), 0, &mut Vec::new(), 0).unwrap();
                    assert_eq!((resolved.end, resolved.len), (raw.len(), expected.len()), "{raw}{end}");
                    assert_eq!(
                        (resolved.ascii, resolved.sent_ascii),
                        (expected.is_ascii(), raw.is_ascii()),
                        "{raw}{end}"
                    );
                }
            }
        }
    }
    for bad in [
        r"\x",
        r"\",
        r"\u12",
        r"\u12g4",
        r"\ud83d\u",
        "aaaaaaaaaaaaaaa\\",
        r"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\u00",
    ] {
        assert!(resolve(bad.as_bytes(), 0, &mut Vec::new(), 0).is_err(), "{bad}");
    }
}

#[test]
fn six_types_end_a_stream_and_no_other() {
    let is_terminal = |kind: &str| Role::of(Some(kind.as_bytes())) == Role::Terminal;
    assert!(Role::of(None) == Role::Other);
    let terminal = ["completed", "incomplete", "failed", "cancelled", "canceled"].map(|end| format!("response.{end}"));
    assert!(terminal.iter().all(|kind| is_terminal(kind)));
    assert!(is_terminal("error"));
    for kind in
        ["", "response.mcp_call.failed", "response.created", "completed", "Error", "error ", "response.completed."]
    {
        assert!(!is_terminal(kind), "{kind}");
    }
}

#[test]
fn done_is_an_end_mark_with_or_without_blanks() {
    for payload in ["[DONE]", " [DONE]", "[DONE] ", "\t[DONE]\n"] {
        assert!(is_done(payload.as_bytes()), "{payload:?}");
    }
    for payload in ["", "DONE", "[done]", "[ DONE ]", "\"[DONE]\"", "[DONE]x", "[DONE] [DONE]"] {
        assert!(!is_done(payload.as_bytes()), "{payload:?}");
    }
}

#[test]
fn the_type_counts_wherever_and_however_it_is_written() {
    for (text, kind) in [
        (r#"{"type":"error"}"#, Some("error")),
        (r#"{"a":{"type":"no"},"type":"error"}"#, Some("error")),
        (r#"{"type":"x","type":"error"}"#, Some("error")),
        (r#"{"\u0074ype":"err\u006fr"}"#, Some("error")),
        (r#"{"type":"error","type":1}"#, None),
        (r#"[{"type":"error"}]"#, None),
        (r#""error""#, None),
    ] {
        let head = Head::read(text.as_bytes()).unwrap();
        assert_eq!(head.kind.as_deref(), kind.map(str::as_bytes), "{text}");
        assert_eq!(head.is_terminal(), kind.is_some(), "{text}");
    }
    assert!(Head::read(br#"{"type":"error""#).is_err());
}

#[test]
fn the_account_joins_text_and_counts_faults() {
    let mut account = Account::default();
    for text in [
        r#"{"type":"response.created","sequence_number":0,"response":{"id":"r1"}}"#,
        r#"{"type":"response.output_text.delta","sequence_number":1,"delta":"a\u00e9\ud83d"}"#,
        r#"{"type":"response.output_text.delta","sequence_number":1,"delta":"\ude00"}"#,
        r#"{"type":"keepalive","sequence_number":5}"#,
        r#"{"type":"response.function_call_arguments.delta","item_id":"i","delta":"{","sequence_number":4}"#,
        r#"{"type":"response.function_call_arguments.delta","item_id":"i","delta":"}"}"#,
    ] {
        account.enter(&Head::read(text.as_bytes()).unwrap());
    }
    assert_eq!(account.text, b"a\xC3\xA9\xED\xA0\xBD\xED\xB8\x80");
    assert_eq!(account.arguments, [(b"i".to_vec(), b"{}".to_vec())]);
    assert_eq!(account.response_id.as_deref(), Some(b"r1".as_slice()));
    assert_eq!((account.events, account.progress, account.last_sequence_number), (6, 5, Some(5)));
    assert_eq!((account.gaps, account.repeats, account.reorders), (1, 1, 1));
}
