#![no_main]
//! What is foreseen is what a reader sees who never looks ahead: framing, values, types and the account.

use eugpt_fast::json::lexer::small_integer;
use eugpt_fast::json::shape::{Filling, Kind, Shape, Token};
use eugpt_fast::json::shapes::Shapes;
use eugpt_fast::json::skim::skim;
use eugpt_fast::responses::{Account, Head, Plan};
use libfuzzer_sys::fuzz_target;
use oracles::bytes::Dice;
use oracles::json::{Value, ours};
use oracles::read::{Seen, foresee, told};
use oracles::{framing, streams};

fuzz_target!(|input: &[u8]| {
    let mut dice = Dice(input);
    let limit = dice.choose(&[64 << 20, 64 << 20, 100, 300]);
    let mut places = Dice(dice.take(9));
    let body = streams::stream(&mut dice);
    let chunks = places.cut(&body);
    let (mut log, mut foreseen, mut cold) = (Vec::new(), Account::default(), Account::default());
    let framer = foresee(&chunks, limit, &mut Shapes::default(), |seen| match seen {
        Seen::Foreseen(payload, shapes, fillings) => {
            check(payload, shapes.last().1, fillings, &mut foreseen);
            cold.enter(&Head::read(payload).expect("it was foreseen"));
            log.push(Ok(payload.to_vec()));
        }
        Seen::Read(payload, shapes) => {
            if let Ok(head) = Head::read(payload) {
                foreseen.enter(&head);
                cold.enter(&head);
                shapes.learn(payload);
            }
            log.push(Ok(payload.to_vec()));
        }
        Seen::TooLarge(limit) => log.push(Err(limit)),
    });
    let expected = framing::read(&body, limit);
    let data: Vec<_> = expected.log.into_iter().map(|entry| entry.map(|(_, data, ..)| data)).collect();
    assert_eq!(log, data);
    assert_eq!(framer.last_event_id(), expected.last_event_id);
    assert_eq!((framer.retry(), framer.open_data()), (expected.retry, expected.open));
    assert_eq!(told(&foreseen), told(&cold));
});

/// `payload` is a document, and the shape tells of it what is there. Its events are entered by what the shape tells.
fn check(payload: &[u8], shape: &Shape, fillings: &[Filling], account: &mut Account) {
    assert!(!payload.contains(&b'\n') && !payload.contains(&b'\r'), "a shape reaches over the end of a line");
    assert_eq!(skim(payload, |_, _| {}), Ok(false), "what is foreseen is JSON without a doubt");
    let (mut here, mut there) = (Vec::new(), Vec::new());
    let (value, sample) = (ours(payload).expect("it is JSON"), ours(shape.sample()).expect("it was learned"));
    scalars(&value, &mut here);
    scalars(&sample, &mut there);
    assert_eq!(skeleton(value.clone()), skeleton(sample.clone()));
    let holes: Vec<_> = shape.scalars().collect();
    assert_eq!((holes.len(), holes.len()), (here.len(), there.len()));
    for ((hole, value), sample) in holes.into_iter().zip(here).zip(there) {
        match hole {
            Some(hole) => check_token(fillings[hole].token(payload), value),
            None => assert_eq!(value, sample, "no hole, but another value"),
        }
    }
    let cold = Head::read(payload).expect("it is JSON");
    match Plan::of(shape) {
        None => account.enter(&cold),
        Some(plan) => {
            let head = Head::predicted(&plan, shape, payload, fillings);
            assert_eq!(head.kind, cold.kind);
            assert_eq!((head.is_terminal(), head.is_content()), (cold.is_terminal(), cold.is_content()));
            account.enter(&head);
        }
    }
}

fn check_token(token: Token<'_>, value: &Value) {
    let escaped = token.raw.contains(&b'\\');
    match token.kind {
        Kind::Ascii => assert!(!escaped && token.raw.is_ascii()),
        Kind::Plain => assert!(!escaped && !token.raw.is_ascii()),
        Kind::Escaped => assert!(escaped),
        Kind::Small(number) => assert_eq!(small_integer(token.raw), Some(number)),
        Kind::Integer => assert_eq!(small_integer(token.raw), None),
        Kind::Float => assert!(token.raw.iter().any(|byte| b".eE".contains(byte))),
    }
    match value {
        Value::Number(number) => assert_eq!(token.raw, number.as_bytes()),
        Value::String(_) => {
            assert!(token.string().is_some());
            assert_eq!(ours(&[b"\"", token.raw, b"\""].concat()).as_ref(), Ok(value));
        }
        _ => unreachable!("no scalar"),
    }
}

/// All strings and numbers, keys left out, in order.
fn scalars<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| scalars(item, found)),
        Value::Object(members) => members.iter().for_each(|(_, value)| scalars(value, found)),
        Value::String(_) | Value::Number(_) => found.push(value),
        Value::Null | Value::Bool(_) => {}
    }
}

/// All but the strings and numbers.
fn skeleton(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(skeleton).collect()),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(key, value)| (key, skeleton(value))).collect())
        }
        Value::String(_) => Value::String(Vec::new()),
        Value::Number(_) => Value::Number(String::new()),
        other => other,
    }
}
