//! Times and lists in words.

use std::time::{Duration, SystemTime};

use super::report::shown;

/// Returns how far `time` is from `now`: "3 minutes ago", "in 2 hours" or "now".
pub(super) fn relative(time: SystemTime, now: SystemTime) -> String {
    match now.duration_since(time) {
        Ok(since) if since < Duration::from_secs(1) => "now".to_owned(),
        Ok(since) => format!("{} ago", length(since)),
        Err(ahead) => format!("in {}", length(ahead.duration())),
    }
}

/// Returns a length of time in its largest unit up to days, rounded down.
pub(super) fn length(time: Duration) -> String {
    let seconds = time.as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    match count {
        1 => format!("1 {unit}"),
        _ => format!("{count} {unit}s"),
    }
}

/// Returns at most 8 texts in quotes, and the number of the others.
pub(super) fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut texts = texts.into_iter();
    let first: Vec<_> = texts
        .by_ref()
        .take(8)
        .map(|text| format!("\"{}\"", shown(text)))
        .collect();
    match (first.len(), texts.count()) {
        (0, _) => "none".to_owned(),
        (_, 0) => first.join(", "),
        (_, more) => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_relative_to_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (seconds, ago, ahead) in [
            (1, "1 second ago", "in 1 second"),
            (59, "59 seconds ago", "in 59 seconds"),
            (60, "1 minute ago", "in 1 minute"),
            (7199, "1 hour ago", "in 1 hour"),
            (7200, "2 hours ago", "in 2 hours"),
            (86_400 * 2, "2 days ago", "in 2 days"),
        ] {
            let distance = Duration::from_secs(seconds);
            assert_eq!(relative(now - distance, now), ago);
            assert_eq!(relative(now + distance, now), ahead);
        }
        assert_eq!(relative(now, now), "now");
    }

    #[test]
    fn lists_are_bounded() {
        assert_eq!(list([]), "none");
        assert_eq!(list(["a", "b\n"]), "\"a\", \"b\\n\"");
        assert!(list(["x"; 11]).ends_with("\"x\" and 3 more"));
    }
}
