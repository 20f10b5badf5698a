#![no_main]
//! The framer against the rules read plainly: events, names, ids, times, limits, and what is left open.

use libfuzzer_sys::fuzz_target;
use oracles::bytes::Dice;
use oracles::{framing, read};

fuzz_target!(|input: &[u8]| {
    let mut dice = Dice(input);
    let limit = dice.choose(&[64 << 20, 1, 8, 40, 300]);
    let expected = framing::read(dice.0, limit);
    assert_eq!(read::read(&[dice.0], limit), expected);
});
