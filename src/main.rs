//! The program: hands its arguments to `cli` and ends with its exit code.

/// A broker and a tree of YAML are many small things: this allocator serves them faster than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    rmqplay::cli::main()
}
