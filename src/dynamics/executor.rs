//! Who does the work: dynamics starts no threads, the caller says on which ones parts of a task run.

/// A part of some work; parts do not depend on each other.
pub type Task<'t> = Box<dyn FnOnce() + Send + 't>;

/// Runs tasks, in any order, one after another or side by side, and returns when all are done.
pub type Executor = dyn Fn(Vec<Task>);

/// The executor that needs no threads: one task after the other.
pub fn in_turn(tasks: Vec<Task>) {
    tasks.into_iter().for_each(|task| task());
}
