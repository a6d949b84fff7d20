//! Projects and their files in memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::broadcast;
use tonic::Status;

/// Number of added files that a slow watcher may be behind.
const MAX_UNSEEN_FILES: usize = 100;

/// Projects by organization and id.
#[derive(Clone, Debug, Default)]
pub struct Store(Arc<Mutex<HashMap<(String, String), StoredProject>>>);

#[derive(Debug)]
struct StoredProject {
    name: String,
    files: Vec<String>,
    added: broadcast::Sender<String>,
}

impl Store {
    /// Creates a project and returns its id.
    pub fn create(&self, organization: &str, name: &str) -> String {
        let mut projects = self.projects();
        let id = projects.len().to_string();
        let project = StoredProject {
            name: name.to_owned(),
            files: Vec::new(),
            added: broadcast::Sender::new(MAX_UNSEEN_FILES),
        };
        projects.insert((organization.to_owned(), id.clone()), project);
        id
    }

    /// Returns the name of a project.
    pub fn name(&self, organization: &str, id: &str) -> Result<String, Status> {
        self.with(organization, id, |project| project.name.clone())
    }

    /// Adds a file to a project.
    pub fn add_file(&self, organization: &str, id: &str, file: String) -> Result<(), Status> {
        self.with(organization, id, |project| {
            project.files.push(file.clone());
            // An error means that nobody watches the project.
            let _ = project.added.send(file);
        })
    }

    /// Deletes the files of a project and returns their number.
    pub fn delete_files(&self, organization: &str, id: &str) -> Result<usize, Status> {
        self.with(organization, id, |project| project.files.drain(..).count())
    }

    /// Returns the files of a project, and a receiver of those that are added later.
    pub fn watch(
        &self,
        organization: &str,
        id: &str,
    ) -> Result<(Vec<String>, broadcast::Receiver<String>), Status> {
        self.with(organization, id, |project| {
            (project.files.clone(), project.added.subscribe())
        })
    }

    fn with<T>(
        &self,
        organization: &str,
        id: &str,
        action: impl FnOnce(&mut StoredProject) -> T,
    ) -> Result<T, Status> {
        let key = (organization.to_owned(), id.to_owned());
        let mut projects = self.projects();
        let project = projects.get_mut(&key);
        project
            .map(action)
            .ok_or_else(|| Status::not_found("no such project"))
    }

    fn projects(&self) -> MutexGuard<'_, HashMap<(String, String), StoredProject>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
