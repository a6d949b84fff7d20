//! Contents of a token for display. They decide nothing.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use super::{report::shown, words};

/// Shortest part of a token that is replaced where it occurs in a claim. Shorter texts occur by chance.
const MIN_HIDDEN_BYTES: usize = 12;
/// Claims whose values other checks show.
const SHOWN_ELSEWHERE: [&str; 6] = ["aud", "exp", "iat", "iss", "nbf", "typ"];
/// Claims whose values are shown, since they tell whose token it is.
const SHOWN: [&str; 5] = ["sub", "azp", "client_id", "scope", "acr"];

/// Header and claims of a token, as far as they can be read.
pub(super) struct Unverified {
    parts: usize,
    bytes: usize,
    header: Value,
    claims: Value,
}

impl Unverified {
    pub(super) fn read(token: &str) -> Self {
        let parts: Vec<_> = token.split('.').collect();
        let secrets: Vec<_> = parts
            .iter()
            .copied()
            .filter(|part| part.len() >= MIN_HIDDEN_BYTES)
            .collect();
        let value = |position: usize| {
            let bytes = URL_SAFE_NO_PAD.decode(parts.get(position)?).ok()?;
            let value = serde_json::from_slice(&bytes).ok()?;
            Some(hide(value, &secrets))
        };
        Self {
            parts: parts.len(),
            bytes: token.len(),
            header: value(0).unwrap_or_default(),
            claims: value(1).unwrap_or_default(),
        }
    }

    pub(super) fn parts(&self) -> String {
        format!("{} parts, {} bytes", self.parts, self.bytes)
    }

    pub(super) fn header(&self) -> String {
        let members = ["typ", "kid"].map(|name| format!("{name} {}", text(&self.header[name])));
        members.join(", ")
    }

    pub(super) fn algorithm(&self) -> String {
        text(&self.header["alg"])
    }

    pub(super) fn key_id(&self) -> String {
        text(&self.header["kid"])
    }

    pub(super) fn issuer(&self) -> String {
        text(&self.claims["iss"])
    }

    pub(super) fn kind(&self) -> String {
        let [header, payload] = [&self.header, &self.claims].map(|from| text(&from["typ"]));
        format!("`typ` of the header {header}, of the claims {payload}")
    }

    pub(super) fn audiences(&self) -> String {
        match &self.claims["aud"] {
            Value::Array(audiences) => words::list(audiences.iter().filter_map(Value::as_str)),
            other => text(other),
        }
    }

    /// Returns who has the token, and the names of further claims.
    pub(super) fn claims(&self) -> String {
        let Value::Object(claims) = &self.claims else {
            return "not readable".to_owned();
        };
        let own = SHOWN.iter().filter_map(|name| {
            let value = claims.get(*name)?;
            Some(format!("{name} {}", text(value)))
        });
        let is_other = |name: &&str| !SHOWN.contains(name) && !SHOWN_ELSEWHERE.contains(name);
        let others = words::list(claims.keys().map(String::as_str).filter(is_other));
        let own: Vec<_> = own.chain([format!("further claims {others}")]).collect();
        own.join(", ")
    }

    /// Returns the times in words.
    pub(super) fn times(&self, now: SystemTime) -> String {
        let times = [
            ("iat", "issued", "issued"),
            ("nbf", "began", "begins"),
            ("auth_time", "user authenticated", "user authenticated"),
            ("exp", "expired", "expires"),
        ];
        let times = times.into_iter().filter_map(|(name, past, future)| {
            let value = self.claims.get(name)?;
            let words = if is_past(value, now) { past } else { future };
            Some(format!("{words} {}", time(value, now)))
        });
        let times: Vec<_> = times.collect();
        if times.is_empty() {
            "none".to_owned()
        } else {
            times.join(", ")
        }
    }
}

