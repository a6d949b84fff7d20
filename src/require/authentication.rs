//! Rule about the authentication of the user.

use std::{sync::Arc, time::Duration};

use crate::{
    access::Access,
    auth::request_view::RequestView,
    clock::WallTime,
    error::{authentication::NeededAuthentication, config::ConfigError},
    reject::challenge::is_scope_token,
    require::{denied::Denied, rule::PermissionRule},
    token::claims::Claims,
};

/// Rule that needs a strong enough and recent enough authentication of the user (step-up
/// authentication, [RFC 9470](https://www.rfc-editor.org/rfc/rfc9470)).
///
/// 1. The claim `acr` must be one of [`acr_values`](Self::acr_values).
/// 2. The claim `auth_time` must be at most [`max_age`](Self::max_age) ago.
/// 3. A claim that is needed and absent, of another JSON type or in the future does not suffice.
/// 4. Without a setting, the rule rejects every request with 403.
///
/// A rejection is 401 `insufficient_user_authentication`, in gRPC 16 `UNAUTHENTICATED`. Its
/// `WWW-Authenticate` header has both requirements as `acr_values` and `max_age`, so the client can
/// ask for a token that fulfils them. The log line tells which claim does not suffice.
///
/// The issuer must write both claims into its access tokens
/// ([RFC 9068 §2.2.1](https://www.rfc-editor.org/rfc/rfc9068#section-2.2.1)).
///
/// ```
/// use std::time::Duration;
/// use modeler_auth::{
///     RequirePermissionLayer,
///     require::{PermissionRule as _, RequireAuthentication, RequireScope},
/// };
///
/// let recent_and_strong = RequireAuthentication::new()
///     .acr_values(["phrh", "phr"])?
///     .max_age(Duration::from_secs(300));
/// let layer = RequirePermissionLayer::new(
///     RequireScope::all(["orders:write"]).and(recent_and_strong),
/// );
/// # Ok::<(), modeler_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct RequireAuthentication {
    needed: Arc<NeededAuthentication>,
}

impl RequireAuthentication {
    /// Returns a rule without a setting, which rejects every request.
    ///
    /// ```
    /// use std::time::Duration;
    /// use modeler_auth::require::RequireAuthentication;
    ///
    /// let recent = RequireAuthentication::new().max_age(Duration::from_secs(300));
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Accepts only these values of the claim `acr`, compared exactly. The challenge names them in
    /// this order, the preferred one first. Default: `acr` is not checked.
    ///
    /// # Errors
    /// [`ConfigError::InvalidAcrValue`] if there is no value, or if one is empty or contains anything
    /// but visible ASCII characters without `"` and `\`. The challenge could not name such a value.
    ///
    /// ```
    /// use modeler_auth::require::RequireAuthentication;
    ///
    /// let rule = RequireAuthentication::new().acr_values(["urn:example:gold", "urn:example:silver"])?;
    /// assert!(RequireAuthentication::new().acr_values(["two words"]).is_err());
    /// # Ok::<(), modeler_auth::ConfigError>(())
    /// ```
    pub fn acr_values<V: Into<String>>(
        mut self,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self, ConfigError> {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        if values.is_empty() {
            return Err(ConfigError::InvalidAcrValue {
                value: String::new(),
                reason: "the list is empty: name at least one value",
            });
        }
        if let Some(value) = values.iter().find(|value| !is_scope_token(value)) {
            return Err(ConfigError::InvalidAcrValue {
                value: value.clone(),
                reason: "use visible ASCII characters without spaces, quotation marks and backslashes",
            });
        }
        Arc::make_mut(&mut self.needed).acr_values = values;
        Ok(self)
    }

    /// Sets the time since the authentication (`auth_time`) up to which it suffices, in whole
    /// seconds; a fraction of a second is dropped. Default: `auth_time` is not checked.
    ///
    /// The clock is that of the validator. Its
    /// [`leeway`](crate::TokenValidatorBuilder::leeway) is added, and `auth_time` may be in the future
    /// by the leeway, since the issuer's clock may differ.
    ///
    /// ```
    /// use std::time::Duration;
    /// use modeler_auth::require::RequireAuthentication;
    ///
    /// let rule = RequireAuthentication::new().max_age(Duration::from_secs(300));
    /// ```
    pub fn max_age(mut self, age: Duration) -> Self {
        Arc::make_mut(&mut self.needed).max_age = Some(age.as_secs());
        self
    }

    /// Returns the problem of a token that does not suffice, for the log.
    fn problem(&self, claims: &Claims) -> Option<&'static str> {
        let accepted = &self.needed.acr_values;
        if !accepted.is_empty() {
            let suffices = |value: &str| accepted.iter().any(|accepted| accepted == value);
            match claims.get::<String>("acr") {
                Ok(Some(value)) if suffices(&value) => {}
                Ok(Some(_)) => return Some("the token's `acr` is not one of the accepted values"),
                Ok(None) => {
                    return Some(
                        "the token has no `acr`: configure the issuer to write it into access tokens",
                    );
                }
                Err(_) => return Some("the token's `acr` is not a string"),
            }
        }
        let max_age = Duration::from_secs(self.needed.max_age?);
        let (now, leeway) = (claims.now(), claims.leeway());
        match claims.get::<f64>("auth_time") {
            Ok(Some(seconds)) if seconds >= 0.0 => {
                let authenticated_at = WallTime::from_numeric_date(seconds);
                let latest = authenticated_at
                    .saturating_add(max_age)
                    .saturating_add(leeway);
                if authenticated_at > now.saturating_add(leeway) {
                    Some(
                        "the token's `auth_time` is in the future: compare the clocks of issuer and service, or raise the leeway",
                    )
                } else if now > latest {
                    Some("the user's authentication (`auth_time`) is older than `max_age`")
                } else {
                    None
                }
            }
            Ok(None) => Some(
                "the token has no `auth_time`: configure the issuer to write it into access tokens",
            ),
            Ok(Some(_)) | Err(_) => {
                Some("the token's `auth_time` is not a number of seconds since 1970")
            }
        }
    }
}

impl PermissionRule for RequireAuthentication {
    fn check(&self, access: &Access, _: &RequestView<'_>) -> Result<(), Denied> {
        if *self.needed == NeededAuthentication::default() {
            return Err(Denied::always()
                .because("RequireAuthentication has no setting: set `acr_values` or `max_age`"));
        }
        match self.problem(access.claims()) {
            Some(problem) => {
                let denied = Denied::needs_authentication(Arc::clone(&self.needed));
                Err(denied.because(problem))
            }
            None => Ok(()),
        }
    }
}
