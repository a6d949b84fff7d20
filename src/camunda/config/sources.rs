//! Sources of properties: the documents of all configuration files, in the order of Spring Boot.
//!
//! 1. The files of all locations are read, and those that they import.
//! 2. Their documents without a condition name the profiles.
//! 3. The files for these profiles are read, for locations and for imports.
//! 4. Documents whose condition does not hold are left out.
//!
//! Files are read in descending order of rank. A file is read once, so it has the highest of its ranks.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use crate::{
    camunda::config::{
        files::{self, invalid},
        locations::{self, Candidate, Folders, Group},
        profiles::{self, Profiles},
        properties::{Properties, Property},
    },
    error::config::ConfigError,
};

/// Most files.
const MAX_FILES: usize = 64;

/// Properties of documents.
#[derive(Default)]
pub(super) struct Sources {
    /// Those that count; a later one wins.
    pub(super) active: Vec<Vec<Property>>,
    /// Those whose condition does not hold.
    inactive: Vec<Vec<Property>>,
    /// Files for profiles that are not active.
    unread: Vec<Candidate>,
}

/// Document of a file, and those of the files that it imports. In each list a later one wins.
struct Document {
    properties: Vec<Property>,
    /// Folder of the file.
    folder: PathBuf,
    /// The file is for one profile.
    is_of_profile: bool,
    is_active: bool,
    /// Locations that it imports; `None` if they are not read yet.
    imports: Option<Vec<Group>>,
    /// Documents of imported files that are read before the profiles are known.
    before: Vec<Document>,
    /// Documents of imported files that are read afterwards.
    after: Vec<Document>,
}

/// Documents of one location of variables, or of the default ones.
struct Tree {
    group: Group,
    documents: Vec<Document>,
    of_profiles: Vec<Document>,
}

/// Reads all configuration files. Relative paths begin in `folder`; `variable` returns the value of
/// the variable with exactly this name.
pub(super) fn read(
    variables: &[Property],
    variable: &dyn Fn(&str) -> Option<String>,
    folder: &Path,
) -> Result<Sources, ConfigError> {
    let of_variables = Properties {
        sources: vec![variables],
        variable,
    };
    let mut loader = Loader {
        variables,
        variable,
        folder,
        names: locations::names(variables, &of_variables)?,
        read: HashSet::new(),
    };
    let mut trees = Vec::new();
    let groups = locations::groups(variables, &of_variables, folder)?;
    for group in groups.into_iter().rev() {
        let mut documents = loader.read_group(&group, None)?;
        loader.read_imports(&mut documents)?;
        trees.push(Tree {
            group,
            documents,
            of_profiles: Vec::new(),
        });
    }
    let profiles = loader.profiles(&trees)?;
    for tree in &mut trees {
        loader.read_variants(&mut tree.documents, &profiles)?;
        let read = |profile: &String| loader.read_group(&tree.group, Some(profile));
        let read: Vec<_> = profiles
            .names()
            .iter()
            .rev()
            .map(read)
            .collect::<Result<_, _>>()?;
        tree.of_profiles = read.into_iter().rev().flatten().collect();
        loader.read_variants(&mut tree.of_profiles, &profiles)?;
    }
    let mut sources = Sources::default();
    let mut active = Vec::new();
    for tree in trees.into_iter().rev() {
        for location in &tree.group {
            let files = location.files_for_profiles(&loader.names);
            sources.unread.extend(
                files
                    .into_iter()
                    .filter(|file| !loader.has_read(&file.path)),
            );
        }
        let variants = sources.flatten(tree.documents, &mut active);
        let last = sources.flatten(tree.of_profiles, &mut active);
        active.extend(last);
        active.extend(variants);
    }
    sources.active = active;
    Ok(sources)
}

struct Loader<'v> {
    variables: &'v [Property],
    variable: &'v dyn Fn(&str) -> Option<String>,
    folder: &'v Path,
    /// Names of files in folders.
    names: Vec<String>,
    /// Files that were read.
    read: HashSet<PathBuf>,
}

