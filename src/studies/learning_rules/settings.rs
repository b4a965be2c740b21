//! Settings of each rule on each set of images; the rates were chosen on images of their own (docs/measured.md has the grid).

use super::without_negative_phase::LayerSettings;

/// How a machine with one partition function learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MachineSettings {
    /// Hidden units.
    pub(super) hidden: usize,
    /// b_1 of every hidden unit before the first update.
    pub(super) bias: f32,
    /// Learning rate of Adam over the first half of the updates; it falls to 0 over the second.
    pub(super) rate: f64,
    /// What the gradient of W loses, times W.
    pub(super) weight_decay: f64,
}

/// Settings of every rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Settings {
    /// Of the model.
    pub(super) layers: LayerSettings,
    /// Of CD-1, CD-10 and PCD.
    pub(super) machines: [MachineSettings; 3],
}

impl Settings {
    /// On bars of 4 x 4 pixels.
    pub(super) const BARS: Self = {
        let machine = MachineSettings { hidden: 12, bias: 0.0, rate: 0.0, weight_decay: 0.0 };
        let layers = LayerSettings { hidden: 12, bias: 0.0, rate: 0.01, steps: [20, 10] };
        let [one, ten, persistent] = [0.04, 0.16, 0.08];
        let machines = [
            MachineSettings { rate: one, ..machine },
            MachineSettings { rate: ten, ..machine },
            MachineSettings { rate: persistent, ..machine },
        ];
        Self { layers, machines }
    };
    /// On digits of 8 x 8 pixels.
    pub(super) const DIGITS: Self = {
        let machine = MachineSettings { hidden: 64, bias: 0.0, rate: 8e-3, weight_decay: 1e-4 };
        Self { layers: LayerSettings { hidden: 64, bias: 0.0, rate: 4e-3, steps: [20, 10] }, machines: [machine; 3] }
    };

    /// With every learning rate times this.
    pub(super) fn with_rates(mut self, factor: f64) -> Self {
        self.layers.rate *= factor;
        self.machines.iter_mut().for_each(|machine| machine.rate *= factor);
        self
    }
}
