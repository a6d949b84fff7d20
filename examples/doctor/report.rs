//! Checks and their results.

/// Most characters of a text from outside.
const MAX_TEXT_CHARS: usize = 160;
/// Most characters of a result, and of a fix.
const MAX_RESULT_CHARS: usize = 1000;

/// Result of a check.
pub(super) struct Check {
    pub(super) id: &'static str,
    pub(super) state: State,
    /// Value that was found.
    pub(super) found: String,
    /// What to correct, for a failed check.
    pub(super) fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Failed,
    NotChecked,
    Ok,
    Warning,
}

/// Results in the order of the checks.
#[derive(Default)]
pub(super) struct Report {
    checks: Vec<Check>,
}

impl State {
    /// Returns the name in JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::NotChecked => "not_checked",
            Self::Ok => "ok",
            Self::Warning => "warning",
        }
    }
}

impl Report {
    pub(super) fn ok(&mut self, id: &'static str, found: impl AsRef<str>) {
        self.add(id, State::Ok, found.as_ref(), None);
    }

    pub(super) fn failed(
        &mut self,
        id: &'static str,
        found: impl AsRef<str>,
        fix: impl AsRef<str>,
    ) {
        self.add(id, State::Failed, found.as_ref(), Some(fix.as_ref()));
    }

    pub(super) fn not_checked(&mut self, id: &'static str, found: impl AsRef<str>) {
        self.add(id, State::NotChecked, found.as_ref(), None);
    }

    pub(super) fn warning(&mut self, id: &'static str, found: impl AsRef<str>) {
        self.add(id, State::Warning, found.as_ref(), None);
    }

    fn add(&mut self, id: &'static str, state: State, found: &str, fix: Option<&str>) {
        self.checks.push(Check {
            id,
            state,
            found: cut(&printable(found), MAX_RESULT_CHARS),
            fix: fix.map(|fix| cut(&printable(fix), MAX_RESULT_CHARS)),
        });
    }

    pub(super) fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// Returns whether no check failed.
    pub(super) fn is_ok(&self) -> bool {
        !self.checks.iter().any(|check| check.state == State::Failed)
    }
}

/// Returns a text from outside, escaped and cut.
pub(super) fn shown(text: &str) -> String {
    cut(&printable(text), MAX_TEXT_CHARS)
}

/// Escapes characters that are invisible, or control a terminal or the direction of the text.
fn printable(text: &str) -> String {
    let mut printable = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            // The quotes and backslashes of texts that are escaped already.
            '"' | '\'' | '\\' => printable.push(character),
            _ => printable.extend(character.escape_debug()),
        }
    }
    printable
}

fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_outside_are_escaped_and_cut() {
        assert_eq!(shown("https://ä/ \"a\" 'b' \\"), "https://ä/ \"a\" 'b' \\");
        for hostile in [
            "\u{1b}[2J",
            "\r\n",
            "\u{9b}31m",
            "\u{202e}",
            "\u{200b}",
            "\0",
            "\u{7f}",
            "\u{2028}",
            "\u{e0041}",
        ] {
            let shown = shown(hostile);
            assert!(shown.starts_with('\\'), "{shown}");
            assert!(shown.chars().all(|one| one.is_ascii_graphic()), "{shown}");
        }
        let long = shown(&"\u{1b}".repeat(10_000));
        assert_eq!(long.chars().count(), MAX_TEXT_CHARS + 3);
        let mut report = Report::default();
        report.failed("key", "x\n".repeat(10_000), "y\u{1b}".repeat(10_000));
        let check = &report.checks()[0];
        assert_eq!(check.found.len(), MAX_RESULT_CHARS + 3);
        assert!(!check.fix.as_ref().unwrap().contains('\u{1b}'));
        assert!(!report.is_ok());
    }
}