/// Returns a value with the parts of the token replaced.
fn hide(value: Value, secrets: &[&str]) -> Value {
    let replace = |text: String| {
        let replaced = |text: String, secret: &&str| text.replace(*secret, "[hidden]");
        secrets.iter().fold(text, replaced)
    };
    match value {
        Value::String(text) => Value::String(replace(text)),
        Value::Array(values) => values.into_iter().map(|one| hide(one, secrets)).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (replace(name), hide(value, secrets)))
            .collect(),
        other => other,
    }
}

/// Returns a short text for a value.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "absent".to_owned(),
        Value::String(text) => format!("\"{}\"", shown(text)),
        other => shown(&other.to_string()),
    }
}

/// Returns a time of the claims (RFC 7519 §2, `NumericDate`); `None` if it cannot be represented.
fn system_time(value: &Value) -> Option<SystemTime> {
    let since = Duration::try_from_secs_f64(value.as_f64()?).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(since)
}

fn is_past(value: &Value, now: SystemTime) -> bool {
    system_time(value).is_some_and(|time| time <= now)
}

fn time(value: &Value, now: SystemTime) -> String {
    /// First second that the form of the date cannot represent, that of the year 10000.
    const YEAR_10000: u64 = 253_402_300_800;
    let end = SystemTime::UNIX_EPOCH + Duration::from_secs(YEAR_10000);
    match system_time(value).filter(|time| *time < end) {
        Some(time) => format!(
            "{} ({})",
            words::relative(time, now),
            httpdate::fmt_http_date(time)
        ),
        None => format!("at {}, which is no time", text(value)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(header: &Value, claims: &Value, signature: &str) -> String {
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        format!("{header}.{claims}.{signature}")
    }

    #[test]
    fn times_are_in_words() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        for (claims, words) in [
            (
                json!({"exp": 999_820, "iat": 999_520}),
                "issued 8 minutes ago (Mon, 12 Jan 1970 13:38:40 GMT), \
                 expired 3 minutes ago (Mon, 12 Jan 1970 13:43:40 GMT)",
            ),
            (
                json!({"exp": 1_000_060.5, "nbf": 1_000_030}),
                "begins in 30 seconds (Mon, 12 Jan 1970 13:47:10 GMT), \
                 expires in 1 minute (Mon, 12 Jan 1970 13:47:40 GMT)",
            ),
            (json!({"exp": 1e300}), "expires at 1e+300, which is no time"),
            (
                json!({"exp": 253_402_300_800_u64}),
                "expires at 253402300800, which is no time",
            ),
            (json!({"exp": -1}), "expires at -1, which is no time"),
            (
                json!({"exp": "x\n"}),
                "expires at \"x\\n\", which is no time",
            ),
            (json!({}), "none"),
        ] {
            let token = token(&json!({}), &claims, "");
            assert_eq!(Unverified::read(&token).times(now), words);
        }
    }

    #[test]
    fn a_part_of_the_token_in_a_claim_is_hidden() {
        let signature = "c2lnbmF0dXJlIG9mIGEgdG9rZW4";
        let claims = json!({
            "sub": signature, "scope": format!("{} {signature}", "x ".repeat(70)),
            "aud": [format!("a{signature}")], signature: 1,
        });
        let found = Unverified::read(&token(&json!({"kid": signature}), &claims, signature));
        let shown = format!(
            "{} {} {}",
            found.claims(),
            found.audiences(),
            found.header()
        );
        assert!(shown.contains("[hidden]"), "{shown}");
        assert!(!shown.contains("c2lnbmF0"), "{shown}");
    }

    #[test]
    fn what_is_no_token_is_read_without_a_panic() {
        for text in [
            "",
            ".",
            "...",
            "e30.W10.",
            "\u{1b}.\u{1b}.\u{1b}",
            "e30.e30",
        ] {
            let found = Unverified::read(text);
            assert_eq!(found.issuer(), "absent");
            assert!(!found.claims().is_empty() && !found.parts().is_empty());
        }
    }
}
