//! Changes of parameters that can be undone and redone.

use crate::engine::Parameter;

/// Changes that can be undone at most.
const MOST_CHANGES: usize = 200;

/// A change of one parameter.
#[derive(Clone, Copy)]
struct ParameterChange {
    to: Parameter,
    from: Parameter,
    gesture: u64,
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
    pub(super) fn record(&mut self, to: Parameter, from: Parameter) {
        let gesture = self.gesture;
        let is_same =
            |last: &&mut ParameterChange| last.gesture == gesture && std::mem::discriminant(&last.to) == std::mem::discriminant(&to);
        match self.undo.last_mut().filter(is_same) {
            Some(last) => last.to = to,
            None => self.undo.push(ParameterChange { to, from, gesture }),
        }
        if self.undo.len() > MOST_CHANGES {
            self.undo.remove(0);
        }
        self.redo.clear();
    }

    /// The value that undoing brings back.
    pub(super) fn undo(&mut self) -> Option<Parameter> {
        let change = self.undo.pop()?;
        self.redo.push(change);
        Some(change.from)
    }

    /// The value that redoing sets again.
    pub(super) fn redo(&mut self) -> Option<Parameter> {
        let change = self.redo.pop()?;
        self.undo.push(change);
        Some(change.to)
    }

    /// Forgets all: values of another model are not to be brought back into this one.
    pub(super) fn clear(&mut self) {
        self.undo.clear();
        self.redo.clear();
    }

    /// The changes that can be undone, each with the value before and after.
    #[cfg(test)]
    pub(super) fn changes(&self) -> Vec<(Parameter, Parameter)> {
        self.undo.iter().map(|change| (change.from, change.to)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_undone_can_be_redone_until_something_else_is_changed() {
        let m = Parameter::Adaptation;
        let mut history = EditHistory::default();
        history.record(m(1.0), m(0.0));
        history.begin_gesture();
        history.record(m(2.0), m(1.0));
        assert_eq!([history.undo(), history.undo(), history.undo()], [Some(m(1.0)), Some(m(0.0)), None]);
        assert_eq!([history.redo(), history.redo(), history.redo()], [Some(m(1.0)), Some(m(2.0)), None]);
        history.undo();
        history.begin_gesture();
        history.record(m(5.0), m(1.0));
        assert_eq!(history.redo(), None);
        (0..2 * MOST_CHANGES).for_each(|_| {
            history.begin_gesture();
            history.record(m(6.0), m(5.0));
        });
        assert_eq!(history.changes().len(), MOST_CHANGES);
    }
}
