//! The command line of unit-atlas.

fn main() -> std::process::ExitCode {
    unit_atlas::cli::main()
}
