//! The inner loops over bytes: where does a string end, is it ASCII, and is this what was expected?

/// Whether `text` starts with `expected`. Inlined blocks: a call of `memcmp` for each of the four short pieces between
/// the holes of a delta was 14 % of the time of `feed`.
#[inline(always)]
pub fn starts_with(text: &[u8], expected: &[u8]) -> bool {
    let Some(text) = text.get(..expected.len()) else { return false };
    match (text.last_chunk::<16>(), expected.last_chunk::<16>()) {
        (Some(end), Some(expected_end)) => {
            let blocks = text.chunks_exact(16).zip(expected.chunks_exact(16));
            blocks.into_iter().all(|(block, expected)| block == expected) && end == expected_end
        }
        _ => is_short_and_equal(text, expected),
    }
}

#[inline(always)]
fn is_short_and_equal(text: &[u8], expected: &[u8]) -> bool {
    macro_rules! ends {
        ($size:literal) => {
            if let (Some(first), Some(expected_first), Some(last), Some(expected_last)) = (
                text.first_chunk::<$size>(),
                expected.first_chunk::<$size>(),
                text.last_chunk::<$size>(),
                expected.last_chunk::<$size>(),
            ) {
                return first == expected_first && last == expected_last;
            }
        };
    }
    ends!(8);
    ends!(4);
    text.iter().zip(expected).all(|(byte, expected)| byte == expected)
}

/// The offset of the next quote, backslash or control character at or after `at`; the length if there is none.
/// Clears `ascii` if a byte before it is not ASCII.
#[inline(always)]
pub fn next_special(text: &[u8], at: usize, ascii: &mut bool) -> usize {
    // Most strings end in their first block: that much is worth inlining.
    if let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let marks = Marks::of(block);
        if let Some(offset) = marks.first_special() {
            *ascii &= marks.is_ascii_before(offset);
            return at + offset;
        }
        *ascii &= marks.is_ascii();
        return next_special_far(text, at + BLOCK, ascii);
    }
    next_special_far(text, at, ascii)
}

fn next_special_far(text: &[u8], mut at: usize, ascii: &mut bool) -> usize {
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let marks = Marks::of(block);
        if let Some(offset) = marks.first_special() {
            *ascii &= marks.is_ascii_before(offset);
            return at + offset;
        }
        *ascii &= marks.is_ascii();
        at += BLOCK;
    }
    let Some(block) = text.last_chunk() else { return next_in_short(text, at, ascii) };
    if at >= text.len() {
        return text.len();
    }
    // The last whole block once more, without the bytes before `at`.
    let marks = Marks::of(block).after(at + BLOCK - text.len());
    match marks.first_special() {
        Some(offset) => {
            *ascii &= marks.is_ascii_before(offset);
            at + offset
        }
        None => {
            *ascii &= marks.is_ascii();
            text.len()
        }
    }
}

fn next_in_short(text: &[u8], at: usize, ascii: &mut bool) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let len = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20).unwrap_or(rest.len());
    *ascii &= rest[..len].is_ascii();
    at + len
}

/// A hash of the length and the first and last eight bytes: the names of one API differ there.
#[inline]
pub fn fingerprint(name: &[u8]) -> u32 {
    let word = |chunk: Option<&[u8; 8]>| chunk.map(|bytes| u64::from_le_bytes(*bytes));
    let (first, last) = match (word(name.first_chunk()), word(name.last_chunk())) {
        (Some(first), Some(last)) => (first, last),
        _ => (name.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)), 0),
    };
    let mixed = (first ^ last.rotate_left(29) ^ name.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 32) as u32 // the low bits of a product know little of its factors
}

#[cfg(target_arch = "x86_64")]
pub use sse2::{BLOCK, Marks};
#[cfg(not(target_arch = "x86_64"))]
pub use swar::{BLOCK, Marks};

/// Sixteen bytes at a step with SSE2, which every x86-64 has.
#[cfg(target_arch = "x86_64")]
mod sse2 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    };

    pub const BLOCK: usize = 16;

    /// One bit per byte.
    #[derive(Clone, Copy)]
    pub struct Marks {
        special: u32,
        wide: u32,
    }

    impl Marks {
        #[inline]
        #[allow(unsafe_code)]
        pub fn of(block: &[u8; BLOCK]) -> Self {
            // SAFETY: SSE2 is part of the x86-64 baseline, and the load is unaligned and inside the array.
            let (special, wide) = unsafe {
                let bytes = _mm_loadu_si128(block.as_ptr().cast());
                let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
                let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
                let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
                let special = _mm_or_si128(_mm_or_si128(quote, backslash), control);
                (_mm_movemask_epi8(special), _mm_movemask_epi8(bytes))
            };
            Self { special: special as u32, wide: wide as u32 }
        }

        /// Without the first `count` bytes.
        #[inline]
        pub fn after(self, count: usize) -> Self {
            Self { special: self.special >> count, wide: self.wide >> count }
        }

        #[inline]
        pub fn first_special(&self) -> Option<usize> {
            (self.special != 0).then(|| self.special.trailing_zeros() as usize)
        }

        /// The first at or after `from`, which is inside the block.
        #[inline]
        pub fn next_special(&self, from: usize) -> Option<usize> {
            Self { special: self.special & (!0 << from), ..*self }.first_special()
        }

        #[inline]
        pub fn is_ascii_before(&self, offset: usize) -> bool {
            self.wide & ((1 << offset) - 1) == 0
        }

        #[inline]
        pub fn is_ascii(&self) -> bool {
            self.wide == 0
        }
    }
}

