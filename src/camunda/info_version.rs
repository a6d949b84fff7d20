//! Versions of the info endpoint.

/// Version of the info endpoint, as in `/api/<version>/info`.
///
/// ```
/// use modeler_auth::{InfoService, camunda::InfoVersion};
///
/// let service = InfoService::new().versions([InfoVersion::V1, InfoVersion::V2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InfoVersion {
    /// `beta`, the predecessor of `v1` with the same answer.
    Beta,
    /// `v1`, the Web Modeler API. Deprecated in Camunda 8.10, removed in 8.12.
    V1,
    /// `v2`, the Hub API.
    V2,
}

impl InfoVersion {
    /// Returns the name in paths and answers: `beta`, `v1` or `v2`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Beta => "beta",
            Self::V1 => "v1",
            Self::V2 => "v2",
        }
    }

    /// Returns the version in `…/<version>/info`.
    pub(super) fn of_path(path: &str) -> Option<Self> {
        let (_, name) = path.strip_suffix("/info")?.rsplit_once('/')?;
        match name {
            "beta" => Some(Self::Beta),
            "v1" => Some(Self::V1),
            "v2" => Some(Self::V2),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_segment_before_info() {
        for (path, expected) in [
            ("/api/v1/info", InfoVersion::V1),
            ("/v2/info", InfoVersion::V2),
            ("/a/b/beta/info", InfoVersion::Beta),
        ] {
            assert_eq!(InfoVersion::of_path(path), Some(expected));
            assert!(path.ends_with(&format!("/{}/info", expected.name())));
        }
        for other in [
            "",
            "/",
            "/info",
            "info",
            "v1/info/",
            "/api/v1/info/",
            "/api/v3/info",
            "/api/V1/info",
            "/api/v1/infos",
            "/api/v1//info",
            "/api/%761/info",
            "/api/v1",
        ] {
            assert_eq!(InfoVersion::of_path(other), None, "{other}");
        }
    }
}
