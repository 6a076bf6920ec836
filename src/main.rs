//! The program: hands its arguments to `cli` and exits with its code.

fn main() {}
