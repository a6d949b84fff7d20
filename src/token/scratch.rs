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
    /// Where their names stand in the payload, without the quotes.
    names: Vec<Range<usize>>,
    /// Some names are not among them.
    is_partial: bool,
}

impl Members {
    /// Begins anew, for the payload that is at `range` of the bytes.
    pub(super) fn begin(&mut self, range: Range<usize>) {
        self.payload = range;
        self.names.clear();
        self.is_partial = false;
    }

    /// There is a claim whose name is at `range` of the payload; `None` if it is written with
    /// escapes.
    pub(super) fn add(&mut self, range: Option<Range<usize>>) {
        match range {
            Some(range) => self.names.push(range),
            None => self.is_partial = true,
        }
    }
}

/// Where a claim is.
pub(super) enum Place<'b> {
    /// The rest of the payload, from its value on.
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
        let is_it = |range: &&Range<usize>| payload.get((*range).clone()) == Some(name.as_bytes());
        match self.members.names.iter().find(is_it) {
            Some(range) => {
                // The payload was read before, so there are a quote and a colon.
                let rest = payload.get(range.end..).unwrap_or_default();
                let colon = rest.iter().position(|&byte| byte == b':');
                let value = colon.and_then(|colon| rest.split_at_checked(colon.saturating_add(1)));
                value.map_or(Place::Unknown, |(_, value)| Place::At(value))
            }
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

    /// Buffers with `payload` behind something else, whose claims have these names.
    fn buffers(payload: &str, names: &[&str]) -> Buffers {
        let mut buffers = Buffers::default();
        buffers.bytes.extend_from_slice(b"{\"alg\":1}");
        let start = buffers.bytes.len();
        buffers.bytes.extend_from_slice(payload.as_bytes());
        buffers.members.begin(start..buffers.bytes.len());
        buffers.bytes.extend_from_slice(b"signature");
        for name in names {
            let start = payload.find(name);
            buffers
                .members
                .add(start.map(|start| start..start + name.len()));
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
        let mut found = buffers("{ \"a:b\" :  1, \"c\":\"x\"}", &["a:b", "c"]);
        assert_eq!(found.payload(), b"{ \"a:b\" :  1, \"c\":\"x\"}");
        assert_eq!(place(&found, "a:b").as_deref(), Ok("  1, \"c\":\"x\"}"));
        assert_eq!(place(&found, "c").as_deref(), Ok("\"x\"}"));
        for other in ["", "a", "x", "alg", "a:"] {
            assert_eq!(place(&found, other), Err("nowhere"), "{other}");
        }
        found.members.begin(0..9);
        assert_eq!(place(&found, "c"), Err("nowhere"));
    }

    #[test]
    fn a_claim_whose_name_has_escapes_may_be_anywhere() {
        let found = buffers("{\"\\u0061\":1,\"c\":2}", &["c", "not to be seen"]);
        assert_eq!(place(&found, "a"), Err("unknown"));
        assert_eq!(place(&found, "c").as_deref(), Ok("2}"));
    }
}
