//! Streams that repeat themselves, with changes now and then: what could fool a prediction.

use crate::bytes::Dice;

/// Keys and values as JSON text, in order: doubles must be possible.
type Members = Vec<(String, String)>;

const VALUES: [&str; 40] = [
    "null",
    "true",
    "[]",
    "{}",
    r#""""#,
    r#""\u0041""#,
    r#""\ud800""#,
    r#""a\"b""#,
    r#""\""#,
    r#""é""#,
    r#"" ""#,
    "0",
    "-0",
    "00",
    "1.5",
    "-1",
    "1e400",
    "1E+2",
    "999999999999999999",
    "9999999999999999999",
    "NaN",
    "-Infinity",
    r#"["x"]"#,
    r#"{"type":"error"}"#,
    r#""response.completed""#,
    r#""error""#,
    r#""keepalive""#,
    "\"tab\there\"",
    "nul",
    "",
    r#""x"#,
    "1 ",
    r#" "x""#,
    "1.",
    "01",
    "+1",
    r#""é\n""#,
    r#""\ud83d\ude00""#,
    "[1,[2,{\"a\":3}]]",
    "-",
];

/// What stands around a payload.
const BLOCKS: [(&str, &str); 15] = [
    ("data: ", "\n\n"),
    ("data:", "\n\n"),
    ("data:  ", "\n\n"),
    ("event: message\ndata: ", "\n\n"),
    ("event: message\r\ndata: ", "\r\n\r\n"),
    ("data: ", "\r\r"),
    ("event: other\ndata: ", "\n\n"),
    (": c\ndata: ", "\n\n"),
    ("id: 7\ndata: ", "\n\n"),
    ("data: ", "\nid: 8\n\n"),
    ("data: ", "\r\n\n"),
    ("data: ", " \n\n"),
    ("data\n\ndata: ", "\n\n"),
    ("retry: 5\n\ndata: ", "\n\n"),
    ("data: ", "\ndata: \n\n"),
];

/// A stream as `dice` has it.
pub fn stream(dice: &mut Dice<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    let (mut kind, mut block) = (dice.byte(), dice.choose(&BLOCKS));
    let mut number = usize::from(dice.byte());
    for _ in 0..64 {
        if dice.0.is_empty() {
            break;
        }
        match dice.below(12) {
            // As a stream is for the most part.
            0..3 => {
                for _ in 0..=dice.below(24) {
                    append(&mut body, block, text_of(&members(kind, number)).as_bytes());
                    number += 1;
                }
            }
            3 => kind = dice.byte(),
            4 => block = dice.choose(&BLOCKS),
            5 => append(&mut body, dice.choose(&BLOCKS), text_of(&members(kind, number)).as_bytes()),
            6 => body.extend_from_slice(raw(dice)),
            7 => append(&mut body, block, raw(dice)),
            8 => {
                let mut text = text_of(&members(kind, number)).into_bytes();
                let at = dice.below(text.len());
                text[at] = dice.byte();
                append(&mut body, block, &text);
            }
            _ => append(&mut body, block, change(dice, members(kind, number)).as_bytes()),
        }
    }
    body
}

/// Some bytes of the input as they are.
fn raw<'a>(dice: &mut Dice<'a>) -> &'a [u8] {
    let most = dice.below(64);
    dice.take(most)
}

fn append(body: &mut Vec<u8>, (opening, closing): (&str, &str), payload: &[u8]) {
    body.extend_from_slice(opening.as_bytes());
    body.extend_from_slice(payload);
    body.extend_from_slice(closing.as_bytes());
}

fn members(kind: u8, number: usize) -> Members {
    let text =
        |pairs: &[(&str, String)]| pairs.iter().map(|(key, value)| (format!("\"{key}\""), value.clone())).collect();
    let quoted = |text: &str| format!("\"{text}\"");
    let count = number.to_string();
    match kind % 7 {
        0 => text(&[
            ("type", quoted("response.output_text.delta")),
            ("sequence_number", count),
            ("item_id", quoted("msg_0f9c4b2f224d85")),
            ("output_index", "0".into()),
            ("delta", quoted(&format!(" word{}", number % 7))),
            ("logprobs", "[]".into()),
            ("obfuscation", quoted(&"x".repeat(number % 19))),
        ]),
        1 => text(&[
            ("type", quoted("response.output_text.delta")),
            ("sequence_number", count),
            ("delta", quoted(r"é\n")),
        ]),
        2 => text(&[
            ("sequence_number", count),
            ("delta", quoted(&number.to_string())),
            ("type", quoted("response.reasoning_text.delta")),
        ]),
        3 => text(&[
            ("type", quoted("response.function_call_arguments.delta")),
            ("item_id", quoted(&format!("fc_{}", number % 2))),
            ("delta", quoted(if number % 3 == 0 { r"\ud83d" } else { r#"{\"a\":"# })),
            ("sequence_number", count),
        ]),
        4 => text(&[
            ("id", quoted("chatcmpl-1")),
            ("created", "1762179802".into()),
            (
                "choices",
                format!(r#"[{{"index":0,"delta":{{"content":"{number}"}},"finish_reason":null,"flags":[true,{{}}]}}]"#),
            ),
            ("usage", "null".into()),
        ]),
        5 => text(&[
            ("type", quoted(if number % 2 == 0 { "keepalive" } else { "response.refusal.delta" })),
            ("delta", quoted("no")),
            ("n", format!("-{number}.5e1")),
        ]),
        _ => text(&[
            ("type", quoted("response.in_progress")),
            ("response", format!(r#"{{"id":"resp_{}","output":[]}}"#, number % 3)),
        ]),
    }
}

fn change(dice: &mut Dice<'_>, mut members: Members) -> String {
    let at = dice.below(members.len());
    let value = dice.choose(&VALUES).to_owned();
    match dice.below(8) {
        0..3 => members[at].1 = value,
        3 => drop(members.remove(at)),
        4 => members.swap(0, at),
        5 => members.insert(at, (members[dice.below(members.len())].0.clone(), value)),
        6 => members[at].0 = r#""ty\u0070e""#.into(),
        _ => return text_of(&members).replace(':', " : ").replace(',', " ,\t") + " ",
    }
    text_of(&members)
}

fn text_of(members: &Members) -> String {
    let members: Vec<_> = members.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}
