//! The bytes of the fuzzer as decisions. When they are used up, every answer is 0.

/// Takes decisions off the front of the input.
pub struct Dice<'a>(pub &'a [u8]);

impl<'a> Dice<'a> {
    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    /// A number below `bound`, which is at most 65,536.
    pub fn below(&mut self, bound: usize) -> usize {
        let number =
            if bound > 256 { usize::from(self.byte()) << 8 | usize::from(self.byte()) } else { self.byte().into() };
        number % bound.max(1)
    }

    /// One of several.
    pub fn choose<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// At most `most` bytes of the input as they are.
    pub fn take(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// `body` in pieces, cut at places of the input's choice.
    pub fn cut<'b>(&mut self, body: &'b [u8]) -> Vec<&'b [u8]> {
        let mut places: Vec<usize> = (0..self.below(8)).map(|_| self.below((body.len() + 1).min(65_536))).collect();
        places.sort_unstable();
        places.push(body.len());
        let mut start = 0;
        places.into_iter().map(|place| &body[std::mem::replace(&mut start, place)..place]).collect()
    }
}
