//! JSON text, read without building anything.
//!
//! The language is that of Python's `json.loads` on text: RFC 8259 plus `NaN`, `Infinity`, `-Infinity` and lone
//! surrogates in escapes. At the first surprise these modules say [`Surprise`] and nothing more: the caller then
//! asks `json.loads` itself, which either knows better or names the error and its place.

pub mod escapes;
pub mod lexer;
pub mod shape;
pub mod shapes;
pub mod skim;

/// The text is not plain JSON as read here. What is wrong, if anything, `json.loads` will say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surprise;

/// Containers may be nested this deep; beyond, `json.loads` decides (its limit is the interpreter's stack). Ours must
/// fit the smallest stack that Python gives a thread, 32 KiB.
pub const MAX_DEPTH: usize = 48;

/// Integers of more digits go through `int()`, which may refuse them. 640 is the lowest limit that
/// `sys.set_int_max_str_digits` accepts.
pub const MAX_DIGITS: usize = 640;
