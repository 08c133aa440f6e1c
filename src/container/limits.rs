//! What fpx accepts from a file's header, in one place. Every error that refuses more names the
//! constant, so that a search for the name leads here.

/// Bytes of a header that is held in memory: the safetensors reference reader's limit.
pub const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Tensors in one file, and in all shards of a folder.
pub const MAX_TENSORS: u64 = 1_000_000;

/// Bytes of a tensor's name: what a zip directory can hold, which npz needs.
pub const MAX_NAME_BYTES: u64 = 65_535;

/// Dimensions of a tensor: NumPy 2's limit, the largest of the formats read.
pub const MAX_DIMENSIONS: u64 = 64;

/// Bytes of one line of text, whose numbers are held in memory.
pub const MAX_LINE_BYTES: u64 = 1 << 20;

/// Bytes of a data set's file to learn from, unpacked, which is held in memory: twice EMNIST's.
pub const MAX_DATA_BYTES: u64 = 1 << 30;

/// Scales of one tensor held in memory at a time; tensors with more go by bands.
pub const MAX_SCALES: u64 = 1 << 18;

/// Refuses `found` of `what` above a limit, naming it.
///
/// # Errors
///
/// A sentence with what was found, the limit and its name.
pub(crate) fn check(what: &str, found: u64, (name, limit): (&str, u64)) -> Result<(), String> {
    if found > limit {
        return Err(format!("{what} is {found}, above the limit {name} = {limit}"));
    }
    Ok(())
}

/// The name and the value of a limit.
macro_rules! limit {
    ($name:ident) => {
        (stringify!($name), $crate::container::limits::$name)
    };
}
pub(crate) use limit;
