//! What happens to files when something goes wrong: killed, interrupted, no room, no permission, a file that changes
//! under way. In each case there is one error line, no output under its name, and the input is what it was.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod disk;
mod names;
mod paths;
mod signals;
mod util;
