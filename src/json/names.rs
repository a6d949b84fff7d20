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
    /// Bloom filter of the names so far, with one bit for each name.
    filter: u64,
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
        reason = "not inlined, the call takes 5 % of the time to read claims"
    )]
    #[inline(always)]
    pub(super) fn insert(&mut self, name: Cow<'j, str>) -> Result<(), Malformed> {
        let bit = Self::filter_bit(&name);
        let is_certainly_new = self.filter & bit == 0;
        self.filter |= bit;
        let new = if self.few.len() < MAX_INLINE_NAMES {
            let new = is_certainly_new || !self.few.contains(&name);
            self.few.push(name);
            new
        } else {
            !self.few.contains(&name) && self.many.get_or_insert_default().insert(name)
        };
        new.then_some(()).ok_or(Malformed)
    }

    /// Returns the filter bit of `name`.
    fn filter_bit(name: &str) -> u64 {
        let last = name.as_bytes().last().copied().unwrap_or_default();
        let length = u32::try_from(name.len()).unwrap_or_default();
        1_u64.rotate_left(length.wrapping_mul(5).wrapping_add(u32::from(last)))
    }
}
