//! The `voicera` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    voicera::cli::main()
}
