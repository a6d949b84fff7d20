//! YAML documents as properties: `a: {b: [x]}` is the property `a.b[0]` with the text `x`.
//!
//! Nothing here recurses, and every file has bounds.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::{
    camunda::config::properties::{Origin, Property},
    error::config::ConfigError,
    url::shown,
};

/// Most levels of a document, and most nodes of all documents, where each use of an alias counts.
const MAX_DEPTH: usize = 64;
const MAX_NODES: usize = 10_000;
/// Longest key, with its prefix.
const MAX_KEY_BYTES: usize = 1024;
/// Most bytes of all keys and texts, where each use of an alias counts.
const MAX_BYTES: usize = 2 << 20;

/// Reads the documents of `text`, the content of `file`.
pub(super) fn documents(file: &str, text: &str) -> Result<Vec<Vec<Property>>, ConfigError> {
    let invalid = |problem: Problem| ConfigError::InvalidFile {
        file: file.to_owned(),
        line: problem.line,
        reason: problem.reason,
    };
    let file: Arc<str> = file.into();
    let mut reader = Reader::new(text);
    let mut documents = Vec::new();
    let mut visits = Visits::default();
    while let Some(document) = reader.next_document().map_err(invalid)? {
        let properties = document.properties(&file, &mut visits);
        documents.push(properties.map_err(invalid)?);
    }
    Ok(documents)
}

struct Problem {
    line: Option<usize>,
    reason: String,
}

impl Problem {
    fn at(line: usize, reason: impl Into<String>) -> Self {
        Self {
            line: Some(line),
            reason: reason.into(),
        }
    }

    fn twice(line: usize, key: &str) -> Self {
        Self::at(
            line,
            format!(
                "`{}` stands here a second time: remove one of them",
                shown(key)
            ),
        )
    }
}

/// Index of a node.
type Node = usize;

struct Entry {
    key: String,
    line: usize,
    node: Node,
}

enum Content {
    /// A text, or `None` for null.
    Text(Option<String>),
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// Nodes of a document, each with its line. The last one is the root.
#[derive(Default)]
struct Document {
    nodes: Vec<(Content, usize)>,
}

/// List or mapping that has begun and not ended.
struct Open {
    content: Content,
    line: usize,
    anchor: usize,
    /// Key of a mapping whose value follows.
    key: Option<(String, usize)>,
}

struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            parser: Parser::new_from_str(text),
        }
    }

    /// Returns the next document that is not empty.
    fn next_document(&mut self) -> Result<Option<Document>, Problem> {
        let mut document = Document::default();
        let mut anchors: HashMap<usize, Node> = HashMap::new();
        let mut open: Vec<Open> = Vec::new();
        while let Some(event) = self.parser.next_event() {
            let (event, span) = event.map_err(|error| {
                Problem::at(
                    error.marker().line(),
                    format!("it is not YAML: {}", shown(error.info())),
                )
            })?;
            let line = span.start.line();
            let node = match event {
                Event::Scalar(text, style, anchor, _) => {
                    let is_null = style == ScalarStyle::Plain
                        && matches!(&*text, "" | "~" | "null" | "Null" | "NULL");
                    if let Some(Open {
                        content: Content::Mapping(_),
                        key: key @ None,
                        ..
                    }) = open.last_mut()
                    {
                        *key = Some((text.into_owned(), line));
                        continue;
                    }
                    let text = (!is_null).then(|| text.into_owned());
                    document.add(Content::Text(text), line, anchor, &mut anchors)
                }
                Event::Alias(anchor) => *anchors.get(&anchor).ok_or_else(|| {
                    Problem::at(line, "an alias refers to a node that contains it")
                })?,
                Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                    if open.len() >= MAX_DEPTH {
                        return Err(Problem::at(
                            line,
                            format!("it has more than {MAX_DEPTH} levels"),
                        ));
                    }
                    open.push(Open {
                        content: match event {
                            Event::SequenceStart(..) => Content::List(Vec::new()),
                            _ => Content::Mapping(Vec::new()),
                        },
                        line,
                        anchor,
                        key: None,
                    });
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let Some(ended) = open.pop() else { continue };
                    document.add(ended.content, ended.line, ended.anchor, &mut anchors)
                }
                Event::DocumentEnd if !document.nodes.is_empty() => return Ok(Some(document)),
                Event::DocumentEnd
                | Event::DocumentStart(_)
                | Event::StreamStart
                | Event::StreamEnd
                | Event::Nothing => continue,
            };
            if document.nodes.len() > MAX_NODES {
                return Err(Problem::at(
                    line,
                    format!("it has more than {MAX_NODES} nodes"),
                ));
            }
            match open.last_mut() {
                Some(Open {
                    content: Content::Mapping(entries),
                    key,
                    ..
                }) => match key.take() {
                    Some((key, line)) => entries.push(Entry { key, line, node }),
                    None => return Err(Problem::at(line, "a key is not a text")),
                },
                Some(Open {
                    content: Content::List(nodes),
                    ..
                }) => nodes.push(node),
                Some(_) | None => {}
            }
        }
        Ok(None)
    }
}

impl Document {
    fn add(
        &mut self,
        content: Content,
        line: usize,
        anchor: usize,
        anchors: &mut HashMap<usize, Node>,
    ) -> Node {
        let node = self.nodes.len();
        self.nodes.push((content, line));
        // 0 stands for no anchor.
        if anchor != 0 {
            anchors.insert(anchor, node);
        }
        node
    }

