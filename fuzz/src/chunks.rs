//! The chunked coding of a whole body, line by line. No limits: the inputs are shorter than they are.

/// How the coding ends.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// Behind so many bytes.
    At(usize),
    /// Not yet.
    Open,
    /// It is broken.
    Broken,
}

/// The bytes of the body, and how it ends.
pub fn decode(coded: &[u8]) -> (Vec<u8>, End) {
    let mut body = Vec::new();
    let mut rest = coded;
    let end = loop {
        let size = match size_line(&mut rest) {
            Ok(size) => size,
            Err(end) => break end,
        };
        if size == 0 {
            break trailers(&mut rest).map_or_else(|end| end, |()| End::At(coded.len() - rest.len()));
        }
        let there = rest.len().min(usize::try_from(size).unwrap_or(usize::MAX));
        body.extend_from_slice(&rest[..there]);
        rest = &rest[there..];
        if (there as u64) < size {
            break End::Open;
        }
        match rest {
            [b'\r', b'\n', behind @ ..] => rest = behind,
            [] | [b'\r'] => break End::Open,
            _ => break End::Broken,
        }
    };
    (body, end)
}

/// The size of the next chunk; takes its line off.
fn size_line(rest: &mut &[u8]) -> Result<u64, End> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if digits > 16 {
        return Err(End::Broken);
    }
    let behind = &rest[digits..];
    let Some(&next) = behind.first() else { return Err(End::Open) };
    if digits == 0 || !b"\r; \t".contains(&next) {
        return Err(End::Broken);
    }
    let Some(end) = behind.iter().position(|&byte| byte == b'\r' || byte == b'\n') else { return Err(End::Open) };
    let text = std::str::from_utf8(&rest[..digits]).expect("digits");
    let size = u64::from_str_radix(text, 16).expect("16 digits");
    match &behind[end..] {
        [b'\r', b'\n', behind @ ..] => {
            *rest = behind;
            Ok(size)
        }
        [b'\r'] => Err(End::Open),
        _ => Err(End::Broken),
    }
}

/// Takes the lines behind the last chunk off. A line may end in LF alone; all but the last have a name.
fn trailers(rest: &mut &[u8]) -> Result<(), End> {
    loop {
        match rest {
            [b'\r', b'\n', behind @ ..] | [b'\n', behind @ ..] => {
                *rest = behind;
                return Ok(());
            }
            [] | [b'\r'] => return Err(End::Open),
            [b'\r', ..] => return Err(End::Broken),
            _ => {}
        }
        let Some(end) = rest.iter().position(|&byte| byte == b'\n') else { return Err(End::Open) };
        if !rest[1..end].contains(&b':') {
            return Err(End::Broken);
        }
        *rest = &rest[end + 1..];
    }
}