impl Loader<'_> {
    /// Reads the files of a group of locations, or those for a profile, except those that were read
    /// before.
    fn read_group(
        &mut self,
        group: &Group,
        profile: Option<&str>,
    ) -> Result<Vec<Document>, ConfigError> {
        let mut candidates = Vec::new();
        for location in group {
            candidates.extend(location.files(&self.names, profile)?);
        }
        let mut read = Vec::new();
        for candidate in candidates.into_iter().rev() {
            let path = candidate.path;
            if self.has_read(&path) {
                continue;
            }
            let Some(documents) = files::read(&path, candidate.has_hint)? else {
                continue;
            };
            self.read.insert(canonical(&path));
            if self.read.len() > MAX_FILES {
                return Err(invalid(
                    &path,
                    &format!(
                        "more than {MAX_FILES} configuration files are found: name or import fewer"
                    ),
                ));
            }
            let folder = path.parent().unwrap_or_else(|| Path::new(""));
            for properties in documents.into_iter().rev() {
                profiles::check(&properties, profile.is_some())?;
                read.push(Document {
                    properties,
                    folder: folder.to_owned(),
                    is_of_profile: profile.is_some(),
                    is_active: false,
                    imports: None,
                    before: Vec::new(),
                    after: Vec::new(),
                });
            }
        }
        read.reverse();
        Ok(read)
    }

    fn has_read(&self, path: &Path) -> bool {
        self.read.contains(&canonical(path))
    }

    /// Reads what documents without a condition import. The bound on files bounds the recursion.
    fn read_imports(&mut self, documents: &mut [Document]) -> Result<(), ConfigError> {
        for document in documents.iter_mut().rev() {
            if !profiles::is_conditional(&document.properties) {
                document.before = self.imported(document, &[])?;
                self.read_imports(&mut document.before)?;
            }
        }
        Ok(())
    }

    /// Decides which documents are active, and reads what is still unread of their imports: files of
    /// documents with a condition, and files for profiles.
    fn read_variants(
        &mut self,
        documents: &mut [Document],
        profiles: &Profiles,
    ) -> Result<(), ConfigError> {
        for document in documents.iter_mut().rev() {
            self.read_variants(&mut document.before, profiles)?;
            document.is_active = profiles.activate(&document.properties)?;
            if document.is_active {
                document.after = self.imported(document, profiles.names())?;
                self.read_variants(&mut document.after, profiles)?;
            }
        }
        Ok(())
    }

    /// Reads the files that a document imports, and those for profiles, except those that were read
    /// before.
    fn imported(
        &mut self,
        document: &mut Document,
        profiles: &[String],
    ) -> Result<Vec<Document>, ConfigError> {
        let imports = if let Some(imports) = document.imports.take() {
            imports
        } else {
            let properties = Properties {
                sources: vec![&document.properties, self.variables],
                variable: self.variable,
            };
            let folders = Folders {
                process: self.folder,
                file: &document.folder,
            };
            locations::imports(&document.properties, &properties, &folders)?
        };
        let mut read = Vec::new();
        for group in imports.iter().rev() {
            for profile in profiles.iter().rev() {
                read.push(self.read_group(group, Some(profile))?);
            }
            read.push(self.read_group(group, None)?);
        }
        document.imports = Some(imports);
        Ok(read.into_iter().rev().flatten().collect())
    }

    fn profiles(&self, trees: &[Tree]) -> Result<Profiles, ConfigError> {
        let mut sources = Vec::new();
        for tree in trees.iter().rev() {
            add_unconditional(&tree.documents, &mut sources);
        }
        sources.push(self.variables);
        Profiles::read(&Properties {
            sources,
            variable: self.variable,
        })
    }
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn add_unconditional<'d>(documents: &'d [Document], sources: &mut Vec<&'d [Property]>) {
    for document in documents {
        if !profiles::is_conditional(&document.properties) {
            sources.push(&document.properties);
            add_unconditional(&document.before, sources);
        }
    }
}

impl Sources {
    /// Returns the documents that do not count, since their profile is not active. Files for inactive
    /// profiles are read here; one that cannot be read is of no interest.
    pub(super) fn inactive(&self) -> Vec<Vec<Property>> {
        let mut documents = self.inactive.clone();
        for file in self.unread.iter().take(MAX_FILES) {
            let read = files::read(&file.path, file.has_hint);
            documents.extend(read.ok().flatten().unwrap_or_default());
        }
        documents
    }

    /// Adds the active documents to `active`. An imported file wins over the document that imports
    /// it. Of imported files, those for profiles are returned: they win over all that is added here,
    /// and over the files for profiles beside the importing file.
    fn flatten(
        &mut self,
        documents: Vec<Document>,
        active: &mut Vec<Vec<Property>>,
    ) -> Vec<Vec<Property>> {
        let mut variants = Vec::new();
        for document in documents {
            if !document.is_active {
                self.inactive.push(document.properties);
                continue;
            }
            active.push(document.properties);
            let last = self.flatten(document.before, active);
            for imported in document.after {
                let target = if imported.is_of_profile {
                    &mut variants
                } else {
                    &mut *active
                };
                let last = self.flatten(vec![imported], target);
                target.extend(last);
            }
            active.extend(last);
        }
        variants
    }
}
