//! Pagination of long lists.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The default number of rows of a page.
const USUAL: u32 = 100;

/// The maximum number of rows of a page.
const MOST: u32 = 1_000;

/// Selects a page of a list, newest rows first.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paged {
    /// The maximum number of rows: 1 to 1000 [default: 100].
    #[param(minimum = 1, maximum = 1000)]
    #[serde(default, deserialize_with = "crate::query::bounded::<_, 1000>")]
    pub limit: Option<u32>,
    /// The `next` of the previous page.
    pub after: Option<i64>,
}

impl Paged {
    /// The maximum number of rows, with the default applied.
    pub fn limit(&self) -> u32 {
        self.limit.unwrap_or(USUAL).clamp(1, MOST)
    }

    /// The number of rows to query: one more than a page has, which shows whether another page follows.
    pub fn one_more(&self) -> i64 {
        i64::from(self.limit()) + 1
    }

    /// The number of rows on the pages before, in a list whose rows are counted.
    pub fn skipped(&self) -> i64 {
        self.after.unwrap_or(0).max(0)
    }
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// The `after` of the next page; null on the last page.
    pub next: Option<i64>,
}

impl<T> Page<T> {
    /// A page of up to [`Paged::one_more`] rows, which continues after the id of its last row.
    pub fn of(mut rows: Vec<T>, paged: &Paged, id: impl Fn(&T) -> i64) -> Self {
        let limit = paged.limit() as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(id);
        Self { rows, next }
    }

    /// A page of up to [`Paged::one_more`] rows after the skipped ones, which continues after their number.
    pub fn counted(rows: Vec<T>, paged: &Paged) -> Self {
        let page = Self::of(rows, paged, |_| 0);
        let next = page.next.map(|_| paged.skipped() + i64::from(paged.limit()));
        Self { next, ..page }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_where_the_next_begins_and_the_last_does_not() {
        let paged = Paged { limit: Some(2), after: None };
        let page = |rows: &[i64]| Page::of(rows.to_vec(), &paged, |row| *row);
        assert_eq!((page(&[9, 8, 7]).rows, page(&[9, 8, 7]).next), (vec![9, 8], Some(8)));
        assert_eq!((page(&[9, 8]).next, page(&[]).next), (None, None));
    }

    #[test]
    fn a_page_of_a_counted_list_continues_after_its_last_row() {
        let page = |after, rows: &[i64]| Page::counted(rows.to_vec(), &Paged { limit: Some(2), after });
        assert_eq!((page(None, &[9, 8, 7]).rows, page(None, &[9, 8, 7]).next), (vec![9, 8], Some(2)));
        assert_eq!((page(Some(4), &[9, 8, 7]).next, page(Some(4), &[9, 8]).next), (Some(6), None));
    }

    #[test]
    fn a_page_has_at_least_one_row_and_at_most_a_thousand() {
        let limit = |limit| Paged { limit, after: None }.limit();
        assert_eq!([limit(None), limit(Some(0)), limit(Some(u32::MAX))], [100, 1, 1_000]);
    }
}
