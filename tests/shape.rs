//! Prediction does happen, and never on what is not proved.

use eugpt_fast::json::shapes::Shapes;

fn delta(number: usize) -> Vec<u8> {
    format!(
        r#"{{"type":"response.output_text.delta","sequence_number":{number},"item_id":"msg_1","delta":" w{}","logprobs":[]}}"#,
        number % 5
    )
    .into_bytes()
}

/// How many of the documents match a shape that the ones before them left.
fn hits(shapes: &mut Shapes, documents: impl Iterator<Item = Vec<u8>>) -> usize {
    let mut fillings = Vec::new();
    documents
        .filter(|document| {
            let hit = shapes.find(document, &mut fillings) == Some(document.len());
            if !hit {
                shapes.learn(document);
            }
            hit
        })
        .count()
}

#[test]
fn a_stream_that_repeats_itself_is_predicted_but_for_its_beginning() {
    assert!(hits(&mut Shapes::default(), (0..1000).map(delta)) >= 985);
}

#[test]
fn the_type_may_stand_last_and_numbers_may_grow() {
    let last = |n: usize| format!(r#"{{"delta":"{n}","sequence_number":{n},"type":"response.output_text.delta"}}"#);
    assert!(hits(&mut Shapes::default(), (0..2000).map(|n| last(n).into_bytes())) >= 1975);
}

#[test]
fn shapes_that_take_turns_are_all_kept() {
    let turn = |n: usize| if n % 2 == 0 { delta(n) } else { format!(r#"{{"type":"keepalive","n":{n}}}"#).into_bytes() };
    assert!(hits(&mut Shapes::default(), (0..1000).map(turn)) >= 970);
}

#[test]
fn a_value_that_held_for_long_is_learned_anew_with_one_miss() {
    let item = |n: usize| format!(r#"{{"type":"d","item_id":"msg_{}","delta":"{n}"}}"#, n / 100).into_bytes();
    let hit = hits(&mut Shapes::default(), (0..1000).map(item));
    assert!((975..=990).contains(&hit), "{hit}");
}

#[test]
fn no_changed_document_matches_unless_only_a_hole_changed() {
    let mut shapes = Shapes::default();
    hits(&mut shapes, (0..20).map(delta));
    let document = delta(21);
    let mut fillings = Vec::new();
    assert_eq!(shapes.find(&document, &mut fillings), Some(document.len()));
    for at in 0..document.len() {
        for byte in [b'"', b'\\', b'{', b'}', b',', b'0', b'.', b'x', b' ', 0x01, 0xFF] {
            let mut changed = document.clone();
            changed[at] = byte;
            if shapes.find(&changed, &mut fillings).is_some() {
                let in_number = document[at].is_ascii_digit() && changed[at].is_ascii_digit();
                let in_string = at > 0 && (b" w1".contains(&document[at]) || document[at].is_ascii_alphanumeric());
                assert!(changed == document || in_number || in_string, "{}", String::from_utf8_lossy(&changed));
                if std::str::from_utf8(&changed).is_ok() {
                    let end = fillings.last().expect("holes").token(&changed).raw;
                    assert!(!end.contains(&b'"') && end.iter().all(|&byte| byte >= 0x20));
                }
            }
        }
        assert!(shapes.find(&document[..at], &mut fillings).is_none());
    }
}

#[test]
fn a_document_is_found_at_the_start_of_more_bytes() {
    let mut shapes = Shapes::default();
    hits(&mut shapes, (0..20).map(delta));
    let document = delta(21);
    for more in [b"\n\nevent: x".as_slice(), b"}", b"x", b""] {
        let ahead = [&document, more].concat();
        assert_eq!(shapes.find(&ahead, &mut Vec::new()), Some(document.len()));
    }
}

#[test]
#[cfg_attr(miri, ignore = "too much for Miri")]
fn documents_that_never_come_again_cost_bounded_memory() {
    let mut shapes = Shapes::default();
    let odd = |n: usize| format!(r#"{{"type":"t{n}","k{n}":{n}}}"#).into_bytes();
    assert_eq!(hits(&mut shapes, (0..10_000).map(odd)), 0);
    assert!(hits(&mut shapes, (0..1000).map(delta)) >= 700, "learning recovers");
}

/// A short stream: every kind of event comes once, with ids of its own.
fn short_stream(number: usize) -> impl Iterator<Item = Vec<u8>> {
    ["created", "in_progress", "output_item.added", "output_text.done", "completed"].into_iter().map(move |kind| {
        format!(r#"{{"type":"response.{kind}","response":{{"id":"resp_{number}","output":[]}},"n":1}}"#).into_bytes()
    })
}

#[test]
fn events_that_come_once_in_a_stream_are_learned_from_many_streams() {
    let mut shapes = Shapes::default();
    hits(&mut shapes, (0..10).flat_map(short_stream));
    assert_eq!(hits(&mut shapes, (10..100).flat_map(short_stream)), 90 * 5);
}

#[test]
fn events_of_one_type_and_several_structures_are_all_learned() {
    let item = |n: usize| match n % 4 {
        0 => format!(r#"{{"type":"added","item":{{"id":"a{n}"}}}}"#).into_bytes(),
        1 => format!(r#"{{"type":"added","item":{{"id":"a{n}","name":"x"}}}}"#).into_bytes(),
        2 => format!(r#"{{"type":"added","item":{{"id":"a{n}","content":[]}}}}"#).into_bytes(),
        _ => format!(r#"{{"type":"added","item":null,"n":{n}}}"#).into_bytes(),
    };
    let mut shapes = Shapes::default();
    hits(&mut shapes, (0..400).map(item));
    assert_eq!(hits(&mut shapes, (400..800).map(item)), 400);
}

#[test]
#[cfg_attr(miri, ignore = "too much for Miri")]
fn a_shape_in_use_does_not_give_way_to_those_that_are_not() {
    let mut shapes = Shapes::default();
    hits(&mut shapes, (0..20).map(delta));
    let turn = |n: usize| {
        let other = format!(r#"{{"type":"t{}","n":{n}}}"#, n / 40).into_bytes();
        [delta(n), other]
    };
    assert!(hits(&mut shapes, (0..4000).flat_map(turn)) >= 4000, "a delta was lost");
}
