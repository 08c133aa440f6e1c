//! fpx: floating-point formats, bit by bit.

#[cfg(not(unix))]
compile_error!("fpx reads and writes files at offsets and renames them at once as Unix does");

#[forbid(unsafe_code)]
pub mod block;
#[forbid(unsafe_code)]
pub mod codec;
#[forbid(unsafe_code)]
pub mod container;
#[forbid(unsafe_code)]
pub mod convert;
#[forbid(unsafe_code)]
pub mod format;
#[forbid(unsafe_code)]
pub mod inspect;
pub mod kernel;
#[forbid(unsafe_code)]
pub mod random;
#[forbid(unsafe_code)]
pub mod report;
#[forbid(unsafe_code)]
pub mod stats;
#[forbid(unsafe_code)]
pub mod sweep;
#[forbid(unsafe_code)]
pub mod text;
#[forbid(unsafe_code)]
pub mod train;
