//! Work on the threads of the pool that the caller runs in: on one thread where there is none, so that nothing starts threads unasked.

use crate::dynamics::Task;
use rayon::prelude::*;
use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

/// Does `work` on the threads of `pool`; without one on the caller's.
pub fn run_on<T: Send>(pool: Option<Arc<rayon::ThreadPool>>, work: impl FnOnce() -> T + Send) -> T {
    match pool {
        Some(pool) => pool.install(work),
        None => work(),
    }
}

/// Does `work` on a pool of one thread: for what goes on in the background while the cores are for learning.
pub fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    on_threads(1, work)
}

/// Does `work` on a pool of so many threads, 0: as many as there are cores. (The caller waits. Were it a thread of its own pool, rayon would
/// never free what the pool has.) An error where the system gives no thread.
pub fn on_threads<T: Send>(count: usize, work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    let name = std::thread::current().name().unwrap_or("background").to_string();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count).thread_name(move |_| name.clone()).build();
    Ok(pool.map_err(std::io::Error::other)?.install(work))
}

thread_local! {
    /// Threads that work of this one is divided among at most.
    static MOST: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Does `work`, divided among `most` threads of the pool at most, so that others of the machine's cores are free.
pub fn on_at_most<T>(most: usize, work: impl FnOnce() -> T) -> T {
    struct Before(usize);
    impl Drop for Before {
        fn drop(&mut self) {
            MOST.set(self.0);
        }
    }
    let _before = Before(MOST.replace(most.max(1)));
    work()
}

/// Threads that the caller's work is divided among.
fn several() -> usize {
    if rayon::current_thread_index().is_some() { rayon::current_num_threads().min(MOST.get()) } else { 1 }
}

/// What `action` answers for every item and its number, in the order of the items; a thread takes one item at a time.
pub fn on_each<I: Send, T: Send>(items: &mut [I], action: impl Fn(usize, &mut I) -> T + Sync) -> Vec<T> {
    let threads = several().min(items.len());
    if threads <= 1 {
        return items.iter_mut().enumerate().map(|(k, item)| action(k, item)).collect();
    }
    let waiting = Mutex::new(items.iter_mut().enumerate());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    let take_all = |_| std::iter::from_fn(next).map(|(k, item)| (k, action(k, item))).collect::<Vec<_>>();
    let mut answers: Vec<(usize, T)> = (0..threads).into_par_iter().with_max_len(1).flat_map_iter(take_all).collect();
    answers.sort_unstable_by_key(|(k, _)| *k);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Runs all tasks, which do not depend on each other.
pub fn run_all(tasks: Vec<Task>) {
    let mut tasks: Vec<Option<Task>> = tasks.into_iter().map(Some).collect();
    on_each(&mut tasks, |_, task| task.take().map_or((), |task| task()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_in_the_background_has_one_thread_of_its_own() {
        let own = std::thread::current().id();
        let found = on_one_thread(|| (rayon::current_num_threads(), std::thread::current().id() != own)).unwrap();
        assert_eq!(found, (1, true));
    }

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

    #[test]
    fn no_more_threads_take_part_than_asked_for() {
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap());
        let threads = |most: usize| {
            let slow = |_: usize, _: &mut ()| {
                std::thread::sleep(std::time::Duration::from_millis(2)); // so that every thread comes to take one
                rayon::current_thread_index()
            };
            let used = run_on(Some(Arc::clone(&pool)), || on_at_most(most, || on_each(&mut [(); 30], slow)));
            used.into_iter().collect::<std::collections::HashSet<_>>().len()
        };
        assert_eq!([0, 1, 2].map(threads), [1, 1, 2]);
        assert!(threads(usize::MAX) > 2, "without a bound, after bounds: all");
    }
}