/// Eight bytes at a step in a plain register.
#[cfg(any(test, not(target_arch = "x86_64")))]
#[cfg_attr(target_arch = "x86_64", allow(dead_code))]
mod swar {
    pub const BLOCK: usize = 8;
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    const LOWS: u64 = !HIGHS;

    /// The high bit of each byte.
    #[derive(Clone, Copy)]
    pub struct Marks {
        special: u64,
        wide: u64,
    }

    impl Marks {
        #[inline]
        pub fn of(block: &[u8; BLOCK]) -> Self {
            let word = u64::from_le_bytes(*block);
            let quote = word ^ (ONES * u64::from(b'"'));
            let backslash = word ^ (ONES * u64::from(b'\\'));
            // No sum carries into the next byte, so every mark is right: the high bit of a sum is set unless the byte is 0,
            // or below 0x20.
            let nonzero = |bytes: u64| ((bytes & LOWS) + LOWS) | bytes;
            let printing = ((word & LOWS) + ONES * 0x60) | word;
            let special = !(nonzero(quote) & nonzero(backslash) & printing);
            Self { special: special & HIGHS, wide: word & HIGHS }
        }

        /// Without the first `count` bytes.
        #[inline]
        pub fn after(self, count: usize) -> Self {
            Self { special: self.special >> (count * 8), wide: self.wide >> (count * 8) }
        }

        #[inline]
        pub fn first_special(&self) -> Option<usize> {
            (self.special != 0).then(|| (self.special.trailing_zeros() / 8) as usize)
        }

        /// The first at or after `from`, which is inside the block.
        #[inline]
        pub fn next_special(&self, from: usize) -> Option<usize> {
            Self { special: self.special & (!0 << (from * 8)), ..*self }.first_special()
        }

        #[inline]
        pub fn is_ascii_before(&self, offset: usize) -> bool {
            self.wide & ((1u64 << (offset * 8)) - 1) == 0
        }

        #[inline]
        pub fn is_ascii(&self) -> bool {
            self.wide == 0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{next_special, swar};

    /// Those that are tried: all, but for Miri, which takes a thousand times as long.
    fn bytes() -> Vec<u8> {
        if cfg!(miri) { b"\0\x1F \"\\x\x7F\x80\xC3\xFF".to_vec() } else { (0..=255).collect() }
    }

    fn lengths() -> impl Iterator<Item = usize> {
        (0..40).step_by(if cfg!(miri) { 7 } else { 1 })
    }

    #[test]
    fn every_byte_is_found_at_every_place() {
        for byte in bytes() {
            for (at, len) in lengths().flat_map(|len| (0..len).map(move |at| (at, len))) {
                let mut text = vec![b'x'; len];
                text[at] = byte;
                let special = byte == b'"' || byte == b'\\' || byte < 0x20;
                for start in 0..=len {
                    let mut ascii = true;
                    let found = next_special(&text, start, &mut ascii);
                    assert_eq!(found, if special && start <= at { at } else { len });
                    assert_eq!(ascii, byte < 0x80 || start > at);
                }
            }
        }
    }

    #[test]
    fn a_wide_byte_behind_the_end_does_not_count() {
        let mut ascii = true;
        assert_eq!(next_special("abc\"é, and so on until a block is full".as_bytes(), 0, &mut ascii), 3);
        assert!(ascii);
    }

    #[test]
    fn both_kinds_of_blocks_agree() {
        for first in bytes() {
            for second in bytes() {
                let block = [first, b'a', second, 0xC3, b'"', first, second, 0x1F];
                let marks = swar::Marks::of(&block);
                let special = |&at: &usize| block[at] == b'"' || block[at] == b'\\' || block[at] < 0x20;
                let naive = (0..8).find(special);
                assert_eq!(marks.first_special(), naive);
                for from in 0..8 {
                    assert_eq!(marks.next_special(from), (from..8).find(special));
                }
                for offset in 0..naive.unwrap_or(8) {
                    assert_eq!(marks.is_ascii_before(offset), block[..offset].is_ascii());
                }
                assert_eq!(marks.is_ascii(), block.is_ascii());
            }
        }
    }
}
