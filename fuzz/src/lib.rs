//! What the fuzz targets compare the core with: the same rules once more, as plainly as they can be put.

pub mod bytes;
pub mod chunks;
pub mod framing;
pub mod json;
pub mod read;
pub mod streams;
