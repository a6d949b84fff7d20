//! Path of a claim.

/// Path of a claim: the name of a top-level member, or a list of names that leads into nested objects.
///
/// ```
/// use modeler_auth::ClaimPath;
///
/// let top_level = ClaimPath::from("https://camunda.com/orgId");
/// let nested = ClaimPath::from(&["permissions", "web-modeler-public-api"]);
/// ```
#[derive(Clone, Debug)]
pub struct ClaimPath<'p>(Path<'p>);

#[derive(Clone, Debug)]
enum Path<'p> {
    Nested(&'p [&'p str]),
    TopLevel([&'p str; 1]),
}

impl<'p> ClaimPath<'p> {
    pub(super) fn names(&self) -> &[&'p str] {
        match &self.0 {
            Path::Nested(names) => names,
            Path::TopLevel(name) => name,
        }
    }
}

impl<'p> From<&'p str> for ClaimPath<'p> {
    fn from(name: &'p str) -> Self {
        Self(Path::TopLevel([name]))
    }
}

impl<'p> From<&'p [&'p str]> for ClaimPath<'p> {
    fn from(names: &'p [&'p str]) -> Self {
        Self(Path::Nested(names))
    }
}

impl<'p, const N: usize> From<&'p [&'p str; N]> for ClaimPath<'p> {
    fn from(names: &'p [&'p str; N]) -> Self {
        Self(Path::Nested(names))
    }
}
