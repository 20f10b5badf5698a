#![no_main]
//! Our reading of JSON against two other decoders: what is JSON, the members of the document, and every value in it.
//!
//! Where a text is wrong, the core says no more than that it is; the position is for the binding to tell.

use eugpt_fast::json::skim::skim;
use eugpt_fast::json::{MAX_DEPTH, MAX_DIGITS};
use eugpt_fast::responses::Head;
use libfuzzer_sys::fuzz_target;
use oracles::json::{Value, decode, extent, ours, same};
use serde::Deserialize;

fuzz_target!(|text: &[u8]| {
    let lossy = String::from_utf8_lossy(text);
    let expected = decode(&lossy);
    // Bytes that are no UTF-8 are welcome inside strings, as the replacement characters that they become.
    let skimmed = skim(text, |_, _| {});
    assert_eq!(skimmed.is_ok(), expected.is_some());
    assert_eq!(ours(text).is_ok(), expected.is_some());
    check_against_serde(&lossy, expected.as_ref());
    let (Some((value, _)), Ok(_)) = (expected, std::str::from_utf8(text)) else { return };

    assert_eq!(ours(text).as_ref(), Ok(&value));
    let (depth, digits) = extent(&value);
    if skimmed == Ok(false) {
        assert!(depth <= MAX_DEPTH + 1 && digits <= MAX_DIGITS);
    }
    check_members(text, &value);
});

fn check_against_serde(text: &str, expected: Option<&(Value, bool)>) {
    let mut reader = serde_json::Deserializer::from_str(text);
    reader.disable_recursion_limit();
    let theirs = serde_json::Value::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match (expected, theirs) {
        (Some((value, _)), Ok(theirs)) => assert!(same(value, &theirs)),
        (Some((_, beyond)), Err(error)) => assert!(*beyond, "{error}"),
        (None, Ok(theirs)) => panic!("{theirs}"),
        (None, Err(_)) => {}
    }
}

/// The top-level members by their spans, and the type among them.
fn check_members(text: &[u8], value: &Value) {
    let mut members = Vec::new();
    let _ = skim(text, |key, span| {
        let key = ours(&[b"\"", key.raw, b"\""].concat()).expect("a key is a string");
        let value = ours(span).expect("a span is a document");
        members.push((key, value));
    });
    let expected = match value {
        Value::Object(members) => {
            members.iter().map(|(key, value)| (Value::String(key.clone()), value.clone())).collect()
        }
        _ => Vec::new(),
    };
    assert_eq!(members, expected);
    let kind = members.iter().rfind(|(key, _)| *key == Value::String(b"type".to_vec()));
    let kind = kind.and_then(|(_, value)| if let Value::String(kind) = value { Some(&kind[..]) } else { None });
    assert_eq!(Head::read(text).expect("it was skimmed").kind.as_deref(), kind);
}
