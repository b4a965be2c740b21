//! Changes of parameters that can be undone and redone.

use crate::engine::Command;
use crate::experiment::parameters::Value;
use std::time::Instant;

/// Changes that can be undone at most.
const MOST_CHANGES: usize = 1000;

/// A change of one parameter.
#[derive(Clone, Copy)]
struct ParameterChange {
    /// The row of the table of parameters.
    key: &'static str,
    to: Value,
    from: Value,
    gesture: u64,
    at: Instant,
}

/// A change as a list shows it.
pub(super) struct Entry {
    pub(super) key: &'static str,
    pub(super) from: Value,
    pub(super) to: Value,
    /// When it was made.
    pub(super) at: Instant,
    pub(super) is_undone: bool,
}

/// What was changed, and what of that was undone.
#[derive(Default)]
pub(super) struct EditHistory {
    undo: Vec<ParameterChange>,
    redo: Vec<ParameterChange>,
    /// Counts presses of the pointer or a key: what changes between two of them is one change to undo.
    gesture: u64,
}

impl EditHistory {
    /// A press of the pointer or a key: what is changed from now on is another change.
    pub(super) fn begin_gesture(&mut self) {
        self.gesture += 1;
    }

    /// Remembers that a parameter was set. Within one gesture the value before the first change is the one that comes back.
    pub(super) fn record(&mut self, key: &'static str, to: Value, from: Value) {
        let gesture = self.gesture;
        let is_same = |last: &&mut ParameterChange| last.gesture == gesture && last.key == key;
        match self.undo.last_mut().filter(is_same) {
            Some(last) => (last.to, last.at) = (to, Instant::now()),
            None => self.undo.push(ParameterChange { key, to, from, gesture, at: Instant::now() }),
        }
        if self.undo.len() > MOST_CHANGES {
            self.undo.remove(0);
        }
        self.redo.clear();
    }

    /// The command that brings back the value before the last change.
    pub(super) fn undo(&mut self) -> Option<Command> {
        let change = self.undo.pop()?;
        self.redo.push(change);
        Some(Command::SetParameter { key: change.key, value: change.from })
    }

    /// The command that sets again what was undone last.
    pub(super) fn redo(&mut self) -> Option<Command> {
        let change = self.redo.pop()?;
        self.undo.push(change);
        Some(Command::SetParameter { key: change.key, value: change.to })
    }

