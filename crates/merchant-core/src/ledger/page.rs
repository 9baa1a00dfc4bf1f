//! Lists page by page.

/// Cuts a list to what is shown of it. One more was read, which tells whether there is another page:
/// then the last one that is shown is given.
pub(crate) fn cut<T>(list: &mut Vec<T>, limit: u32) -> Option<&T> {
    let has_more = list.len() > limit as usize;
    list.truncate(limit as usize);
    list.last().filter(|_| has_more)
}
