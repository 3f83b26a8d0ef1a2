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
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// The `after` of the next page; null on the last page.
    pub next: Option<i64>,
}

impl<T> Page<T> {
    /// A page of rows. The query must read one row more than the limit, which shows whether another page follows.
    pub fn of(mut rows: Vec<T>, paged: &Paged, id: impl Fn(&T) -> i64) -> Self {
        let limit = paged.limit() as usize;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(id);
        Self { rows, next }
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
    fn a_page_has_at_least_one_row_and_at_most_a_thousand() {
        let limit = |limit| Paged { limit, after: None }.limit();
        assert_eq!([limit(None), limit(Some(0)), limit(Some(u32::MAX))], [100, 1, 1_000]);
    }
}
