//! Grammar: objects, arrays and values, with a bound on their depth.

use std::{borrow::Cow, ops::Range};

use serde::Deserialize;

use crate::json::{Malformed, names::Names, scan::Scanner};

/// Objects and arrays nest at most this deep, the outermost object included.
const MAX_DEPTH: u8 = 32;

/// Member of an object, without its value.
pub(crate) struct Member<'n> {
    pub(crate) name: &'n str,
    /// Range of the name in the text, without its quotes; `None` if it is written with escapes.
    pub(crate) place: Option<Range<usize>>,
}

/// Reader of JSON values. Its position is before a value.
pub(crate) struct Reader<'j> {
    scan: Scanner<'j>,
    /// Number of levels by which objects and arrays may still nest.
    levels: u8,
}

impl<'j> Reader<'j> {
    pub(crate) fn new(json: &'j [u8]) -> Result<Self, Malformed> {
        // Checking the whole text once is cheaper than checking each string.
        let json = std::str::from_utf8(json).map_err(|_| Malformed)?;
        Ok(Self::of(json))
    }

    pub(crate) fn of(json: &'j str) -> Self {
        Self {
            scan: Scanner::new(json),
            levels: MAX_DEPTH,
        }
    }

    /// Reads the text as one object, with nothing before or after it. `each` gets the members one
    /// after another and must read their values. Its results count only if this returns `Ok`, since a
    /// repeated name is noticed after its value.
    pub(crate) fn whole_object(
        self,
        each: impl FnMut(Member<'_>, &mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.whole(|reader| reader.object(each))
    }

    /// Reads the text as one value, with nothing before or after it.
    pub(crate) fn whole<T>(
        mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        self.scan.skip_space();
        let value = read(&mut self)?;
        self.scan.skip_space();
        match self.scan.peek() {
            None => Ok(value),
            Some(_) => Err(Malformed),
        }
    }

    /// Returns the number of bytes that were read.
    pub(crate) fn position(&self) -> usize {
        self.scan.position()
    }

    /// Returns whether the value is an array.
    pub(crate) fn is_at_array(&self) -> bool {
        self.scan.peek() == Some(b'[')
    }

    /// Reads an object. `each` must read the value of every member.
    pub(crate) fn object(
        &mut self,
        mut each: impl FnMut(Member<'_>, &mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let mut names = Names::default();
        self.list([b'{', b'}'], |reader| {
            let quoted = reader.scan.position();
            let has_escapes = reader.scan.skip_text()?;
            let name = reader.scan.text_since(quoted, has_escapes)?;
            if Names::is_reserved(&name) {
                return Err(Malformed);
            }
            let place = (!has_escapes).then(|| reader.scan.between_quotes(quoted));
            reader.scan.expect(b':')?;
            reader.scan.skip_space();
            each(Member { name: &name, place }, reader)?;
            names.insert(name)
        })
    }

    /// Reads an array. `each` must read every element.
    pub(crate) fn array(
        &mut self,
        each: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        self.list([b'[', b']'], each)
    }

    /// Reads the items between two brackets, one level deeper. Commas separate the items, and `each`
    /// reads one item.
    fn list(
        &mut self,
        [open, close]: [u8; 2],
        mut each: impl FnMut(&mut Self) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        let levels = self.levels;
        self.levels = levels.checked_sub(1).ok_or(Malformed)?;
        self.scan.expect(open)?;
        if !self.scan.eat(close) {
            loop {
                self.scan.skip_space();
                each(self)?;
                if !self.scan.eat(b',') {
                    break;
                }
            }
            self.scan.expect(close)?;
        }
        self.levels = levels;
        Ok(())
    }

    /// Reads a string. The result is borrowed unless the string has escapes.
    pub(crate) fn text(&mut self) -> Result<Cow<'j, str>, Malformed> {
        let quoted = self.scan.position();
        let has_escapes = self.scan.skip_text()?;
        self.scan.text_since(quoted, has_escapes)
    }

    /// Reads a string or `null`, which is `None`.
    pub(crate) fn text_or_null(&mut self) -> Result<Option<Cow<'j, str>>, Malformed> {
        if self.scan.peek() == Some(b'n') {
            return self.skip().map(|()| None);
        }
        self.text().map(Some)
    }

    /// Reads any value, and returns its text if it is a string.
    pub(crate) fn text_if_any(&mut self) -> Result<Option<Cow<'j, str>>, Malformed> {
        if self.scan.peek() == Some(b'"') {
            return self.text().map(Some);
        }
        self.skip().map(|()| None)
    }

    /// Reads a number.
    pub(crate) fn number(&mut self) -> Result<f64, Malformed> {
        let number = self.scan.skip_number()?;
        number.parse().map_err(|_| Malformed)
    }

    /// Reads a value as `serde_json` does. Only for values that [`skip`](Reader::skip) has accepted:
    /// `serde_json` accepts repeated names, and gives some names a meaning.
    pub(crate) fn deserialize<T: Deserialize<'j>>(&mut self) -> Result<T, Malformed> {
        let rest = self.scan.rest()?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter();
        let value = values.next().ok_or(Malformed)?.map_err(|_| Malformed)?;
        self.scan.step(values.byte_offset());
        Ok(value)
    }

    /// Reads any value strictly, and drops it.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        match self.scan.peek().ok_or(Malformed)? {
            b'{' => self.object(|_, value| value.skip()),
            b'[' => self.array(Self::skip),
            _ => self.scan.skip_scalar(),
        }
    }

    /// Reads any value leniently: names may repeat, and values may nest to any depth. Returns its
    /// text, which must be read strictly before use. It does not recurse, and needs one byte of
    /// memory for each level.
    pub(crate) fn lenient_text(&mut self) -> Result<&'j str, Malformed> {
        let start = self.scan.position();
        // Closing brackets that are still missing, the innermost last.
        let mut open = Vec::new();
        loop {
            self.scan.skip_space();
            match self.scan.peek().ok_or(Malformed)? {
                b'{' => {
                    self.scan.step(1);
                    open.push(b'}');
                    if !self.scan.is_at(b'}') {
                        self.skip_name()?;
                        continue;
                    }
                }
                b'[' => {
                    self.scan.step(1);
                    open.push(b']');
                    if !self.scan.is_at(b']') {
                        continue;
                    }
                }
                _ => self.scan.skip_scalar()?,
            }
            loop {
                let Some(&close) = open.last() else {
                    return self.scan.since(start);
                };
                if self.scan.eat(close) {
                    open.pop();
                    continue;
                }
                self.scan.expect(b',')?;
                if close == b'}' {
                    self.skip_name()?;
                }
                break;
            }
        }
    }

    /// Skips a member's name and its colon.
    fn skip_name(&mut self) -> Result<(), Malformed> {
        self.scan.skip_space();
        self.scan.skip_string()?;
        self.scan.expect(b':')
    }
}
