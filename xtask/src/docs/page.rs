//! What is written: a file of a book, and the books by their language.

/// A file: its path from the root, and its text.
pub(super) type Page = (&'static str, String);

/// A book. Its number is the place of its words in each pair of English and Chinese.
#[derive(Clone, Copy)]
pub(super) enum Book {
    English = 0,
    Chinese = 1,
}