    fn properties(&self, file: &Arc<str>, visits: &mut Visits) -> Result<Vec<Property>, Problem> {
        let mut properties = Vec::new();
        let mut names = HashSet::new();
        let mut waiting: Vec<Step> = Vec::new();
        if let Some((_, line)) = self.nodes.last() {
            waiting.push(Step {
                name: String::new(),
                line: *line,
                node: self.nodes.len().saturating_sub(1),
                depth: 0,
            });
        }
        while let Some(step) = waiting.pop() {
            visits.count(step.line)?;
            step.check()?;
            let Some((content, _)) = self.nodes.get(step.node) else {
                continue;
            };
            // The last step is taken first.
            let start = waiting.len();
            match content {
                Content::Text(text) => {
                    let Step { name, line, .. } = step;
                    if !names.insert(name.clone()) {
                        return Err(Problem::twice(line, &name));
                    }
                    let text_bytes = text.as_ref().map_or(0, String::len);
                    visits.count_bytes(line, name.len().saturating_add(text_bytes))?;
                    // A document of one text has no keys.
                    if !name.is_empty() {
                        let file = Arc::clone(file);
                        let key = name;
                        properties.push(Property {
                            origin: Origin::File { file, line, key },
                            text: text.clone(),
                        });
                    }
                }
                Content::List(nodes) => {
                    for (index, &node) in nodes.iter().enumerate() {
                        let line = self.nodes.get(node).map_or(step.line, |(_, line)| *line);
                        let name = format!("{}[{index}]", step.name);
                        waiting.push(step.to(name, line, node));
                    }
                }
                Content::Mapping(entries) => {
                    let dot = if step.name.is_empty() { "" } else { "." };
                    for entry in self.with_merged(entries, visits)? {
                        let name = format!("{}{dot}{}", step.name, entry.key);
                        waiting.push(step.to(name, entry.line, entry.node));
                    }
                }
            }
            waiting.get_mut(start..).unwrap_or_default().reverse();
        }
        Ok(properties)
    }

    /// Returns the entries of a mapping, and those of the mappings under its keys `<<` whose keys it
    /// does not have.
    fn with_merged<'d>(
        &'d self,
        entries: &'d [Entry],
        visits: &mut Visits,
    ) -> Result<Vec<&'d Entry>, Problem> {
        let (merges, mut all): (Vec<_>, Vec<_>) =
            entries.iter().partition(|entry| entry.key == MERGE);
        let mut keys: HashSet<&str> = HashSet::new();
        if let Some(twice) = all.iter().find(|entry| !keys.insert(&entry.key)) {
            return Err(Problem::twice(twice.line, &twice.key));
        }
        // The last one is taken first, and the first mapping of a list wins. A mapping that is merged
        // a second time adds nothing.
        let mut visited = HashSet::new();
        let mut waiting: Vec<_> = merges
            .iter()
            .map(|entry| (entry.line, entry.node))
            .collect();
        while let Some((line, node)) = waiting.pop() {
            visits.count(line)?;
            if !visited.insert(node) {
                continue;
            }
            match self.nodes.get(node) {
                Some((Content::List(nodes), _)) => {
                    waiting.extend(nodes.iter().rev().map(|node| (line, *node)));
                }
                Some((Content::Mapping(entries), _)) => {
                    for entry in entries {
                        visits.count(line)?;
                        if entry.key == MERGE {
                            waiting.push((entry.line, entry.node));
                        } else if keys.insert(&entry.key) {
                            all.push(entry);
                        }
                    }
                }
                _ => return Err(Problem::at(line, "`<<` needs a mapping")),
            }
        }
        Ok(all)
    }
}

/// Key of a mapping that is merged into the one around it.
const MERGE: &str = "<<";

/// Numbers of visited nodes and bytes of all documents. Each use of an alias counts.
#[derive(Default)]
struct Visits {
    nodes: usize,
    bytes: usize,
}

impl Visits {
    fn count(&mut self, line: usize) -> Result<(), Problem> {
        self.nodes = self.nodes.saturating_add(1);
        if self.nodes > MAX_NODES {
            let reason = format!("with its aliases it has more than {MAX_NODES} nodes");
            return Err(Problem::at(line, reason));
        }
        Ok(())
    }

    fn count_bytes(&mut self, line: usize, bytes: usize) -> Result<(), Problem> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MAX_BYTES {
            let reason = format!("with its aliases it has more than {MAX_BYTES} bytes");
            return Err(Problem::at(line, reason));
        }
        Ok(())
    }
}

/// Node that is still to be read, under the name that its keys make.
struct Step {
    name: String,
    line: usize,
    node: Node,
    depth: usize,
}

impl Step {
    /// Returns the step to a node inside this one.
    fn to(&self, name: String, line: usize, node: Node) -> Self {
        Self {
            name,
            line,
            node,
            depth: self.depth.saturating_add(1),
        }
    }

    fn check(&self) -> Result<(), Problem> {
        if self.depth > MAX_DEPTH {
            let reason = format!("its aliases stand for more than {MAX_DEPTH} levels");
            return Err(Problem::at(self.line, reason));
        }
        if self.name.len() > MAX_KEY_BYTES {
            let reason = format!("a key has more than {MAX_KEY_BYTES} bytes");
            return Err(Problem::at(self.line, reason));
        }
        Ok(())
    }
}
