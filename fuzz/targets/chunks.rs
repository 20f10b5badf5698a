#![no_main]
//! The chunked transfer coding against a decoder that has all of it at once, under any cut.

use eugpt_fast::http1::Chunks;
use libfuzzer_sys::fuzz_target;
use oracles::bytes::Dice;
use oracles::chunks::{End, decode};

fuzz_target!(|input: &[u8]| {
    let mut dice = Dice(input);
    let mut places = Dice(dice.take(8));
    let coded = dice.0;
    let expected = decode(coded);
    assert_eq!(ours(&[coded]), expected);
    assert_eq!(ours(&places.cut(coded)), expected);
    assert_eq!(ours(&coded.chunks(1).collect::<Vec<_>>()), expected);
});

fn ours(pieces: &[&[u8]]) -> (Vec<u8>, End) {
    let (mut chunks, mut body, mut used) = (Chunks::default(), Vec::new(), 0);
    for piece in pieces {
        match chunks.decode(piece, &mut body) {
            Ok(taken) => {
                used += taken;
                assert!(taken == piece.len() || chunks.is_done());
            }
            Err(_) => return (body, End::Broken),
        }
        if chunks.is_done() {
            return (body, End::At(used));
        }
    }
    (body, End::Open)
}
