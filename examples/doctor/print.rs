//! Output of a report: lines, or JSON.

use std::{
    env,
    fmt::Write as _,
    io::{self, IsTerminal as _, Write as _},
};

use serde_json::json;

use super::report::{Report, State};

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    has_colour: bool,
    is_utf8: bool,
}

impl Style {
    /// Returns the style of the standard output.
    pub(super) fn of_stdout() -> Self {
        Self::of(io::stdout().is_terminal(), |name| {
            env::var_os(name).map(|value| value.to_string_lossy().into_owned())
        })
    }

    fn of(is_terminal: bool, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let is_plain = set("NO_COLOR").is_some() || set("TERM").is_some_and(|term| term == "dumb");
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        Self {
            has_colour: is_terminal && !is_plain,
            is_utf8: locale.contains("utf-8") || locale.contains("utf8"),
        }
    }

    fn mark(self, state: State) -> &'static str {
        match (state, self.is_utf8) {
            (State::Failed, true) => "✗",
            (State::Failed, false) => "x",
            (State::NotChecked, true) => "–",
            (State::NotChecked, false) => "-",
            (State::Ok, true) => "✓",
            (State::Ok, false) => "+",
            (State::Warning, _) => "!",
        }
    }

    /// Returns the sequences that begin and end the colour of `state` (ECMA-48 §8.3.117).
    fn colour(self, state: State) -> [&'static str; 2] {
        match state {
            _ if !self.has_colour => ["", ""],
            State::Failed => ["\u{1b}[31m", "\u{1b}[0m"],
            State::NotChecked => ["\u{1b}[2m", "\u{1b}[0m"],
            State::Ok => ["\u{1b}[32m", "\u{1b}[0m"],
            State::Warning => ["\u{1b}[33m", "\u{1b}[0m"],
        }
    }

    /// Replaces all but ASCII where the output may be in another encoding.
    fn encode(self, text: &str) -> String {
        if self.is_utf8 {
            return text.to_owned();
        }
        let encoded = |character: char| match character {
            _ if character.is_ascii() => character.to_string(),
            _ => character.escape_unicode().to_string(),
        };
        text.chars().map(encoded).collect()
    }
}

/// Returns one line for each check, and a line for the fix of each failed check.
pub(super) fn text(report: &Report, style: Style) -> String {
    let mut text = String::new();
    let mut last_fix = None;
    for check in report.checks() {
        let [begin, end] = style.colour(check.state);
        let mark = style.mark(check.state);
        let label = check.id.replace('_', " ");
        let found = style.encode(&check.found);
        let _ = writeln!(text, "{begin}{mark}{end} {label}: {found}");
        // The decision has the fix of the check that explains it.
        let fix = check.fix.as_ref();
        if let Some(fix) = fix.filter(|_| fix != last_fix) {
            last_fix = Some(fix);
            let _ = writeln!(text, "    to correct it: {}", style.encode(fix));
        }
    }
    let checks = report.checks().iter();
    let failed = checks.filter(|check| check.state == State::Failed).count();
    let _ = match failed {
        0 => writeln!(text, "\nnothing is to correct"),
        1 => writeln!(text, "\n1 check failed"),
        many => writeln!(text, "\n{many} checks failed"),
    };
    text
}

/// Returns the JSON that the documentation of the doctor describes.
pub(super) fn json(report: &Report) -> String {
    let checks = report.checks().iter().map(|check| {
        json!({
            "id": check.id,
            "state": check.state.name(),
            "found": check.found,
            "fix": check.fix,
        })
    });
    let checks: Vec<_> = checks.collect();
    let document = json!({"format": 1, "ok": report.is_ok(), "checks": checks});
    format!("{document:#}\n")
}

/// Writes `text` to the standard output.
pub(super) fn out(text: &str) {
    // A reader such as `head` may have closed it. The exit code still tells the result.
    let _ = io::stdout().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(is_terminal: bool, variables: &[(&str, &str)]) -> Style {
        Style::of(is_terminal, |name| {
            let found = variables.iter().find(|(wanted, _)| *wanted == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn colours_are_for_terminals_without_no_color() {
        for (is_terminal, variables, has_colour) in [
            (true, &[][..], true),
            (true, &[("NO_COLOR", "")], true),
            (true, &[("NO_COLOR", "1")], false),
            (true, &[("TERM", "dumb")], false),
            (true, &[("TERM", "xterm")], true),
            (false, &[("TERM", "xterm")], false),
        ] {
            let found = style(is_terminal, variables).has_colour;
            assert_eq!(found, has_colour, "{is_terminal} {variables:?}");
        }
    }

    #[test]
    fn the_locale_selects_the_marks() {
        for (variables, is_utf8) in [
            (&[][..], false),
            (&[("LANG", "C.UTF-8")], true),
            (&[("LANG", "en_US.utf8")], true),
            (&[("LANG", "C.UTF-8"), ("LC_ALL", "C")], false),
            (&[("LC_ALL", ""), ("LC_CTYPE", "de_DE.UTF-8")], true),
        ] {
            assert_eq!(style(false, variables).is_utf8, is_utf8, "{variables:?}");
        }
    }

    #[test]
    fn each_check_has_a_line_and_each_failure_a_fix() {
        let mut report = Report::default();
        report.ok("key_set", "ä");
        report.failed("clock", "1 h ahead", "set it");
        report.not_checked("token", "none");
        report.warning("configuration_warning", "a");
        let utf8 = style(false, &[("LANG", "C.UTF-8")]);
        assert_eq!(
            text(&report, utf8),
            "✓ key set: ä\n✗ clock: 1 h ahead\n    to correct it: set it\n– token: none\n\
             ! configuration warning: a\n\n1 check failed\n"
        );
        let ascii = text(&report, style(false, &[]));
        assert!(
            ascii.starts_with("+ key set: \\u{e4}\nx clock: "),
            "{ascii}"
        );
        assert!(ascii.is_ascii() && ascii.contains("\n- token: none\n"));
        let coloured = text(&report, style(true, &[]));
        assert!(
            coloured.contains("\u{1b}[31mx\u{1b}[0m clock"),
            "{coloured}"
        );
    }
}
