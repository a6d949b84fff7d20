//! Token as a request or a caller presents it.

use crate::error::reason::Reason;

/// Token that is presented for a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PresentedToken<'t> {
    /// Bytes after the scheme of an `Authorization` header.
    Header(&'t [u8]),
    /// Text that the caller of a validator has.
    Text(&'t str),
}

impl<'t> PresentedToken<'t> {
    pub(crate) const fn as_bytes(self) -> &'t [u8] {
        match self {
            Self::Header(bytes) => bytes,
            Self::Text(text) => text.as_bytes(),
        }
    }

    /// Returns the text of the token. The bytes of a header are checked here, and not before: those of a
    /// cached token equal a token that has passed the check.
    pub(crate) fn text(self) -> Result<&'t str, Reason> {
        match self {
            Self::Header(bytes) if is_token68(bytes) => {
                std::str::from_utf8(bytes).map_err(|_| Reason::MalformedAuthorization)
            }
            Self::Header(_) => Err(Reason::MalformedAuthorization),
            Self::Text(text) => Ok(text),
        }
    }
}

/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` (RFC 9110 §11.2).
fn is_token68(text: &[u8]) -> bool {
    let mut body = text;
    while let [rest @ .., b'='] = body {
        body = rest;
    }
    let allows = |byte: u8| {
        let is_letter = (byte | 0x20).is_ascii_lowercase();
        is_letter | matches!(byte, b'-' | b'.' | b'/' | b'0'..=b'9' | b'_' | b'~' | b'+')
    };
    // Without an early exit the compiler checks sixteen bytes at once.
    !body.is_empty() && body.iter().fold(true, |all, &byte| all & allows(byte))
}
