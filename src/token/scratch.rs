//! Buffers of a thread. With them a check of a token allocates only what it keeps.

use std::cell::Cell;

use crate::token::claim_index::Entry;

#[derive(Default)]
pub(crate) struct Buffers {
    /// Decoded parts of the token.
    pub(crate) bytes: Vec<u8>,
    pub(crate) payload: PayloadBuffers,
    /// Texts that are collected for one allocation.
    pub(crate) text: String,
}

/// Buffers for the index of a payload.
#[derive(Default)]
pub(crate) struct PayloadBuffers {
    pub(super) entries: Vec<Entry>,
    /// Unescaped form of names with escapes.
    pub(super) unescaped: String,
}

thread_local! {
    static SPARE: Cell<Option<Box<Buffers>>> = const { Cell::new(None) };
}

/// Buffers of this thread, until dropped.
pub(crate) struct Scratch(Option<Box<Buffers>>);

impl Scratch {
    pub(crate) fn take() -> Self {
        Self(SPARE.try_with(Cell::take).ok().flatten())
    }

    pub(crate) fn buffers(&mut self) -> &mut Buffers {
        self.0.get_or_insert_default()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(buffers) = self.0.take() {
            // The buffers of a thread that ends are freed.
            let _ = SPARE.try_with(|spare| spare.set(Some(buffers)));
        }
    }
}
