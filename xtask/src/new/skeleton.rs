//! The changes of an addition: texts that are put beside a place in a file. All of them are made in memory before the
//! first file is written, so that an addition is never half there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::failure::Failure;

/// Stands where a person has to write. Its parts are joined here, so that no file of this task has it.
pub(crate) const MARK: &str = concat!("TODO", "(new)");

/// The changes of an addition, and what a person does after them.
#[derive(Default)]
pub(super) struct Plan {
    taken: Vec<Taken>,
    changes: Vec<Change>,
    left: Vec<String>,
}

/// A text that says, in a file, that the name is taken.
struct Taken {
    path: &'static str,
    text: String,
}

struct Change {
    path: &'static str,
    make: Make,
}

enum Make {
    /// A text on a side of the only place that has the anchor.
    Insert {
        anchor: &'static str,
        side: Side,
        text: String,
    },
    /// Another text in each place of the anchor.
    Replace { anchor: &'static str, text: String },
    /// A change of the whole text; the error is what is missing in it.
    Rewrite(fn(&str) -> Result<String, &'static str>),
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

impl Plan {
    /// Refuses the addition if the file has this text already.
    pub(super) fn unless(&mut self, path: &'static str, text: impl Into<String>) {
        let text = text.into();
        self.taken.push(Taken { path, text });
    }

    /// Puts a text before the anchor, which the file has once.
    pub(super) fn before(&mut self, path: &'static str, anchor: &'static str, text: String) {
        self.insert(path, anchor, Side::Before, text);
    }

    /// Puts a text after the anchor, which the file has once.
    pub(super) fn after(&mut self, path: &'static str, anchor: &'static str, text: String) {
        self.insert(path, anchor, Side::After, text);
    }

    fn insert(&mut self, path: &'static str, anchor: &'static str, side: Side, text: String) {
        let make = Make::Insert { anchor, side, text };
        self.changes.push(Change { path, make });
    }

    /// Puts a text in place of each anchor, of which the file has at least one.
    pub(super) fn replace(&mut self, path: &'static str, anchor: &'static str, text: String) {
        let make = Make::Replace { anchor, text };
        self.changes.push(Change { path, make });
    }

    /// Changes the whole text.
    pub(super) fn rewrite(
        &mut self,
        path: &'static str,
        rewrite: fn(&str) -> Result<String, &'static str>,
    ) {
        let make = Make::Rewrite(rewrite);
        self.changes.push(Change { path, make });
    }

    /// Adds what a person does afterwards, in the order in which it is done.
    pub(super) fn then(&mut self, left: impl Into<String>) {
        self.left.push(left.into());
    }

    /// What a person does afterwards.
    pub(super) fn left(&self) -> &[String] {
        &self.left
    }

    /// The files that are read or changed.
    #[cfg(test)]
    pub(super) fn paths(&self) -> Vec<&'static str> {
        let taken = self.taken.iter().map(|taken| taken.path);
        let changed = self.changes.iter().map(|change| change.path);
        taken.chain(changed).collect()
    }

    /// Makes all changes in the repository at `root`, or none of them. Returns the paths of the files that were
    /// written.
    pub(super) fn write(&self, root: &Path) -> Result<Vec<String>, Failure> {
        for taken in &self.taken {
            if read(root, taken.path)?.contains(&taken.text) {
                return Err(refused(
                    taken.path,
                    &format!("it has {} already", taken.text),
                ));
            }
        }
        let mut texts = BTreeMap::new();
        for change in &self.changes {
            let path = change.path;
            let text = match texts.remove(path) {
                Some(text) => text,
                None => read(root, path)?,
            };
            texts.insert(
                path,
                change
                    .make
                    .apply(&text)
                    .map_err(|why| refused(path, &why))?,
            );
        }
        for (path, text) in &texts {
            let file = root.join(path);
            fs::write(&file, text).map_err(Failure::file(file))?;
        }
        Ok(texts.into_keys().map(str::to_owned).collect())
    }
}

impl Make {
    /// The changed text, or why it cannot be changed.
    fn apply(&self, text: &str) -> Result<String, String> {
        match self {
            Self::Insert {
                anchor,
                side,
                text: added,
            } => {
                let count = text.matches(anchor).count();
                if count != 1 {
                    return Err(format!("it has `{anchor}` {count} times, and not once"));
                }
                let inserted = match side {
                    Side::Before => format!("{added}{anchor}"),
                    Side::After => format!("{anchor}{added}"),
                };
                Ok(text.replace(anchor, &inserted))
            }
            Self::Replace { anchor, .. } if !text.contains(anchor) => {
                Err(format!("it has no `{anchor}`"))
            }
            Self::Replace {
                anchor,
                text: other,
            } => Ok(text.replace(anchor, other)),
            Self::Rewrite(rewrite) => rewrite(text).map_err(str::to_owned),
        }
    }
}

fn read(root: &Path, path: &str) -> Result<String, Failure> {
    let file = root.join(path);
    fs::read_to_string(&file).map_err(Failure::file(file))
}

fn refused(path: &str, why: &str) -> Failure {
    Failure::File {
        path: path.into(),
        why: format!("{why}; nothing was written"),
    }
}
