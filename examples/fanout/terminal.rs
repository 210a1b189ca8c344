//! Where the text goes: in place on a terminal, line after line elsewhere, nowhere once the reader is gone.

use std::env;
use std::io::{self, IsTerminal as _, Stdout, Write as _};
use std::time::Duration;

pub(crate) struct Terminal {
    out: Stdout,
    /// Whether it is a terminal that can move its cursor.
    in_place: bool,
    /// Lines of the drawing that the next one replaces.
    height: usize,
    gone: bool,
}

impl Terminal {
    pub(crate) fn of_stdout() -> Self {
        let out = io::stdout();
        let in_place = out.is_terminal() && env::var_os("TERM").is_none_or(|terminal| terminal != "dumb");
        Self { out, in_place, height: 0, gone: false }
    }

    /// How often to draw.
    pub(crate) fn period(&self) -> Duration {
        Duration::from_millis(if self.in_place { 250 } else { 2000 })
    }

    /// Writes text that stays.
    pub(crate) fn append(&mut self, text: &str) {
        self.keep();
        self.write(text);
    }

    /// Writes text over the drawing before.
    pub(crate) fn draw(&mut self, text: &str) {
        if !self.in_place {
            self.write(&format!("\n{text}"));
            return;
        }
        let up = if self.height == 0 { "\n".to_owned() } else { format!("\r\x1b[{}A", self.height) };
        // Each line is cleared to its end, and cut rather than wrapped by a narrow terminal: the height must be right.
        let lines = text.replace('\n', "\x1b[K\n");
        self.write(&format!("{up}\x1b[?7l{lines}\x1b[J\x1b[?7h"));
        self.height = text.lines().count();
    }

    /// Lets the last drawing stay where it is.
    pub(crate) fn keep(&mut self) {
        self.height = 0;
    }

    /// Whether nobody reads any more, as behind `| head`.
    pub(crate) fn is_gone(&self) -> bool {
        self.gone
    }

    fn write(&mut self, text: &str) {
        let written = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
        self.gone |= written.is_err();
    }
}
