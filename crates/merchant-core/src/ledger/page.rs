//! Lists page by page.

/// Cuts a list to its length. The caller reads one row more, to learn whether there is another
/// page. If there is one, the last row of this page is returned.
pub(crate) fn cut<T>(list: &mut Vec<T>, limit: u32) -> Option<&T> {
    let has_more = list.len() > limit as usize;
    list.truncate(limit as usize);
    list.last().filter(|_| has_more)
}
