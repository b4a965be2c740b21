//! Values that a view draws and that cost too much for a frame: integrals, Lyapunov equations. They are computed on a thread of their
//! own.

use crate::app::widgets::whole_frame;
use crate::engine::{BackgroundJob, JobContext};
use crate::panics;
use crossbeam_channel::Receiver;
use egui::Ui;
use std::io::Write;

/// Said where a picture waits for its first curves.
pub const COMPUTED: &str = "The exact curves are being computed ...";

/// What is to be computed, how, and the window that waits for it.
type Request<K, V> = (K, Box<dyn FnOnce(&K) -> V + Send>, egui::Context);

/// A value and what it is computed from.
pub struct BackgroundValue<K, V> {
    /// A view that is closed does not wait for the value that it would have shown.
    job: Option<BackgroundJob<Request<K, V>, (K, V)>>,
    asked: Option<K>,
    found: Option<(K, V)>,
}

impl<K, V> Default for BackgroundValue<K, V> {
    fn default() -> Self {
        Self { job: None, asked: None, found: None }
    }
}

impl<K: Clone + PartialEq + Send + 'static, V: Send + 'static> BackgroundValue<K, V> {
    /// The value that was computed last, with what it was computed from. Where that is not `key`, the value of `key` is on its way, and
    /// a frame is asked for when it is there; a whole frame has it at once, or is told that it lacks it.
    pub fn latest(&mut self, ui: &Ui, key: &K, compute: impl FnOnce(&K) -> V + Send + 'static) -> Option<&(K, V)> {
        if let Some(job) = &self.job {
            self.found = job.reports().last().or(self.found.take());
        }
        if whole_frame::is_asked_at_once(ui.ctx()) {
            if self.found.as_ref().is_none_or(|(of, _)| of != key) {
                self.found = Some((key.clone(), compute(key)));
            }
            return self.found.as_ref();
        }
        let is_found = self.found.as_ref().is_some_and(|(of, _)| of == key);
        if !is_found {
            whole_frame::lacks_something(ui.ctx());
        }
        if !is_found && self.asked.as_ref() != Some(key) {
            if self.job.is_none() {
                let body = move |requests: Receiver<Request<K, V>>, job: &JobContext<_>| {
                    for (key, compute, waiting) in requests {
                        // A panic loses this value alone: the next request may be waiting already.
                        match panics::caught(|| compute(&key)) {
                            Ok(value) => _ = job.report_waiting((key, value)),
                            Err(report) => _ = writeln!(std::io::stderr().lock(), "{report}"),
                        }
                        waiting.request_repaint();
                    }
                };
                self.job = BackgroundJob::spawn("values of a view", 1, 1, body).ok().map(BackgroundJob::detached);
            }
            if self.job.as_ref().is_some_and(|job| job.submit((key.clone(), Box::new(compute), ui.ctx().clone()))) {
                self.asked = Some(key.clone());
            }
        }
        self.found.as_ref()
    }

    /// As [`BackgroundValue::latest`], once: it is handed over.
    pub fn taken_latest(&mut self, ui: &Ui, key: &K, compute: impl FnOnce(&K) -> V + Send + 'static) -> Option<(K, V)> {
        self.latest(ui, key, compute)?;
        self.found.take()
    }

    /// The value that was computed last, with what it was computed from.
    pub fn found(&self) -> Option<&(K, V)> {
        self.found.as_ref()
    }

    /// The same of `key` alone, once: it is handed over.
    pub fn taken(&mut self, ui: &Ui, key: &K, compute: impl FnOnce(&K) -> V + Send + 'static) -> Option<V> {
        self.of(ui, key, compute)?;
        self.asked = None;
        self.found.take().map(|(_, value)| value)
    }

    /// The value of `key`; None as long as it is being computed.
    pub fn of(&mut self, ui: &Ui, key: &K, compute: impl FnOnce(&K) -> V + Send + 'static) -> Option<&V> {
        self.latest(ui, key, compute).filter(|(of, _)| of == key).map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;
    use std::time::{Duration, Instant};

    /// Shows frames until `done` returns something.
    fn frames<T>(mut done: impl FnMut(&Ui) -> Option<T>) -> T {
        let (context, start) = (egui::Context::default(), Instant::now());
        loop {
            let mut found = None;
            context.run_ui(egui::RawInput::default(), |ui| found = done(ui)).textures_delta.clear();
            if let Some(found) = found {
                return found;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "waited too long");
        }
    }

    #[test]
    fn the_last_value_stays_while_the_next_one_is_computed_and_no_frame_waits() {
        let mut value = BackgroundValue::<u64, u64>::default();
        assert_eq!(frames(|ui| value.of(ui, &3, |k| k * k).copied()), 9);
        let (go, wait) = bounded::<()>(1);
        let slow = move |k: &u64| {
            let _ = wait.recv();
            k * k
        };
        let mut slow = Some(slow);
        let at_once = frames(|ui| value.latest(ui, &4, slow.take()?).copied());
        assert_eq!(at_once, (3, 9), "the value of before, at once");
        assert_eq!(frames(|ui| Some(value.taken_latest(ui, &4, |_| 0))), Some((3, 9)), "handed over");
        assert_eq!(frames(|ui| Some(value.taken_latest(ui, &4, |_| 0))), None, "once");
        assert_eq!(frames(|ui| Some(value.of(ui, &4, |_| 0).copied())), None, "asked already, and on its way");
        go.send(()).unwrap();
        assert_eq!(frames(|ui| value.of(ui, &4, |_| 0).copied()), 16);
    }

    #[test]
    fn a_panic_loses_one_value_and_not_the_next_which_may_wait_already() {
        let mut value = BackgroundValue::<u64, u64>::default();
        let ((begun, has_begun), (go, wait)) = (bounded::<()>(1), bounded::<()>(1));
        let fails = move |_: &u64| {
            begun.send(()).unwrap();
            let _ = wait.recv();
            panic!("asked to panic")
        };
        let mut fails = Some(fails);
        frames(|ui| {
            value.latest(ui, &1, fails.take()?);
            Some(())
        });
        has_begun.recv().unwrap();
        frames(|ui| Some(value.of(ui, &2, |k| k + 1).copied()));
        go.send(()).unwrap();
        assert_eq!(frames(|ui| value.of(ui, &2, |_| 0).copied()), 3);
    }

    #[test]
    fn a_view_that_is_closed_does_not_wait() {
        let (_go, wait) = bounded::<()>(1);
        let mut value = BackgroundValue::<u64, u64>::default();
        let mut slow = Some(move |_: &u64| wait.recv().map_or(0, |()| 1));
        frames(|ui| {
            value.latest(ui, &1, slow.take()?);
            Some(())
        });
        drop(value); // the thread waits for what comes only when this test has ended
    }
}
