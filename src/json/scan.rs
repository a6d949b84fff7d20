//! Scanner: positions, strings, numbers and words, without any nesting.

use std::{borrow::Cow, ops::Range};

use crate::json::Malformed;

/// Position in a JSON text.
pub(super) struct Scanner<'j> {
    json: &'j str,
    at: usize,
}

impl<'j> Scanner<'j> {
    pub(super) fn new(json: &'j str) -> Self {
        Self { json, at: 0 }
    }

    /// Returns the number of bytes that were read.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Returns the text from `start` up to the position.
    pub(super) fn since(&self, start: usize) -> Result<&'j str, Malformed> {
        self.json.get(start..self.at).ok_or(Malformed)
    }

    /// Returns the text from the position on.
    pub(super) fn rest(&self) -> Result<&'j str, Malformed> {
        self.json.get(self.at..).ok_or(Malformed)
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    /// Moves on by `bytes`, which are known to exist.
    pub(super) fn step(&mut self, bytes: usize) {
        self.at = self.at.wrapping_add(bytes);
    }

    pub(super) fn skip_space(&mut self) {
        // Tokens seldom contain white space.
        if self.peek() > Some(b' ') {
            return;
        }
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.step(1);
        }
    }

    /// Skips space and `byte`, if `byte` is next; returns whether it was.
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        if self.peek() != Some(byte) {
            self.skip_space();
            if self.peek() != Some(byte) {
                return false;
            }
        }
        self.step(1);
        true
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        self.eat(byte).then_some(()).ok_or(Malformed)
    }

    /// Skips space; returns whether `byte` is next.
    pub(super) fn is_at(&mut self, byte: u8) -> bool {
        self.skip_space();
        self.peek() == Some(byte)
    }

    /// Returns the string whose opening quote is at `quoted` and whose closing quote was just read.
    pub(super) fn text_since(
        &self,
        quoted: usize,
        has_escapes: bool,
    ) -> Result<Cow<'j, str>, Malformed> {
        if has_escapes {
            return self.unescape(quoted).map(Cow::Owned);
        }
        let text = self.json.get(self.between_quotes(quoted));
        text.map(Cow::Borrowed).ok_or(Malformed)
    }

    pub(super) fn between_quotes(&self, quoted: usize) -> Range<usize> {
        quoted.saturating_add(1)..self.at.saturating_sub(1)
    }

    /// Skips a string; returns whether it has escapes, which are not checked yet.
    #[expect(
        clippy::inline_always,
        reason = "not inlined, the call takes 10 % of the time to read claims"
    )]
    #[inline(always)]
    pub(super) fn skip_text(&mut self) -> Result<bool, Malformed> {
        if self.peek() != Some(b'"') {
            return Err(Malformed);
        }
        self.step(1);
        self.skip_plain();
        if self.peek() == Some(b'"') {
            self.step(1);
            return Ok(false);
        }
        self.skip_escaped().map(|()| true)
    }

    /// Skips the rest of a string from its first special byte on.
    #[cold]
    pub(super) fn skip_escaped(&mut self) -> Result<(), Malformed> {
        loop {
            match self.peek() {
                Some(b'"') => break,
                // An escaped character does not end the string.
                Some(b'\\') => {
                    self.step(1);
                    self.peek().ok_or(Malformed)?;
                    self.step(1);
                }
                _ => return Err(Malformed),
            }
            self.skip_plain();
        }
        self.step(1);
        Ok(())
    }

    #[cold]
    pub(super) fn unescape(&self, quoted: usize) -> Result<String, Malformed> {
        let json = self.json.get(quoted..self.at).ok_or(Malformed)?;
        serde_json::from_str(json).map_err(|_| Malformed)
    }

    /// Moves to the first byte that is special in a string: a quote, a backslash or a control
    /// character.
    pub(super) fn skip_plain(&mut self) {
        let bytes = self.json.as_bytes();
        let mut at = self.at;
        while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
            if let Some(place) = first_special(u64::from_le_bytes(*word)) {
                self.at = at.wrapping_add(place);
                return;
            }
            at = at.wrapping_add(WORD);
        }
        while bytes.get(at).is_some_and(|byte| !is_special(*byte)) {
            at = at.wrapping_add(1);
        }
        self.at = at;
    }

    pub(super) fn skip_word(&mut self, word: &str) -> Result<(), Malformed> {
        let rest = self.json.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(Malformed);
        }
        self.step(word.len());
        Ok(())
    }

    /// Skips a number below 10^308, which every reader can represent. It is judged by its digits:
    /// converting some numbers takes 10 µs, and most numbers are never used.
    pub(super) fn skip_number(&mut self) -> Result<&'j str, Malformed> {
        const MAX_DIGITS: i64 = 308;
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.step(1);
        }
        let mut digits = match self.peek() {
            Some(b'0') => {
                self.step(1);
                1
            }
            _ => count(self.skip_digits()?),
        };
        if self.peek() == Some(b'.') {
            self.step(1);
            self.skip_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.step(1);
            let sign = self.peek();
            if let Some(b'+' | b'-') = sign {
                self.step(1);
            }
            let exponent = self.skip_digits()?.parse().unwrap_or(i64::MAX);
            digits = match sign {
                Some(b'-') => digits.saturating_sub(exponent),
                _ => digits.saturating_add(exponent),
            };
        }
        if digits > MAX_DIGITS {
            return Err(Malformed);
        }
        self.since(start)
    }

    /// Skips one or more digits.
    pub(super) fn skip_digits(&mut self) -> Result<&'j str, Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.step(1);
        }
        let digits = self.json.get(start..self.at);
        digits.filter(|digits| !digits.is_empty()).ok_or(Malformed)
    }

    /// Skips a string, and checks its escapes.
    pub(super) fn skip_string(&mut self) -> Result<(), Malformed> {
        let quoted = self.at;
        if self.skip_text()? {
            self.unescape(quoted)?;
        }
        Ok(())
    }

    /// Skips a value that is neither an object nor an array.
    pub(super) fn skip_scalar(&mut self) -> Result<(), Malformed> {
        match self.peek().ok_or(Malformed)? {
            b'"' => self.skip_string(),
            b't' => self.skip_word("true"),
            b'f' => self.skip_word("false"),
            b'n' => self.skip_word("null"),
            _ => self.skip_number().map(drop),
        }
    }
}

