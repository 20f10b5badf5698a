//! The stages of the core, each as a closure that does its work once: `core` takes their time, `count` lets valgrind
//! count their instructions.

mod collector;
mod traffic;

use std::hint::black_box;

use eugpt_fast::json::shapes::Shapes;
use eugpt_fast::json::skim::skim;
use eugpt_fast::responses::{Account, Head};
use eugpt_fast::sse::Framer;

use collector::Collector;
use traffic::{DELTAS, arguments, cut, deltas, framed, terminal};

const LIMIT: usize = 64 << 20;
const KIB_64: Option<usize> = Some(64 << 10);
const CHUNKINGS: [(&str, Option<usize>); 4] =
    [("per event", None), ("64 KiB", KIB_64), ("1400 B", Some(1400)), ("16 B", Some(16))];

/// One piece of work.
pub struct Stage {
    /// `group/what`.
    pub name: String,
    /// How many events it goes through.
    pub events: usize,
    /// How many bytes these are.
    pub bytes: usize,
    /// Goes through them once.
    pub run: Box<dyn FnMut()>,
}

/// All stages, from the bytes upwards.
pub fn all() -> Vec<Stage> {
    let mut stages = Vec::new();
    for (ending, line_end) in [("LF", "\n"), ("CRLF", "\r\n")] {
        for (chunking, size) in CHUNKINGS {
            let chunks = cut(framed(&deltas(), line_end), size);
            stages.push(framing(&format!("framing/{ending}, {chunking}"), chunks));
        }
    }
    let extended = deltas().iter().map(|text| text.replace("\"}", "\",\"more\":null}")).collect();
    stages.extend([
        skimming("skim/deltas", deltas()),
        skimming("skim/terminal event of 1 MB", vec![terminal()]),
        finding("find/hit", deltas(), DELTAS),
        finding("find/miss at the type", (0..DELTAS).map(arguments).collect(), 0),
        finding("find/miss at the end", extended, 0),
        reading("account/read", deltas()),
        predicting("account/predicted", deltas()),
        collecting("collect/per event", cut(framed(&deltas(), "\n"), None)),
        collecting("collect/64 KiB", cut(framed(&deltas(), "\n"), KIB_64)),
    ]);
    stages
}

/// Framing alone.
fn framing(name: &str, chunks: Vec<Vec<u8>>) -> Stage {
    stage(name, DELTAS, chunks, |chunks| {
        let mut events = 0;
        frame(chunks, |data| events += usize::from(!black_box(data).is_empty()));
        assert_eq!(events, DELTAS);
    })
}

/// The look at a payload that names its members and builds nothing.
fn skimming(name: &str, payloads: Vec<String>) -> Stage {
    over(name, payloads, |payloads| {
        for payload in payloads {
            let skimmed = skim(payload, |key, value| {
                black_box((key, value));
            });
            assert_eq!(skimmed, Ok(false));
        }
    })
}

/// Prediction by itself; `hits` of the payloads are as expected.
fn finding(name: &str, payloads: Vec<String>, hits: usize) -> Stage {
    let mut shapes = Shapes::default();
    let mut fillings = Vec::new();
    for payload in deltas() {
        if shapes.find(payload.as_bytes(), &mut fillings).is_none() {
            shapes.learn(payload.as_bytes());
        }
    }
    over(name, payloads, move |payloads| {
        let found = payloads.iter().filter(|payload| shapes.find(black_box(payload), &mut fillings).is_some()).count();
        assert_eq!(found, hits);
    })
}

/// Head and account of payloads that have to be read.
fn reading(name: &str, payloads: Vec<String>) -> Stage {
    over(name, payloads, |payloads| {
        let mut account = Account::default();
        for payload in payloads {
            account.enter(&Head::read(payload).unwrap_or_default());
        }
        assert_eq!((account.events, account.text.is_empty()), (DELTAS as u64, false));
    })
}

/// Head and account of payloads whose shape is known.
fn predicting(name: &str, payloads: Vec<String>) -> Stage {
    over(name, payloads, |payloads| {
        let mut collector = Collector::default();
        payloads.iter().for_each(|payload| collector.take(payload, false));
        assert!(collector.has_collected(DELTAS));
    })
}

/// All that `collect()` does.
fn collecting(name: &str, chunks: Vec<Vec<u8>>) -> Stage {
    stage(name, DELTAS, chunks, |chunks| {
        let mut collector = Collector::default();
        let mut framer = Framer::new(LIMIT);
        for chunk in chunks {
            let mut rest = chunk.as_slice();
            loop {
                if let Some(payload) = framer.expected(&mut rest, |ahead| collector.foresee(ahead)) {
                    collector.take(payload, true);
                    continue;
                }
                let Ok(Some(event)) = framer.next(&mut rest) else { break };
                collector.take(event.data, false);
            }
        }
        assert!(collector.has_collected(DELTAS));
    })
}

fn frame(chunks: &[Vec<u8>], mut each: impl FnMut(&[u8])) {
    let mut framer = Framer::new(LIMIT);
    for chunk in chunks {
        let mut rest = chunk.as_slice();
        while let Ok(Some(event)) = framer.next(&mut rest) {
            each(event.data);
        }
    }
}

fn over(name: &str, payloads: Vec<String>, run: impl FnMut(&[Vec<u8>]) + 'static) -> Stage {
    stage(name, payloads.len(), payloads.into_iter().map(String::into_bytes).collect(), run)
}

fn stage(name: &str, events: usize, input: Vec<Vec<u8>>, mut run: impl FnMut(&[Vec<u8>]) + 'static) -> Stage {
    let bytes = input.iter().map(Vec::len).sum();
    Stage { name: name.to_owned(), events, bytes, run: Box::new(move || run(black_box(&input))) }
}
