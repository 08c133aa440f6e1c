//! The core: a code becomes an [`Unpacked`] datum, and a datum becomes a code.
//!
//! ```text
//!     code ── decode ──► Unpacked ──► round ─ saturate ─ encode ──► code
//!                       (the hub)     └─────── project ───────┘
//! ```
//!
//! Nothing in fpx rounds a number anywhere else.
//!
//! ```
//! use fpx::codec::{Projection, Unpacked, decode, project};
//! use fpx::format::{E4M3FN, F16};
//! let code = project(&F16, &Projection::default(), &Unpacked::from_f32(0.1)).code;
//! assert_eq!(code, 0x2e66);
//! assert_eq!(decode(&F16, code).to_f64(), 0.0999755859375);
//! assert_eq!(project(&E4M3FN, &Projection::default(), &Unpacked::from_f32(464.0)).code, 0x7e);
//! ```

mod arithmetic;
mod decode;
mod error;
pub mod neighbor;
mod policy;
mod preset;
mod project;
mod rounding;
mod unpacked;

pub(crate) use arithmetic::project_over;
pub use decode::{Defect, decode, defect};
pub use error::Error;
pub use policy::{NanPolicy, NanTo, Overflow, Projection, Subnormals, Tininess};
pub use preset::{PRESETS, Preset};
pub use project::{Flags, Projected, project};
pub use rounding::{
    Decides, Overflows, RDN, RNA, RNE, ROUNDING_MODES, RTO, RTZ, RUP, Rounding, RoundingError,
    RoundingMode, SR, Tail,
};
pub use unpacked::{Kind, QUIET_BIT, Unpacked};
