// The tests of the page need the repository.
#![cfg_attr(
    any(not(doctest), in_repository),
    doc = include_str!("../docs/recipes.md")
)]
