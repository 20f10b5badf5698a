//! Reads a whole document to its end and builds nothing: is it JSON, and which members has its top-level object?

use super::lexer::{Lexer, Number, Str};
use super::{MAX_DEPTH, MAX_DIGITS, Surprise};

/// Checks `text` and calls `member` with the key and the text of the value of every member of the top-level object,
/// in order. True if `json.loads` may still refuse it: nested too deep, or an integer with too many digits.
pub fn skim<'a>(text: &'a [u8], mut member: impl FnMut(Str<'a>, &'a [u8])) -> Result<bool, Surprise> {
    let mut lexer = Lexer::new(text);
    let mut doubtful = false;
    if lexer.peek() == b'{' {
        lexer.bump();
        if lexer.peek() == b'}' {
            lexer.bump();
        } else {
            loop {
                let key = lexer.key()?;
                lexer.peek();
                let start = lexer.at();
                skip_value(&mut lexer, &mut doubtful)?;
                member(key, &text[start..lexer.at()]);
                match lexer.peek() {
                    b',' => lexer.bump(),
                    b'}' => break lexer.bump(),
                    _ => return Err(Surprise),
                }
            }
        }
    } else {
        skip_value(&mut lexer, &mut doubtful)?;
    }
    lexer.end()?;
    Ok(doubtful)
}

/// Skips one value. A loop with a stack of its own: no nesting can overflow the thread's.
fn skip_value(lexer: &mut Lexer<'_>, doubtful: &mut bool) -> Result<(), Surprise> {
    let mut open: Vec<u8> = Vec::new();
    loop {
        match lexer.peek() {
            b'"' => drop(lexer.string()?),
            b'n' => lexer.literal(b"null")?,
            b't' => lexer.literal(b"true")?,
            b'f' => lexer.literal(b"false")?,
            container @ (b'{' | b'[') => {
                lexer.bump();
                let close = container + 2; // '{' and '}', '[' and ']' are two apart in ASCII
                if lexer.peek() == close {
                    lexer.bump();
                } else {
                    open.push(close);
                    *doubtful |= open.len() >= MAX_DEPTH;
                    if close == b'}' {
                        lexer.key()?;
                    }
                    continue;
                }
            }
            b'-' | b'0'..=b'9' | b'N' | b'I' => {
                *doubtful |= matches!(lexer.number()?, Number::Integer(token) if token.len() > MAX_DIGITS);
            }
            _ => return Err(Surprise),
        }
        // A value is complete: close what ends here, then on to the next one.
        loop {
            let Some(&close) = open.last() else { return Ok(()) };
            match lexer.peek() {
                b',' => {
                    lexer.bump();
                    if close == b'}' {
                        lexer.key()?;
                    }
                    break;
                }
                byte if byte == close => {
                    lexer.bump();
                    open.pop();
                }
                _ => return Err(Surprise),
            }
        }
    }
}
