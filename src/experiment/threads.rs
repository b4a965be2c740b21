//! Work on the threads of the pool that the caller runs in: on one thread where there is none, so that nothing starts threads unasked.

use crate::dynamics::learning::Task;
use rayon::prelude::*;
use std::sync::Arc;

/// Does `work` on the threads of `pool`; without one on the caller's.
pub fn run_on<T: Send>(pool: Option<Arc<rayon::ThreadPool>>, work: impl FnOnce() -> T + Send) -> T {
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// Whether the caller runs in a pool of several threads.
fn several() -> bool {
    rayon::current_thread_index().is_some() && rayon::current_num_threads() > 1
}

/// What `action` answers for every item and its number, in the order of the items; a thread takes one item at a time.
pub fn on_each<I: Send, T: Send>(items: &mut [I], action: impl Fn(usize, &mut I) -> T + Sync) -> Vec<T> {
    let action = |(k, item): (usize, &mut I)| action(k, item);
    if several() {
        items.par_iter_mut().enumerate().with_max_len(1).map(action).collect()
    } else {
        items.iter_mut().enumerate().map(action).collect()
    }
}

/// Runs all tasks, which do not depend on each other.
pub fn run_all(tasks: Vec<Task>) {
    if several() {
        tasks.into_par_iter().for_each(|task| task());
    } else {
        tasks.into_iter().for_each(|task| task());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_runs_once_and_answers_come_in_order_with_and_without_a_pool() {
        let visit = || {
            for n in [0usize, 1, 7, 100] {
                let mut values: Vec<usize> = (0..n).collect();
                let found = on_each(&mut values, |k, value| std::mem::replace(value, 2 * k));
                assert_eq!(found, (0..n).collect::<Vec<_>>());
                run_all(values.iter_mut().map(|value| Box::new(move || *value += 1) as Task).collect());
                assert!(values.iter().enumerate().all(|(k, value)| *value == 2 * k + 1), "{values:?}");
            }
        };
        run_on(None, visit);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        run_on(Some(Arc::new(pool)), || {
            assert_eq!(rayon::current_num_threads(), 3);
            visit();
        });
    }
}
