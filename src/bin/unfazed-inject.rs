//! The `unfazed-inject` command.

fn main() -> std::process::ExitCode {
    unfazed::inject::command::main()
}
