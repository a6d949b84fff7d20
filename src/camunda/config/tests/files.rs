//! Files that cannot be used, and limits.

use std::{fs, time::Duration};

use super::{Folder, URL};
use crate::clock::Clock;

#[test]
fn a88_the_number_of_files_is_bounded() {
    let folder = Folder::new();
    let imports = |count: usize| {
        let names = (0..count).map(|count| format!("f{count}.yaml,"));
        format!(
            "camunda.identity.issuer: https://a/\nspring.config.import: '{}'\n",
            names.collect::<String>()
        )
    };
    let mut folder = folder.and("application.yaml", imports(63));
    for count in 0..64 {
        folder = folder.and(&format!("f{count}.yaml"), "a: b\n");
    }
    assert!(folder.read(&[]).unwrap().is_some());
    let error = folder.and("application.yaml", imports(64)).error(&[]);
    assert!(
        error.contains("more than 64 configuration files are found"),
        "{error}"
    );
    // A chain of imports is read to its end.
    let mut folder = Folder::with("application.yaml", "spring.config.import: c1.yaml");
    for count in 1..63 {
        let next = format!("spring.config.import: c{}.yaml", count + 1);
        folder = folder.and(&format!("c{count}.yaml"), next);
    }
    let folder = folder.and("c63.yaml", "camunda.identity.issuer: https://last/");
    assert_eq!(folder.read(&[]).unwrap().unwrap().as_str(), "https://last/");
    // All documents of a file share its bound.
    let documents = "---\na: 1\n".repeat(6000);
    let error = Folder::with("application.yaml", &documents).error(&[]);
    assert!(
        error.contains("with its aliases it has more than 10000 nodes"),
        "{error}"
    );
}

#[test]
fn a88_files_that_cannot_be_used_are_errors_that_name_file_and_line() {
    let deep = |open: &str, close: &str| format!("a: {}{}", open.repeat(100), close.repeat(100));
    let mut multiplied = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let entry = format!("*a{}", level - 1);
        multiplied.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            vec![entry; 10].join(", ")
        ));
    }
    let mut deep_aliases = "a0: &a0 [x]\n".to_owned();
    for level in 1..100 {
        deep_aliases.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    let many = "a: 1\n".repeat(3).replace("a", "camunda.identity.issuer");
    let wide = (0..20_000).fold(String::new(), |text, count| {
        text + &format!("k{count}: 1\n")
    });
    let large = format!("a: {}", "x".repeat(1 << 20));
    let long_key = format!("{0}: {{{0}: 1}}", "k".repeat(700));
    // An alias in a mapping is no node of its own, so the mapping has more entries than nodes.
    let entries = (0..50_000).fold(String::new(), |text, count| {
        text + &format!("k{count}: *x,")
    });
    let merged = format!("x: &x 1\nm: &m {{{entries}}}\n");
    let merged_often = format!("{merged}y: {{<<: [{}]}}\n", "*m,".repeat(9000));
    let merged_inside = format!(
        "x: &x 1\ny: {{<<: [&m {{{entries}}}, {}]}}\n",
        "*m,".repeat(9000)
    );
    let long_text = format!(
        "x: &x {}\ny: [{}]\n",
        "x".repeat(500_000),
        "*x,".repeat(9000)
    );
    for (text, words) in [
        ("a: [", "line 2: it is not YAML"),
        ("a: b\n\tc: d", "line 1: it is not YAML"),
        ("a: b: c", "line 1: it is not YAML"),
        ("a: 'x", "it is not YAML"),
        (
            "a:\n  b: 1\n  b: 2",
            "line 3: `b` stands here a second time",
        ),
        (
            "a:\n  b: 1\na:\n  c: 2",
            "line 3: `a` stands here a second time",
        ),
        (
            "a: {b: 1}\na.b: 2",
            "line 2: `a.b` stands here a second time",
        ),
        (
            &many,
            "line 2: `camunda.identity.issuer` stands here a second time",
        ),
        ("a: &x [*x]", "an alias refers to a node that contains it"),
        ("a: *x", "line 1"),
        ("? [a, b]\n: c", "line 1: a key is not a text"),
        (&deep("[", "]"), "line 1: it has more than 64 levels"),
        (&deep("{a: ", "}"), "line 1: it has more than 64 levels"),
        (&deep_aliases, "more than 64 levels"),
        (&multiplied, "with its aliases it has more than 10000 nodes"),
        (&wide, "it has more than 10000 nodes"),
        (&large, "it has more than 1048576 bytes"),
        (&long_key, "a key has more than 1024 bytes"),
        (
            &merged_often,
            "with its aliases it has more than 10000 nodes",
        ),
        (
            &merged_inside,
            "with its aliases it has more than 10000 nodes",
        ),
        (
            &long_text,
            "with its aliases it has more than 2097152 bytes",
        ),
    ] {
        let error = Folder::with("application.yaml", text).error(&[]);
        assert!(
            error.contains("/application.yaml") && error.contains(words),
            "{words}: {error}"
        );
        assert!(error.len() < 700, "{error}");
    }
    let error = Folder::new()
        .and("application.yaml", b"a: b\nc: \xff\n")
        .error(&[]);
    assert!(
        error.contains("/application.yaml, line 2: it is not UTF-8"),
        "{error}"
    );
    let bom = Folder::new().and(
        "application.yaml",
        format!("\u{feff}camunda.identity.issuer: {URL}\r\n"),
    );
    assert!(bom.read(&[]).unwrap().is_some());

    let folder = Folder::new();
    fs::create_dir(folder.0.join("application.yaml")).unwrap();
    assert!(
        folder
            .error(&[])
            .contains("application.yaml: it is a folder, not a file")
    );
    let folder = Folder::with(
        "application.properties",
        "camunda.identity.issuer=https://a/",
    );
    assert!(
        folder
            .error(&[])
            .contains("application.properties: only YAML is read")
    );
    let folder = Folder::with("a.json", "{}");
    assert!(
        folder
            .error(&[("SPRING_CONFIG_IMPORT", "a.json")])
            .contains("only YAML is read")
    );
    // A folder `config` that is a file holds no file.
    let folder = Folder::new();
    fs::remove_dir(folder.0.join("config")).unwrap();
    assert!(folder.and("config", "").read(&[]).unwrap().is_none());
}

#[cfg(unix)]
#[test]
fn a88_a_pipe_is_not_opened() {
    let folder = Folder::new();
    let path = folder.0.join("application.yaml");
    let made = std::process::Command::new("mkfifo")
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    assert!(folder.error(&[]).contains("it is not a regular file"));
}

#[test]
fn a88_a_large_file_is_read_in_passing() {
    let issuer = ("CAMUNDA_IDENTITY_ISSUER", "https://a/");
    let entries: String =
        (0..9000).fold(String::new(), |text, count| text + &format!("\n- a{count}"));
    let key = "spring.security.oauth2.resourceserver.jwt.audiences";
    let read = Folder::with("application.yaml", &format!("{key}: {entries}")).read(&[issuer]);
    // The validator has a limit.
    let error = read
        .unwrap()
        .unwrap()
        .check(&Clock::System, Duration::ZERO)
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("9000 audiences"), "{error}");
}
