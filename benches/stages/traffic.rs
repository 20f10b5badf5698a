//! The bytes that the stages work on: the same every time.

use std::fmt::Write;

/// Deltas in a stream: enough that the lifecycle around them does not count.
pub const DELTAS: usize = 1000;
const WORDS: [&str; 8] = [" the", " government", ",", " of", " because", " morning", ".", " through"];
const PADDING: &str = "q7LxV2mZ0cRt";
const ITEM_ID: &str = "msg_0a41c39e5f7d28b60068f3b2d2e01481a2ac5b9f7e30d6184c";

/// The payload of an OpenAI-shaped text delta.
pub fn delta(number: usize) -> String {
    let word = WORDS[number % WORDS.len()];
    let padding = &PADDING[word.len() - 1..];
    format!(
        r#"{{"type":"response.output_text.delta","sequence_number":{number},"item_id":"{ITEM_ID}","output_index":0,"content_index":0,"delta":"{word}","logprobs":[],"obfuscation":"{padding}"}}"#
    )
}

/// The payload of another kind of delta.
pub fn arguments(number: usize) -> String {
    format!(
        r#"{{"type":"response.function_call_arguments.delta","sequence_number":{number},"item_id":"{ITEM_ID}","output_index":1,"delta":"{{\"","obfuscation":"{PADDING}"}}"#
    )
}

/// The payloads of many text deltas.
pub fn deltas() -> Vec<String> {
    (0..DELTAS).map(delta).collect()
}

/// The payload of a `response.completed` of a megabyte: messages with escapes in their text.
pub fn terminal() -> String {
    let mut output = String::new();
    while output.len() < 1 << 20 {
        if !output.is_empty() {
            output.push(',');
        }
        let text = r#"The morning, \"because\" of the government.\n\n"#.repeat(40);
        let part = format!(r#"{{"type":"output_text","annotations":[],"logprobs":[],"text":"{text}"}}"#);
        // Writing to a String cannot fail.
        let _ = write!(
            output,
            r#"{{"id":"{ITEM_ID}","type":"message","status":"completed","content":[{part}],"role":"assistant"}}"#
        );
    }
    format!(
        r#"{{"type":"response.completed","sequence_number":{DELTAS},"response":{{"id":"resp_1","status":"completed","output":[{output}],"temperature":1.0,"metadata":{{}}}}}}"#
    )
}

/// The payloads framed as events, one element each.
pub fn framed(payloads: &[String], ending: &str) -> Vec<Vec<u8>> {
    let event = |data| format!("event: response.output_text.delta{ending}data: {data}{ending}{ending}").into_bytes();
    payloads.iter().map(event).collect()
}

/// The events in pieces of `size` bytes, or as they are.
pub fn cut(events: Vec<Vec<u8>>, size: Option<usize>) -> Vec<Vec<u8>> {
    match size {
        Some(size) => events.concat().chunks(size).map(<[u8]>::to_vec).collect(),
        None => events,
    }
}
