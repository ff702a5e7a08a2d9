//! The command line of unit-atlas.

fn main() -> std::process::ExitCode {
    base::memory::grow_in_large_steps();
    cli::main()
}
