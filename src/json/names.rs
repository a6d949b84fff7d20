//! Names of one object: distinct, and none that `serde_json` reserves.

use std::{borrow::Cow, collections::HashSet};

use smallvec::SmallVec;

use crate::json::Malformed;

/// Beginning of names that no document may hold, at any level. `serde_json` does not read an object
/// with such a name as an object: with its feature `raw_value` it parses the JSON inside the member's
/// string, without a bound on recursion.
const RESERVED: &str = "$serde_json::private::";

/// Member names of one object.
#[derive(Default)]
pub(super) struct Names<'j> {
    /// One bit for each kind of name so far; it alone tells most names apart.
    kinds: u64,
    few: SmallVec<[Cow<'j, str>; MAX_INLINE_NAMES]>,
    many: Option<HashSet<Cow<'j, str>>>,
}

/// Up to this many names are compared one by one, without the heap; further names are hashed.
const MAX_INLINE_NAMES: usize = 32;

impl<'j> Names<'j> {
    pub(super) fn is_reserved(name: &str) -> bool {
        name.starts_with(RESERVED)
    }

    #[expect(
        clippy::inline_always,
        reason = "a twentieth of reading claims is calling this"
    )]
    #[inline(always)]
    pub(super) fn insert(&mut self, name: Cow<'j, str>) -> Result<(), Malformed> {
        let kind = Self::kind(&name);
        let is_of_new_kind = self.kinds & kind == 0;
        self.kinds |= kind;
        let new = if self.few.len() < MAX_INLINE_NAMES {
            let new = is_of_new_kind || !self.few.contains(&name);
            self.few.push(name);
            new
        } else {
            !self.few.contains(&name) && self.many.get_or_insert_default().insert(name)
        };
        new.then_some(()).ok_or(Malformed)
    }

    /// Returns one of 64 bits.
    fn kind(name: &str) -> u64 {
        let last = name.as_bytes().last().copied().unwrap_or_default();
        let length = u32::try_from(name.len()).unwrap_or_default();
        1_u64.rotate_left(length.wrapping_mul(5).wrapping_add(u32::from(last)))
    }
}
