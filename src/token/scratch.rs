//! Where a token is decoded into: buffers that are used again, so that a check needs no heap.

use std::{cell::Cell, ops::Range};

#[derive(Default)]
pub(crate) struct Buffers {
    /// The parts of the token, decoded.
    pub(crate) bytes: Vec<u8>,
    pub(crate) members: Members,
    /// Texts on their way into one allocation.
    pub(crate) text: String,
}

/// Where the claims stand in [`Buffers::bytes`].
#[derive(Default)]
pub(crate) struct Members {
    payload: Range<usize>,
    /// Where their names, without the quotes, and their values stand in the payload.
    places: Vec<[Range<usize>; 2]>,
    /// Some names are not among them.
    is_partial: bool,
}

impl Members {
    /// Begins anew, for the payload that is at `range` of the bytes.
    pub(super) fn begin(&mut self, range: Range<usize>) {
        self.payload = range;
        self.places.clear();
        self.is_partial = false;
    }

    /// There is a claim whose name and value are at these places of the payload; no name if it is
    /// written with escapes.
    pub(super) fn add(&mut self, name: Option<Range<usize>>, value: Range<usize>) {
        match name {
            Some(name) => self.places.push([name, value]),
            None => self.is_partial = true,
        }
    }
}

/// Where a claim is.
pub(super) enum Place<'b> {
    /// Its value.
    At(&'b [u8]),
    Nowhere,
    /// It may be anywhere.
    Unknown,
}

impl Buffers {
    pub(super) fn payload(&self) -> &[u8] {
        let range = self.members.payload.clone();
        self.bytes.get(range).unwrap_or_default()
    }

    pub(super) fn place_of(&self, name: &str) -> Place<'_> {
        let payload = self.payload();
        let at = |range: &Range<usize>| payload.get(range.clone());
        let mut places = self.members.places.iter();
        match places.find(|[its_name, _]| at(its_name) == Some(name.as_bytes())) {
            Some([_, value]) => at(value).map_or(Place::Unknown, Place::At),
            None if self.members.is_partial => Place::Unknown,
            None => Place::Nowhere,
        }
    }
}

/// The buffers of this thread, for a while.
#[derive(Default)]
pub(crate) struct Scratch(Option<Box<Buffers>>);

thread_local! {
    static SPARE: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

impl Scratch {
    pub(crate) fn take() -> Self {
        Self(SPARE.try_with(Cell::take).ok().flatten())
    }

    pub(crate) fn buffers(&self) -> Option<&Buffers> {
        self.0.as_deref()
    }

    pub(crate) fn buffers_mut(&mut self) -> &mut Buffers {
        self.0.get_or_insert_default()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(buffers) = self.0.take() {
            // A thread that ends keeps nothing.
            let _ = SPARE.try_with(|spare| spare.set(Some(buffers)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Buffers with `payload` behind something else, which has these claims by name and value.
    fn buffers(payload: &str, claims: &[(&str, &str)]) -> Buffers {
        let mut buffers = Buffers::default();
        buffers.bytes.extend_from_slice(b"{\"alg\":1}");
        let start = buffers.bytes.len();
        buffers.bytes.extend_from_slice(payload.as_bytes());
        buffers.members.begin(start..buffers.bytes.len());
        buffers.bytes.extend_from_slice(b"signature");
        let place = |text: &str| payload.find(text).map(|start| start..start + text.len());
        for (name, value) in claims {
            buffers.members.add(place(name), place(value).unwrap());
        }
        buffers
    }

    fn place(buffers: &Buffers, name: &str) -> Result<String, &'static str> {
        match buffers.place_of(name) {
            Place::At(value) => Ok(String::from_utf8(value.to_vec()).unwrap()),
            Place::Nowhere => Err("nowhere"),
            Place::Unknown => Err("unknown"),
        }
    }

    #[test]
    fn a_claim_is_where_its_name_was_seen() {
        let payload = "{ \"a:b\" :  1, \"c\":\"x\"}";
        let mut found = buffers(payload, &[("a:b", "1"), ("c", "\"x\"")]);
        assert_eq!(found.payload(), payload.as_bytes());
        assert_eq!(place(&found, "a:b").as_deref(), Ok("1"));
        assert_eq!(place(&found, "c").as_deref(), Ok("\"x\""));
        for other in ["", "a", "x", "alg", "a:"] {
            assert_eq!(place(&found, other), Err("nowhere"), "{other}");
        }
        found.members.begin(0..9);
        assert_eq!(place(&found, "c"), Err("nowhere"));
    }

    #[test]
    fn a_claim_whose_name_has_escapes_may_be_anywhere() {
        let payload = "{\"\\u0061\":1,\"c\":2}";
        let found = buffers(payload, &[("c", "2"), ("not to be seen", "1")]);
        assert_eq!(place(&found, "a"), Err("unknown"));
        assert_eq!(place(&found, "c").as_deref(), Ok("2"));
    }
}
