//! The `unfazed` command.

fn main() -> std::process::ExitCode {
    unfazed::cli::main()
}
