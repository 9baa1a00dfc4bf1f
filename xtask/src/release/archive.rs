//! `.tar.gz` files that are equal byte for byte whenever their files are: sorted names, no owner, and
//! one time for all files.

use std::fs;
use std::path::Path;

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::failure::Failure;

/// The time of every file: 1980-01-01, the first one that all archive formats can hold.
const TIME_S: u64 = 315_532_800;
const DATA_MODE: u32 = 0o644;
const PROGRAM_MODE: u32 = 0o755;

/// A file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    name: String,
    content: Vec<u8>,
    mode: u32,
}

impl Entry {
    /// A file that is no program.
    pub(super) fn data(name: &str, content: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            content: content.into(),
            mode: DATA_MODE,
        }
    }

    /// A file of this name with the content of a file on the disk.
    pub(super) fn of_file(name: &str, from: &Path) -> Result<Self, Failure> {
        Ok(Self::data(
            name,
            fs::read(from).map_err(Failure::file(from))?,
        ))
    }

    /// The same as a program.
    pub(super) fn program(name: &str, from: &Path) -> Result<Self, Failure> {
        Ok(Self {
            mode: PROGRAM_MODE,
            ..Self::of_file(name, from)?
        })
    }
}

/// The archive of these files, in one folder.
pub(super) fn packed(folder: &str, entries: &[Entry]) -> Result<Vec<u8>, Failure> {
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let pack = || {
        // Without a time and a name in the head, and with the same system byte everywhere.
        let gzip = GzBuilder::new()
            .mtime(0)
            .operating_system(255)
            .write(Vec::new(), Compression::best());
        let mut archive = Builder::new(gzip);
        for entry in entries {
            let mut header = Header::new_ustar();
            header.set_entry_type(EntryType::Regular);
            header.set_size(u64::try_from(entry.content.len()).unwrap_or(u64::MAX));
            header.set_mode(entry.mode);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(TIME_S);
            let name = format!("{folder}/{}", entry.name);
            archive.append_data(&mut header, name, &*entry.content)?;
        }
        archive.into_inner()?.finish()
    };
    pack().map_err(Failure::file(folder))
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use tar::Archive;

    use super::{Entry, PROGRAM_MODE, packed};

    #[test]
    fn the_order_of_the_files_does_not_change_the_archive() {
        let files = [
            Entry::data("b/c.txt", "two"),
            Entry::data("a.txt", "one"),
            Entry {
                mode: PROGRAM_MODE,
                ..Entry::data("run", vec![0; 100_000])
            },
        ];
        let one = packed("x-1.0", &files).unwrap();
        let mut turned = files.clone();
        turned.reverse();
        assert_eq!(packed("x-1.0", &turned).unwrap(), one);
        assert_ne!(packed("x-1.1", &files).unwrap(), one);
    }

    #[test]
    fn unpacking_gives_the_same_files_in_one_folder() {
        let files = [
            Entry::data("a.txt", "one"),
            Entry::data("b/c.txt", "two"),
            Entry {
                mode: PROGRAM_MODE,
                ..Entry::data("run", vec![7; 100_000])
            },
        ];
        let packed = packed("x-1.0", &files).unwrap();
        let mut archive = Archive::new(GzDecoder::new(&*packed));
        let mut found = Vec::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            let path = entry.path().unwrap().to_string_lossy().into_owned();
            let head = entry.header();
            assert_eq!((head.uid().unwrap(), head.gid().unwrap()), (0, 0));
            found.push(Entry {
                name: path.strip_prefix("x-1.0/").expect("the folder").to_owned(),
                content,
                mode: head.mode().unwrap(),
            });
        }
        assert_eq!(found, files);
    }
}
