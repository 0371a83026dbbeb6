//! What goes to the terminal: results to standard output, talk to standard error.

use std::io::{self, ErrorKind, IsTerminal, Write};

use crate::cli::arguments::ColorChoice;
use crate::report::Style;

/// How much is said, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    quiet: bool,
    style: Style,
}

impl Terminal {
    /// Decides on colour: as asked, else only on a terminal and without `NO_COLOR`.
    pub(crate) fn new(quiet: bool, color: ColorChoice) -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "NO_COLOR is part of the terminal's contract"
        )]
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let style = match color {
            ColorChoice::Always => Style::Ansi,
            ColorChoice::Never => Style::Plain,
            ColorChoice::Auto if !no_color && io::stdout().is_terminal() => Style::Ansi,
            ColorChoice::Auto => Style::Plain,
        };
        Self { quiet, style }
    }

    /// Whether nothing is said but what went wrong.
    pub(crate) const fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Style of text on standard output.
    pub(crate) const fn style(self) -> Style {
        self.style
    }

    /// Writes a result to standard output. A reader that went away is no error.
    #[expect(clippy::unused_self, reason = "a result needs a terminal that was decided on")]
    pub(crate) fn result(self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Whether it says more than what must not be missed.
    pub(crate) const fn is_talkative(self) -> bool {
        !self.quiet
    }

    /// Says something to the person, unless asked to be quiet.
    pub(crate) fn say(self, text: &str) {
        if !self.quiet {
            Self::complain(text);
        }
    }

    /// Says something that must not be missed.
    pub(crate) fn complain(text: &str) {
        // If even standard error is closed there is nobody left to tell.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }
}