    /// All changes in the order in which they were made, those that were undone at the end.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let entry = |is_undone| move |c: &ParameterChange| Entry { key: c.key, from: c.from, to: c.to, at: c.at, is_undone };
        self.undo.iter().map(entry(false)).chain(self.redo.iter().rev().map(entry(true))).collect()
    }

    /// The commands that undo or redo until the first `count` changes are in force.
    pub(super) fn go_to(&mut self, count: usize) -> Vec<Command> {
        let mut commands = Vec::new();
        while self.undo.len() > count {
            commands.extend(self.undo());
        }
        while self.undo.len() < count && !self.redo.is_empty() {
            commands.extend(self.redo());
        }
        commands
    }

    /// Forgets all: values of another model are not to be brought back into this one.
    pub(super) fn clear(&mut self) {
        self.undo.clear();
        self.redo.clear();
    }

    /// The changes that can be undone, each with the value before and after.
    #[cfg(test)]
    pub(super) fn changes(&self) -> Vec<(&'static str, Value, Value)> {
        self.undo.iter().map(|change| (change.key, change.from, change.to)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::parameters::{self, Domain};
    use crate::experiment::{Config, presets};
    use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

    /// A valid value of a parameter, of any kind: typed, from a slider, a box or a choice.
    fn any_value(parameter: &parameters::Parameter, rng: &mut ChaCha8Rng) -> Value {
        match parameter.domain {
            Domain::Number { low, high } => {
                let share: f64 = rng.random_range(0.0..1.0);
                let logarithmic = low > 0.0 && high.is_finite();
                let number = if logarithmic { low * (high / low).powf(share) } else { low + share * (high - low).min(1e6) };
                Value::Number(number.clamp(low, high))
            }
            Domain::Whole { low, high } => Value::Whole(rng.random_range(low..=high.min(low.saturating_add(1_000_000)))),
            Domain::Switch => Value::Switch(rng.random_range(0..2) == 1),
            Domain::Choice(names) => Value::Choice(names[rng.random_range(0..names.len())]),
        }
    }

    fn obey(config: &mut Config, command: Option<Command>) -> bool {
        let Some(Command::SetParameter { key, value }) = command else { return false };
        parameters::assign(config, key, value).unwrap();
        true
    }

    /// One edit, or a drag of several values; the window sees values late, so that `from` stays behind within a drag.
    fn edit(history: &mut EditHistory, config: &mut Config, rng: &mut ChaCha8Rng) {
        let parameter = &parameters::all()[rng.random_range(0..parameters::all().len())];
        let from = parameter.get(config);
        history.begin_gesture();
        for _ in 0..rng.random_range(1..4) {
            let to = any_value(parameter, rng);
            history.record(parameter.key, to, from);
            parameter.set(config, to).unwrap();
        }
    }

    #[test]
    fn a_thousand_random_edits_and_undos_end_where_they_began() {
        for (seed, preset) in [(1, "dead-leaves"), (2, "digits"), (3, "ridge")] {
            let original = presets::by_name(preset).unwrap();
            let (mut config, mut history) = (original.clone(), EditHistory::default());
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            for _ in 0..1000 {
                let done = match rng.random_range(0..10) {
                    0..6 => None,
                    6..9 => history.undo(),
                    _ => history.redo(),
                };
                if !obey(&mut config, done) {
                    edit(&mut history, &mut config, &mut rng);
                }
            }
            while obey(&mut config, history.redo()) {}
            let last = config.clone();
            let count = history.entries().len();
            assert!(count > 100 && last != original, "{preset}: {count} changes");
            while obey(&mut config, history.undo()) {}
            assert_eq!(config, original, "{preset}: everything is taken back");
            while obey(&mut config, history.redo()) {}
            assert_eq!(config, last, "{preset}: everything is made again");
            // Planted: the first changes are forgotten.
            history.undo.drain(..20);
            while obey(&mut config, history.undo()) {}
            assert_ne!(config, original, "{preset}: a change is missed");
        }
    }

    #[test]
    fn what_is_undone_can_be_redone_until_something_else_is_changed() {
        let mut history = EditHistory::default();
        let record = |history: &mut EditHistory, to: f64, from: f64| history.record("adaptation", Value::Number(to), Value::Number(from));
        let value = |command: Option<Command>| match command {
            Some(Command::SetParameter { key: "adaptation", value: Value::Number(value) }) => Some(value),
            _ => None,
        };
        record(&mut history, 1.0, 0.0);
        history.begin_gesture();
        record(&mut history, 2.0, 1.0);
        assert_eq!([(); 3].map(|()| value(history.undo())), [Some(1.0), Some(0.0), None]);
        assert_eq!([(); 3].map(|()| value(history.redo())), [Some(1.0), Some(2.0), None]);
        let entries = |history: &EditHistory| history.entries().iter().map(|entry| (entry.to, entry.is_undone)).collect::<Vec<_>>();
        assert_eq!(entries(&history), [(Value::Number(1.0), false), (Value::Number(2.0), false)]);
        assert_eq!(history.go_to(0).into_iter().map(|command| value(Some(command))).collect::<Vec<_>>(), [Some(1.0), Some(0.0)]);
        assert_eq!(entries(&history), [(Value::Number(1.0), true), (Value::Number(2.0), true)]);
        assert_eq!((history.go_to(9).len(), history.go_to(2).len()), (2, 0), "no further than there are changes");
        history.undo();
        history.begin_gesture();
        record(&mut history, 5.0, 1.0);
        assert!(history.redo().is_none());
        (0..2 * MOST_CHANGES).for_each(|_| {
            history.begin_gesture();
            record(&mut history, 6.0, 5.0);
        });
        assert_eq!(history.changes().len(), MOST_CHANGES);
    }
}
