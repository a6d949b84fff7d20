//! Options of the command line.

use std::ffi::OsString;

use modeler_auth::Permission;

pub(super) const USAGE: &str = "\
usage: doctor [--token - | --no-token] [--needs create,read,update,delete] [--json]

Checks the configuration of the service, its issuer and a token from the standard input.
  --token -    read a token from the standard input, even from a terminal
  --no-token   do not read the standard input; default: read it unless it is a terminal
  --needs ...  permissions that the token needs; default: any one
  --json       print JSON
";

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) json: bool,
    pub(super) needed: Vec<Permission>,
    pub(super) token: TokenSource,
}

/// Whether a token is read from the standard input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenSource {
    Always,
    Never,
    /// If the standard input is no terminal.
    Piped,
}

impl Options {
    /// Reads the arguments; `None` if they ask for help. An error shows no argument, since that may be a
    /// token.
    pub(super) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Option<Self>, String> {
        let mut options = Self {
            json: false,
            needed: Vec::new(),
            token: TokenSource::Piped,
        };
        let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
        let mut position = 0;
        while let Some(argument) = arguments.next() {
            position += 1;
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            let takes_value = matches!(name, "--token" | "--needs");
            let value = match value {
                None if takes_value => {
                    position += 1;
                    arguments.next()
                }
                value => value,
            };
            match (name, value.as_deref()) {
                ("--help" | "-h", None) => return Ok(None),
                ("--json", None) => options.json = true,
                ("--no-token", None) => options.token = TokenSource::Never,
                ("--token", Some("-")) => options.token = TokenSource::Always,
                ("--token", _) => {
                    return Err(
                        "--token takes only `-`: other users of this machine can read a token on \
                         the command line, so pipe it into the doctor"
                            .to_owned(),
                    );
                }
                ("--needs", Some(names)) => {
                    for name in names.split(',') {
                        options.needed.push(permission(name)?);
                    }
                }
                ("--needs", None) => return Err("--needs takes permissions".to_owned()),
                _ => return Err(format!("argument {position} is not known")),
            }
        }
        Ok(Some(options))
    }
}

fn permission(name: &str) -> Result<Permission, String> {
    let is_named = |permission: &Permission| {
        let full = permission.name();
        full == name || full.strip_suffix(":*") == Some(name)
    };
    let found = Permission::ALL.into_iter().find(is_named);
    found.ok_or_else(|| "--needs takes create, read, update and delete".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Option<Options>, String> {
        Options::parse(arguments.iter().map(OsString::from))
    }

    #[test]
    fn options_are_read_in_either_form() {
        let none = parse(&[]).unwrap().unwrap();
        assert_eq!((none.json, none.token), (false, TokenSource::Piped));
        let all = parse(&["--token", "-", "--needs", "create,read:*", "--json"]);
        let all = all.unwrap().unwrap();
        assert_eq!((all.json, all.token), (true, TokenSource::Always));
        assert_eq!(all.needed, [Permission::Create, Permission::Read]);
        assert_eq!(
            parse(&["--json", "--token=-", "--needs=create,read"]),
            Ok(Some(all))
        );
        let never = parse(&["--no-token"]).unwrap().unwrap();
        assert_eq!(never.token, TokenSource::Never);
        assert_eq!(parse(&["--json", "-h"]), Ok(None));
    }

    #[test]
    fn a_wrong_usage_is_an_error_that_shows_no_argument() {
        for (arguments, text) in [
            (&["--token", "s3cret"][..], "takes only `-`"),
            (&["--token=s3cret"], "takes only `-`"),
            (&["--token"], "takes only `-`"),
            (&["s3cret"], "argument 1 is not known"),
            (&["--needs", "read", "s3cret"], "argument 3 is not known"),
            (&["--json=s3cret"], "argument 1 is not known"),
            (&["--needs", "s3cret"], "--needs takes create"),
            (&["--needs"], "--needs takes permissions"),
        ] {
            let error = parse(arguments).unwrap_err();
            assert!(error.contains(text) && !error.contains("s3cret"), "{error}");
        }
    }
}
