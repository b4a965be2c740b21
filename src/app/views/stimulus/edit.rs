//! What a person does to the held stimulus, and what of it the engine has to be told.

use super::adjustments::StimulusAdjustments;
use crate::engine::{Command, Snapshot};

/// Strokes that can be undone at most.
const STROKES: usize = 50;

/// Two stimuli pinned as ends of the morph.
pub type Pins = [Option<Vec<f32>>; 2];

/// The pinned stimuli as slices.
pub fn pinned(pins: &Pins) -> [Option<&[f32]>; 2] {
    [pins[0].as_deref(), pins[1].as_deref()]
}

/// What was drawn and freed.
type Stroke = (Vec<Option<f32>>, Vec<bool>);

/// A held stimulus, what is done to it, and what the engine knows of that.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The stimulus and its changes.
    pub adjustments: StimulusAdjustments,
    /// Pixels that are free, `[units]`.
    pub free: Vec<bool>,
    /// What was drawn and freed before each stroke.
    undo: Vec<Stroke>,
    /// The presentation that the stimulus came with; None until the engine has said that it holds.
    presentation: Option<u64>,
    /// Values and mask that were sent to the engine.
    sent: (Vec<f32>, Vec<bool>),
}

impl Edit {
    /// Of a stimulus that the engine holds as it is.
    pub fn of_held(snapshot: &Snapshot, grey: bool) -> Self {
        let s = &snapshot.stimulus;
        let free = s.completed.as_ref().map_or_else(|| vec![false; s.stimulus.len()], |done| done.free.clone());
        let sent = (s.stimulus.clone(), free.clone());
        Self {
            adjustments: StimulusAdjustments::new(s.stimulus.clone(), grey),
            free,
            undo: Vec::new(),
            presentation: Some(s.presentation),
            sent,
        }
    }

    /// Of a stimulus that is seen but not held: all of it is still to be sent to the engine.
    pub fn of_seen(snapshot: &Snapshot, grey: bool) -> Self {
        let base = snapshot.stimulus.stimulus.clone();
        let free = vec![false; base.len()];
        Self {
            adjustments: StimulusAdjustments::new(base, grey),
            sent: (Vec::new(), free.clone()),
            free,
            undo: Vec::new(),
            presentation: None,
        }
    }

    /// Follows what the engine shows. False where the stimulus is no longer held: the edit is over.
    pub fn follow(&mut self, snapshot: &Snapshot) -> bool {
        let s = &snapshot.stimulus;
        let fixed = snapshot.config.stimulus.steps_per_stimulus == 0;
        if s.stimulus.len() != self.free.len() {
            return false;
        }
        match self.presentation {
            None if s.held || fixed => self.presentation = Some(s.presentation),
            None => {}
            Some(_) if !s.held && !fixed => return false,
            // Another stimulus: contrast, noise and mask act on it too; a fixed one is the same again.
            Some(known) if known != s.presentation && !fixed => {
                self.presentation = Some(s.presentation);
                self.sent.0.clone_from(&s.stimulus);
                self.adjustments.base.clone_from(&s.stimulus);
                self.adjustments.painted.fill(None);
                self.adjustments.morph = None;
                self.undo.clear();
            }
            Some(_) => {}
        }
        true
    }

    /// Remembers what there is before a stroke.
    pub fn begin_stroke(&mut self) {
        if self.undo.len() == STROKES {
            self.undo.remove(0);
        }
        self.undo.push((self.adjustments.painted.clone(), self.free.clone()));
    }

    /// Takes the last stroke back.
    pub fn undo(&mut self) {
        if let Some((painted, free)) = self.undo.pop() {
            (self.adjustments.painted, self.free) = (painted, free);
        }
    }

    /// Whether there is a stroke to take back.
    pub fn can_undo(&self) -> bool {
        !self.undo.is_empty()
    }

    /// Whether anything is drawn or freed.
    pub fn is_marked(&self) -> bool {
        self.free.contains(&true) || self.adjustments.painted.iter().any(Option::is_some)
    }

    /// Takes all strokes back; that too can be undone.
    pub fn clear(&mut self) {
        self.begin_stroke();
        self.adjustments.painted.fill(None);
        self.free.fill(false);
    }

    /// What the engine does not know yet: at most one stimulus and one mask.
    pub fn commands(&mut self, pins: &Pins) -> Vec<Command> {
        let mut commands = Vec::new();
        if self.sent.0.is_empty() {
            commands.push(Command::HoldStimulus(true));
        }
        let shown = self.adjustments.composed(pinned(pins));
        if shown != self.sent.0 {
            self.sent.0.clone_from(&shown);
            commands.push(Command::SetStimulus(shown));
        }
        if self.free != self.sent.1 {
            self.sent.1.clone_from(&self.free);
            commands.push(Command::FreePixels(self.free.clone()));
        }
        commands
    }
}

#[cfg(test)]
mod tests {
    use super::super::brush::Tool;
    use super::*;

    fn edit(sent: Vec<f32>) -> Edit {
        let base = vec![0.5, -0.5, 0.0];
        Edit {
            adjustments: StimulusAdjustments::new(base, false),
            free: vec![false; 3],
            undo: Vec::new(),
            presentation: None,
            sent: (sent, vec![false; 3]),
        }
    }

    #[test]
    fn the_engine_is_told_what_changed_and_only_once() {
        let mut edit = edit(Vec::new());
        edit.begin_stroke();
        edit.paint(Tool::Occlude, [1].into_iter(), [-1.0, 1.0]);
        let commands = edit.commands(&[None, None]);
        assert!(
            matches!(&commands[..], [Command::HoldStimulus(true), Command::SetStimulus(x), Command::FreePixels(free)]
            if *x == [0.5, -0.5, 0.0] && *free == [false, true, false]),
            "what was seen is held: {commands:?}"
        );
        assert!(edit.commands(&[None, None]).is_empty());
        edit.begin_stroke();
        edit.paint(Tool::Light, [2].into_iter(), [-1.0, 1.0]);
        assert!(matches!(&edit.commands(&[None, None])[..], [Command::SetStimulus(x)] if *x == [0.5, -0.5, 1.0]));
        edit.undo();
        assert!(matches!(&edit.commands(&[None, None])[..], [Command::SetStimulus(x)] if *x == [0.5, -0.5, 0.0]));
        edit.clear();
        assert!(matches!(&edit.commands(&[None, None])[..], [Command::FreePixels(free)] if !free.contains(&true)));
        edit.undo();
        assert!(edit.free[1] && edit.can_undo());
        edit.undo();
        assert!(!edit.is_marked() && !edit.can_undo());
    }
}
