//! Floating-point formats, bit by bit: what they do to numbers, tensors and training.
//!
//! A [`Format`](format::Format) is a row of facts: width, precision, bias, which codes are infinities and
//! NaNs. Everything else follows from it, and one function rounds for all of them:
//!
//! ```text
//!                     ┌────────────── codec: the core ─────────────┐
//! text ── literal ──┐ │                                            │ ┌── render ── text
//!                   ├─┼──► Unpacked ── round ─ saturate ─ encode ──┼─┤
//! code ── decode ───┘ │    (the hub)   └──────── project ────────┘ │ └── code
//!                     └────────────────────────────────────────────┘
//!
//! file ── container ──► tensors ──► kernel (project in lanes) ──► container ── file
//! ```
//!
//! A number is read exactly, projected once, and the result is a code with IEEE's flags:
//!
//! ```
//! use fpx::{
//!     codec::{Flags, Overflow, Projection, decode, project},
//!     format::{self, E4M3FN},
//!     text::{literal, render},
//! };
//!
//! let x = literal::parse_number("465").unwrap();
//! let ieee = project(&E4M3FN, &Projection::default(), &x);
//! assert_eq!(ieee.code, 0x7f); // NaN: E4M3FN has no infinity
//! assert!(ieee.flags.contains(Flags::OVERFLOW));
//!
//! let saturating = Projection { overflow: Overflow::Saturate, ..Projection::default() };
//! let largest = project(&E4M3FN, &saturating, &x).code;
//! assert_eq!(render::exact(&decode(&E4M3FN, largest)), "448");
//!
//! // A format of your own is a name away.
//! let mine = format::parse("e4m3:bias=11:fnuz").unwrap().format;
//! assert_eq!(render::value(&mine, mine.largest_finite()), "30");
//! ```
//!
//! The rooms, in the order in which they may use one another:
//!
//! | room | turns |
//! | --- | --- |
//! | [`format`](mod@format) | a name into a format |
//! | [`codec`] | a code into an [`Unpacked`](codec::Unpacked) datum, and a datum into a code |
//! | [`text`] | text into data, exactly, and data into text |
//! | [`random`] | seed, stream and index into bits and samples |
//! | [`kernel`] | slices into slices, as the codec would, in lanes |
//! | [`block`] | blocks of numbers into elements under a shared scale |
//! | [`stats`] | errors into sums that merge exactly in any order |
//! | [`report`] | rows and columns into tables, CSV, JSON and charts |
//! | [`container`] | files into tensors and back |
//! | [`convert`], [`inspect`], [`sweep`], [`train`] | the four jobs, each a configuration into a report |

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
