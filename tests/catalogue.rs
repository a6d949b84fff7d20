//! Holds the catalogue in SECURITY.md against the names of the tests.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
}

/// `r15` of `fn r15_junk_starts_no_fetch`.
fn id_of(name: &str) -> Option<String> {
    let (id, rest) = name.split_once('_')?;
    let number = id.strip_prefix(['a', 'f', 'r'])?;
    let is_id = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_id && !rest.is_empty()).then(|| id.to_uppercase())
}

#[test]
fn every_row_has_a_test_and_every_test_a_row() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    rust_files(&root.join("tests"), &mut files);
    let mut tested = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let names = text.lines().filter_map(|line| {
            let (_, name) = line.split_once("fn ")?;
            name.split(['(', '<']).next()
        });
        tested.extend(names.filter_map(id_of));
    }
    let catalogue = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let rows = catalogue.lines().filter_map(|line| {
        let id = line.strip_prefix("| ")?.split(' ').next()?;
        id_of(&format!("{}_x", id.to_lowercase()))
    });
    let rows: BTreeSet<_> = rows.collect();
    let untested: Vec<_> = rows.difference(&tested).collect();
    let unlisted: Vec<_> = tested.difference(&rows).collect();
    assert!(rows.len() > 150, "{}", rows.len());
    assert!(untested.is_empty(), "rows without a test: {untested:?}");
    assert!(unlisted.is_empty(), "tests without a row: {unlisted:?}");
}
