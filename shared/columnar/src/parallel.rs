//! Computes on several threads.

use std::panic::resume_unwind;
use std::thread::{available_parallelism, scope};

/// Computes a result of each item, on as many threads as there are processors. The results are in the order of the items.
pub fn map<T: Sync, R: Send>(items: &[T], compute: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = available_parallelism().map_or(1, usize::from).min(items.len());
    if threads < 2 {
        return items.iter().map(compute).collect();
    }
    // Every thread takes the items at its distance, so that all have about the same work.
    let own = |thread: usize| items.iter().skip(thread).step_by(threads).map(&compute).collect::<Vec<_>>();
    let own = &own;
    let mut results: Vec<_> = scope(|scope| {
        let others: Vec<_> = (1..threads).map(|thread| scope.spawn(move || own(thread))).collect();
        let first = own(0);
        let others = others.into_iter().map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        [first].into_iter().chain(others).map(Vec::into_iter).collect()
    });
    (0..items.len()).filter_map(|at| results[at % threads].next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        for count in [0, 1, 2, 3, 100] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(map(&items, |item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    #[should_panic(expected = "no luck")]
    fn a_panic_goes_on_in_the_caller() {
        map(&[1, 2, 3], |item| assert!(*item != 2, "no luck"));
    }
}
