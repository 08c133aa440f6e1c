//! The `fpx` command.
fn main() {}
