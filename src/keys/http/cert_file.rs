//! Mistakes in the file of CA certificates that `SSL_CERT_FILE` names.

use std::{
    env,
    ffi::OsStr,
    fs::File,
    io::{ErrorKind, Read as _},
    path::Path,
};

use crate::url::shown;

/// Most bytes that are searched for a certificate.
const MAX_BYTES: u64 = 4 << 20;

/// Returns the problem of the file, and what to do about it; `None` if there is none.
pub(super) fn problem() -> Option<String> {
    problem_of(&env::var_os("SSL_CERT_FILE")?)
}

fn problem_of(value: &OsStr) -> Option<String> {
    if value.is_empty() {
        return Some(
            "SSL_CERT_FILE is set but empty: name a file with CA certificates, or unset it"
                .to_owned(),
        );
    }
    let file = format!("SSL_CERT_FILE = `{}`", shown(&value.to_string_lossy()));
    let path = Path::new(value);
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Some(format!(
                "{file} does not exist: correct the path, or mount the file"
            ));
        }
        Err(error) => return Some(unreadable(&file, &error)),
    };
    if metadata.is_dir() {
        return Some(format!(
            "{file} is a folder: name a file, or set SSL_CERT_DIR to a folder with CA certificates"
        ));
    }
    let mut bytes = Vec::new();
    // Another kind of file, e.g. a pipe, could block when it is opened.
    if metadata.is_file() {
        let read = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_end(&mut bytes));
        if let Err(error) = read {
            return Some(unreadable(&file, &error));
        }
    }
    let has = |label: &[u8]| memchr::memmem::find(&bytes, label).is_some();
    if has(b"-----BEGIN CERTIFICATE-----") || has(b"-----BEGIN TRUSTED CERTIFICATE-----") {
        return None;
    }
    Some(if has(b"PRIVATE KEY-----") {
        format!(
            "{file} contains a private key and no certificate: name the file with the CA's certificate"
        )
    } else {
        format!(
            "{file} contains no certificate in PEM form: name a file with `-----BEGIN CERTIFICATE-----`"
        )
    })
}

fn unreadable(file: &str, error: &std::io::Error) -> String {
    format!("{file} cannot be read ({error}): let the user of this process read it")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_mistake_has_its_own_text() {
        let folder =
            env::temp_dir().join(format!("modeler-auth-certificates-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path.into_os_string()
        };
        let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n";
        let inside_file = Path::new(&file("file", "")).join("ca.pem").into_os_string();
        let cases = [
            ("".into(), "is set but empty"),
            (folder.join("missing").into_os_string(), "does not exist"),
            (folder.clone().into_os_string(), "is a folder"),
            (inside_file, "does not exist"),
            (file("empty", ""), "contains no certificate"),
            (file("der", "\u{1}\u{2}"), "contains no certificate"),
            (
                file("key", key),
                "contains a private key and no certificate",
            ),
        ];
        for (value, words) in &cases {
            let problem = problem_of(value).unwrap();
            assert!(problem.contains(words), "{problem}");
            assert!(
                problem.starts_with("SSL_CERT_FILE") && problem.contains(": "),
                "{problem}"
            );
            assert!(!problem.contains("s3cret"), "{problem}");
        }
        assert_eq!(problem_of(&file("good", certificate)), None);
        assert_eq!(
            problem_of(&file("both", &format!("{key}{certificate}"))),
            None
        );
        fs::remove_dir_all(&folder).unwrap();
    }

    /// The superuser may read every file.
    #[cfg(unix)]
    #[test]
    fn a_file_that_may_not_be_read_has_its_own_text() {
        use std::os::unix::fs::PermissionsExt as _;

        let path = env::temp_dir().join(format!("modeler-auth-unreadable-{}", std::process::id()));
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
        let problem = problem_of(path.as_os_str()).unwrap();
        let is_superuser = File::open(&path).is_ok();
        fs::remove_file(&path).unwrap();
        let words = if is_superuser {
            "contains no certificate"
        } else {
            "cannot be read (Permission denied"
        };
        assert!(problem.contains(words), "{problem}");
    }
}
