//! Index of the top-level members of a payload: the spans of each name and value.

use std::{ops::Range, sync::Arc};

/// Part of a text of less than 64 KiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    start: u16,
    end: u16,
}

impl Span {
    /// Returns `range` as a span; `None` if it ends beyond 64 KiB.
    pub(super) fn new(range: &Range<usize>) -> Option<Self> {
        Some(Self {
            start: range.start.try_into().ok()?,
            end: range.end.try_into().ok()?,
        })
    }

    fn shifted(self, by: u16) -> Self {
        Self {
            start: self.start.wrapping_add(by),
            end: self.end.wrapping_add(by),
        }
    }

    pub(super) fn of(self, text: &str) -> &str {
        let range = usize::from(self.start)..usize::from(self.end);
        text.get(range).unwrap_or_default()
    }
}

/// Spans of one member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) name: Span,
    pub(super) value: Span,
}

/// Index of a payload that was read.
#[derive(Clone)]
pub(super) struct ClaimIndex(Arc<[Entry]>);

impl ClaimIndex {
    /// Creates an index of `entries`. `shift` is the offset of the payload in the stored text. Returns
    /// `None` if the payload ends beyond 64 KiB.
    pub(super) fn new(entries: &[Entry], shift: usize) -> Option<Self> {
        let shift = u16::try_from(shift).ok()?;
        let longest = |entry: &Entry| entry.name.end.max(entry.value.end);
        entries
            .iter()
            .map(longest)
            .max()
            .unwrap_or(0)
            .checked_add(shift)?;
        let shifted = entries.iter().map(|entry| Entry {
            name: entry.name.shifted(shift),
            value: entry.value.shifted(shift),
        });
        Some(Self(shifted.collect()))
    }

    /// Returns the JSON text of the value of `name` in `text`.
    pub(super) fn value<'t>(&self, text: &'t str, name: &str) -> Option<&'t str> {
        let mut entries = self.0.iter();
        let entry = entries.find(|entry| entry.name.of(text) == name)?;
        Some(entry.value.of(text))
    }

    /// Returns the memory it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_found_by_its_whole_name() {
        let text = "{ \"a:b\" :  1, \"c\":\"x\"}";
        let span = |part: &str| {
            let start = text.find(part).unwrap();
            Span::new(&(start..start + part.len())).unwrap()
        };
        let entry = |name, value| Entry {
            name: span(name),
            value: span(value),
        };
        let entries = [entry("a:b", "1"), entry("c", "\"x\"")];
        let index = ClaimIndex::new(&entries, 0).unwrap();
        assert_eq!(index.value(text, "a:b"), Some("1"));
        assert_eq!(index.value(text, "c"), Some("\"x\""));
        for other in ["", "a", "x", "b", "a:", "a:b "] {
            assert_eq!(index.value(text, other), None, "{other}");
        }
        let shifted = ClaimIndex::new(&entries, 5).unwrap();
        assert_eq!(shifted.value(&format!("token{text}"), "c"), Some("\"x\""));
        assert!(ClaimIndex::new(&entries, 65_530).is_none());
        assert_eq!(Span::new(&(0..65_535)).unwrap().of(text), "");
        assert_eq!(Span::new(&(0..65_536)), None);
    }
}
