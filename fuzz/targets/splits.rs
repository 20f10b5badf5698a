#![no_main]
//! Chunking never changes the answer: of the framer, of what is foreseen, of the account, and of HTTP heads.

use eugpt_fast::http1::HeadReader;
use eugpt_fast::json::shapes::Shapes;
use eugpt_fast::responses::{Account, Head};
use libfuzzer_sys::fuzz_target;
use oracles::bytes::Dice;
use oracles::read::{self, Seen, told};

/// Bodies of at most so many bytes are cut everywhere.
const SHORT: usize = 160;

fuzz_target!(|input: &[u8]| {
    let mut dice = Dice(input);
    let limit = dice.choose(&[64 << 20, 1, 8, 40, 300]);
    let mut places = Dice(dice.take(8));
    let body = dice.0;
    let whole = (read::read(&[body], limit), foreseen(&[body], limit), head(&[body]));
    let check = |chunks: &[&[u8]]| {
        assert_eq!((read::read(chunks, limit), foreseen(chunks, limit), head(chunks)), whole, "{chunks:?}");
    };
    check(&places.cut(body));
    check(&body.chunks(1).collect::<Vec<_>>());
    if body.len() <= SHORT {
        (0..body.len()).for_each(|at| check(&[&body[..at], &body[at..]]));
    }
});

/// The data of the events, or the limit in their place, and the account that they leave.
fn foreseen(chunks: &[&[u8]], limit: usize) -> (Vec<Result<Vec<u8>, usize>>, String) {
    let (mut log, mut account) = (Vec::new(), Account::default());
    let mut enter = |payload: &[u8]| Head::read(payload).map(|head| account.enter(&head)).is_ok();
    read::foresee(chunks, limit, &mut Shapes::default(), |seen| match seen {
        Seen::Foreseen(payload, ..) => {
            assert!(enter(payload), "what is foreseen is JSON");
            log.push(Ok(payload.to_vec()));
        }
        Seen::Read(payload, shapes) => {
            if enter(payload) {
                shapes.learn(payload);
            }
            log.push(Ok(payload.to_vec()));
        }
        Seen::TooLarge(limit) => log.push(Err(limit)),
    });
    (log, told(&account))
}

/// The head that `chunks` start with, and how many bytes are its own.
fn head(chunks: &[&[u8]]) -> String {
    let (mut reader, mut pushed) = (HeadReader::default(), 0);
    for chunk in chunks {
        reader.push(chunk);
        pushed += chunk.len();
        match reader.take() {
            Ok(None) => {}
            Ok(Some(head)) => return format!("{head:?} of {}", pushed - reader.rest().len()),
            Err(error) => return format!("{error:?}"),
        }
    }
    format!("none, {} bytes kept", reader.rest().len())
}
