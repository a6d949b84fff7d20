//! Metadata of all resources of a validator.

use url::Url;

use crate::{
    error::config::ConfigError,
    resource::protected_resource::{ProtectedResource, invalid},
};

/// Well-known path of metadata
/// ([RFC 9728 §3.1](https://www.rfc-editor.org/rfc/rfc9728#section-3.1)).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// Resource whose metadata is rendered.
#[derive(Debug)]
pub(crate) struct PublishedResource {
    /// Path of the identifier; empty instead of `/`.
    path: String,
    /// URL of the metadata.
    metadata_url: String,
    document: String,
}

impl PublishedResource {
    pub(super) fn new(identifier: &Url, document: String) -> Self {
        let path = match identifier.path() {
            "/" => "",
            path => path,
        };
        let origin = identifier.origin().ascii_serialization();
        Self {
            path: path.to_owned(),
            metadata_url: format!("{origin}{WELL_KNOWN}{path}"),
            document,
        }
    }

    /// Returns whether `path` is the path of the identifier, with or without a slash at the end: some
    /// clients remove it before they insert the path.
    fn is_at(&self, path: &str) -> bool {
        without_last_slash(&self.path) == without_last_slash(path)
    }

    /// Returns whether `path` is the path of the identifier, or below it.
    fn covers(&self, path: &str) -> bool {
        let below = path.strip_prefix(without_last_slash(&self.path));
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    }
}

/// Resources in the order in which they were configured.
#[derive(Debug, Default)]
pub(crate) struct PublishedResources(Vec<PublishedResource>);

impl PublishedResources {
    pub(crate) fn new(
        resources: &[ProtectedResource],
        issuers: &[&str],
    ) -> Result<Self, ConfigError> {
        let mut published: Vec<PublishedResource> = Vec::with_capacity(resources.len());
        for resource in resources {
            let resource = resource.publish(issuers)?;
            if published.iter().any(|other| other.is_at(&resource.path)) {
                let reason = "another resource has the same path: remove one of the two";
                return Err(invalid("metadata URL", resource.metadata_url, reason));
            }
            published.push(resource);
        }
        Ok(Self(published))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the URL of the metadata of the resource at `path`: the one whose identifier has the longest
    /// path that covers it, else the first.
    pub(crate) fn metadata_url(&self, path: Option<&str>) -> Option<&str> {
        let covering = path.and_then(|path| {
            let covering = self.0.iter().filter(|resource| resource.covers(path));
            covering.max_by_key(|resource| resource.path.len())
        });
        let resource = covering.or_else(|| self.0.first())?;
        Some(&resource.metadata_url)
    }

    /// Returns the metadata at the well-known `path`. The root has that of the only resource, too.
    pub(crate) fn document(&self, path: &str) -> Option<&str> {
        let path = path.strip_prefix(WELL_KNOWN)?;
        if !path.is_empty() && !path.starts_with('/') {
            return None;
        }
        let found = self.0.iter().find(|resource| resource.is_at(path));
        let found = found.or(match self.0.as_slice() {
            [only] if without_last_slash(path).is_empty() => Some(only),
            _ => None,
        });
        found.map(|resource| resource.document.as_str())
    }
}

fn without_last_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}
