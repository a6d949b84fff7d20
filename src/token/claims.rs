//! The verified claims.

use std::{
    borrow::Cow,
    fmt,
    ops::Range,
    sync::Arc,
    time::{Duration, SystemTime},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{json::Text, mapping::ClaimError};

/// What the claims of an issuer's tokens are held against.
pub(crate) struct Expectation {
    pub(crate) issuer: Box<str>,
    /// At most [`Expectation::MOST_AUDIENCES`].
    pub(crate) audiences: Box<[Box<str>]>,
    /// Only access tokens as RFC 9068 has them.
    pub(crate) at_jwt_only: bool,
    /// Tokens that are bound to their sender can be confirmed.
    pub(crate) has_confirmers: bool,
}

impl Expectation {
    /// The audiences a token matched are kept as bits.
    pub(crate) const MOST_AUDIENCES: usize = u64::BITS as usize;
}

/// The verified claims of a token.
///
/// Only the validator makes this value, and only after the signature held and every registered
/// claim was checked: holding it is the proof.
pub struct Claims {
    kept: Kept,
}

/// What is kept of a verified token.
pub(super) struct Kept {
    pub(super) expected: Arc<Expectation>,
    /// Claims are decoded from here when asked for, which keeps this value small.
    pub(super) token: Arc<str>,
    pub(super) payload_segment: Range<usize>,
    pub(super) expires_at: Duration,
    /// Which of the configured audiences the token names, one bit each.
    pub(super) audiences: u64,
    pub(super) subject: Option<Box<str>>,
    pub(super) client_id: Option<Box<str>>,
    pub(super) scope: Option<Box<str>>,
    pub(super) token_id: Option<Box<str>>,
    pub(super) issued_at: Option<Duration>,
    pub(super) is_sender_constrained: bool,
}

impl Claims {
    pub(super) fn new(kept: Kept) -> Self {
        Self { kept }
    }

    /// The issuer, exactly as configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.kept.expected.issuer
    }

    /// The audiences that are both configured and in the token. Never empty.
    pub fn audiences(&self) -> impl Iterator<Item = &str> {
        let bits = self.kept.audiences;
        let configured = self.kept.expected.audiences.iter().enumerate();
        configured
            .filter(move |(index, _)| bits & 1 << index != 0)
            .map(|(_, audience)| audience.as_ref())
    }

    /// The `sub` claim. Never empty.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.kept.subject.as_deref()
    }

    /// The client the token was issued to: `client_id`
    /// ([RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2)), else `azp`.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.kept.client_id.as_deref()
    }

    /// The `scope` claim, if it is a string.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.kept.scope.as_deref()
    }

    /// The `jti` claim.
    #[must_use]
    pub fn token_id(&self) -> Option<&str> {
        self.kept.token_id.as_deref()
    }

    /// When the token was issued (`iat`).
    #[must_use]
    pub fn issued_at(&self) -> Option<SystemTime> {
        SystemTime::UNIX_EPOCH.checked_add(self.kept.issued_at?)
    }

    /// Whether there is a `cnf` claim.
    pub(crate) fn is_sender_constrained(&self) -> bool {
        self.kept.is_sender_constrained
    }

    /// When the token expires (`exp`, without leeway).
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        // `exp` was bounded by the year 9999, which every platform's `SystemTime` can hold.
        SystemTime::UNIX_EPOCH
            .checked_add(self.kept.expires_at)
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// The claim at `path`: one member name, or a list of names that leads into nested objects.
    /// A name is never split: `https://camunda.com/orgId` is one name, dots and all.
    ///
    /// `Ok(None)` means that the claim, or an object on the way to it, is absent. Mind that a
    /// struct with a derived `Deserialize` reads itself from an array, too.
    ///
    /// # Errors
    /// [`ClaimError`] if the claim, or something on the way to it, has another JSON type.
    ///
    /// ```
    /// # use modeler_auth::{ClaimError, Claims};
    /// # fn example(claims: &Claims) -> Result<(), ClaimError> {
    /// let organization = claims.get::<String>("https://camunda.com/orgId")?;
    /// let permitted = claims.get::<Vec<String>>(&["permissions", "web-modeler-public-api"])?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn get<'p, T: DeserializeOwned>(
        &self,
        path: impl Into<ClaimPath<'p>>,
    ) -> Result<Option<T>, ClaimError> {
        let ClaimPath(path) = path.into();
        let wrong_type = || ClaimError::new(path.join("."), "has the wrong JSON type");
        let payload = self.payload();
        let mut deserializer = serde_json::Deserializer::from_slice(&payload);
        let found = Find(&path)
            .deserialize(&mut deserializer)
            .map_err(|_| wrong_type())?;
        found
            .map(|value| serde_json::from_str(value.get()).map_err(|_| wrong_type()))
            .transpose()
    }

    /// All claims at once, as a type of your own.
    ///
    /// # Errors
    /// [`ClaimError`] if the claims do not fit `T`.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, ClaimError> {
        serde_json::from_slice(&self.payload())
            .map_err(|_| ClaimError::new("*", "do not fit the type asked for"))
    }

    /// What was decoded once decodes again.
    fn payload(&self) -> Vec<u8> {
        let segment = self.kept.token.get(self.kept.payload_segment.clone());
        URL_SAFE_NO_PAD
            .decode(segment.unwrap_or_default())
            .unwrap_or_default()
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").finish_non_exhaustive()
    }
}

/// Where a claim stands: the name of a top-level member, or a list of names.
///
/// ```
/// use modeler_auth::ClaimPath;
///
/// let top_level = ClaimPath::from("https://camunda.com/orgId");
/// let nested = ClaimPath::from(&["permissions", "web-modeler-public-api"]);
/// ```
#[derive(Clone, Debug)]
pub struct ClaimPath<'p>(Cow<'p, [&'p str]>);

impl<'p> From<&'p str> for ClaimPath<'p> {
    fn from(name: &'p str) -> Self {
        Self(Cow::Owned(vec![name]))
    }
}

impl<'p> From<&'p [&'p str]> for ClaimPath<'p> {
    fn from(names: &'p [&'p str]) -> Self {
        Self(Cow::Borrowed(names))
    }
}

impl<'p, const N: usize> From<&'p [&'p str; N]> for ClaimPath<'p> {
    fn from(names: &'p [&'p str; N]) -> Self {
        Self(Cow::Borrowed(names))
    }
}

/// Follows a path of member names to one value.
struct Find<'p>(&'p [&'p str]);

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        if self.0.is_empty() {
            return <&RawValue>::deserialize(deserializer).map(Some);
        }
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Some((wanted, rest)) = self.0.split_first() else {
            return Ok(None);
        };
        let mut found = None;
        while let Some(Text(name)) = map.next_key()? {
            if name == *wanted {
                found = map.next_value_seed(Find(rest))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}