fn count(digits: &str) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX)
}

const WORD: usize = 8;

fn is_special(byte: u8) -> bool {
    matches!(byte, ..b' ' | b'"' | b'\\')
}

/// Returns the position of the first special byte among eight; the lowest byte is the first.
fn first_special(word: u64) -> Option<usize> {
    /// Repeats the byte eight times.
    const fn each(byte: u8) -> u64 {
        u64::from_le_bytes([byte; WORD])
    }
    // A subtraction sets the high bit of a byte that is smaller than the subtrahend. Its borrow
    // changes only the bytes above, and only the lowest hit counts. Bytes above ASCII are not special.
    let quotes = (word ^ each(b'"')).wrapping_sub(each(1));
    let backslashes = (word ^ each(b'\\')).wrapping_sub(each(1));
    let controls = word.wrapping_sub(each(b' '));
    let found = (quotes | backslashes | controls) & !word & each(0x80);
    let place = found.trailing_zeros() / u8::BITS;
    (found != 0).then_some(place as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r14_the_first_special_byte_of_eight_is_found() {
        for byte in 0..=u8::MAX {
            for place in 0..WORD {
                for around in [b'a', 0xff, b'!', b' ', b'#', b'[', b']', 0x7f, 0x80] {
                    let mut word = [around; WORD];
                    word[place] = byte;
                    let expected = is_special(byte).then_some(place);
                    assert_eq!(
                        first_special(u64::from_le_bytes(word)),
                        expected,
                        "{word:?}"
                    );
                    // What comes behind does not matter.
                    word[place + 1..].fill(b'"');
                    let expected = expected.or((place + 1 < WORD).then_some(place + 1));
                    assert_eq!(
                        first_special(u64::from_le_bytes(word)),
                        expected,
                        "{word:?}"
                    );
                }
            }
        }
    }
}
