//! What the picture of the model is made of: the nodes of each layer and the currents between them, each with its word, its symbol, its
//! equation and its values.

use crate::engine::Snapshot;
use crate::experiment::config::{DynamicsConfig, InterneuronMode, LayerConfig};
use crate::experiment::session::layer_adaptation;
use crate::model::FamilyConfig;
use crate::studies::generation::Mode;

/// What a node is to its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Role {
    Neurons,
    Adaptation,
    Interneurons,
    Error,
}

impl Role {
    /// Whether a parameter of the table acts there.
    pub(super) fn is_moved_by(self, key: &str) -> bool {
        match self {
            Self::Neurons => matches!(key, "tau_x_ms" | "temperature" | "dt_ms" | "governor"),
            Self::Adaptation => matches!(key, "adaptation" | "tau_v_ms" | "adaptation_unit"),
            Self::Interneurons => matches!(key, "tau_eps_ms" | "interneurons" | "interneuron_mode" | "dt_ms"),
            Self::Error => matches!(key, "lr" | "enabled" | "optimizer"),
        }
    }
}

/// One node: a part of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Node {
    pub(super) layer: usize,
    pub(super) role: Role,
}

/// What one node sends to another, by the layer that receives it, but for a prediction and its comparison: those by the layer predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    /// W f(x) from the layer above to the interneurons.
    Prediction(usize),
    /// T(x) to the error.
    Observed(usize),
    /// <T(y)>, with a minus, to the error.
    Predicted(usize),
    /// f' W^T eps from the errors below to the neurons.
    Likelihood(usize),
    /// T' eta - B' from the layer above to the neurons.
    Prior(usize),
    /// m v, with a minus, from adaptation to the neurons.
    Adapting(usize),
    /// m (tau_v/tau_x) I, with a minus, from the neurons' current to adaptation.
    Driving(usize),
    /// The odds of each state of a categorical top, from the layer below.
    Choice(usize),
}

/// The nodes of a model, the lowest layer first.
pub(super) fn nodes(layers: &[LayerConfig]) -> Vec<Node> {
    let top = layers.len().saturating_sub(1);
    let of_layer = |(layer, config): (usize, &LayerConfig)| {
        let adapts = layer > 0 && !is_categorical(config);
        let roles = [(Role::Neurons, true), (Role::Adaptation, adapts), (Role::Error, layer < top), (Role::Interneurons, layer < top)];
        roles.into_iter().filter(|(_, there)| *there).map(move |(role, _)| Node { layer, role })
    };
    layers.iter().enumerate().flat_map(of_layer).collect()
}

/// The currents of a model.
pub(super) fn flows(layers: &[LayerConfig]) -> Vec<Flow> {
    let mut flows = Vec::new();
    for (layer, config) in layers.iter().enumerate() {
        if layer + 1 < layers.len() {
            flows.extend([Flow::Prediction(layer), Flow::Observed(layer), Flow::Predicted(layer)]);
            // The observation is given: nothing moves it.
            flows.extend((layer > 0).then_some(Flow::Prior(layer)));
        }
        if is_categorical(config) {
            flows.push(Flow::Choice(layer));
        } else if layer > 0 {
            flows.extend([Flow::Likelihood(layer), Flow::Adapting(layer), Flow::Driving(layer)]);
        }
    }
    flows
}

fn is_categorical(layer: &LayerConfig) -> bool {
    matches!(layer.family, FamilyConfig::Categorical)
}

/// The family's name, as a configuration has it.
fn family(layer: &LayerConfig) -> String {
    let value = toml::Value::try_from(layer.family).ok();
    let name = value.as_ref().and_then(|value| value.get("family")).and_then(toml::Value::as_str);
    name.unwrap_or_default().to_string()
}

impl Node {
    /// Its symbol: x_1.
    pub(super) fn symbol(self) -> String {
        let letter = match self.role {
            Role::Neurons => "x",
            Role::Adaptation => "v",
            Role::Interneurons => "y",
            Role::Error => "eps",
        };
        format!("{letter}_{}", self.layer)
    }

    /// What it is called.
    pub(super) fn word(self, layers: &[LayerConfig]) -> &'static str {
        match self.role {
            Role::Neurons if self.layer == 0 => "observation",
            Role::Neurons if is_categorical(&layers[self.layer]) => "choice",
            Role::Neurons => "neurons",
            Role::Adaptation => "adaptation",
            Role::Interneurons => "interneurons",
            Role::Error => "errors",
        }
    }

    /// The constants that act on it, beside its name.
    pub(super) fn constants(self, snapshot: &Snapshot) -> String {
        let d = &snapshot.config.dynamics;
        match self.role {
            Role::Neurons if self.layer == 0 || is_categorical(&snapshot.config.model.layers[self.layer]) => String::new(),
            Role::Neurons => format!("tau_x {} ms", short(d.tau_x_ms)),
            Role::Adaptation => {
                let [m, tau_v_ms] = layer_adaptation(d, stiffness(snapshot, self.layer));
                format!("m {}, tau_v {} ms", short(m), short(tau_v_ms))
            }
            Role::Interneurons if d.interneuron_mode == InterneuronMode::Exact => "exact: A'(eta)".into(),
            Role::Interneurons => format!("K {}, tau_eps {} ms", d.interneurons, short(d.tau_eps_ms)),
            Role::Error => String::new(),
        }
    }

    /// What it does, in a sentence and an equation of docs/model.md.
    pub(super) fn explanation(self, layers: &[LayerConfig]) -> String {
        let (l, above, layer) = (self.layer, self.layer + 1, &layers[self.layer]);
        let what = match self.role {
            Role::Neurons if l == 0 => format!(
                "What is observed, {} of it. The model holds that it was drawn from p(x_0 | x_1), whose natural parameter is\n\
                 eta_0 = W_0 f(x_1) + b_0    (1.3)",
                layer.size
            ),
            Role::Neurons if is_categorical(layer) => format!(
                "One of {} states, drawn exactly from its posterior given the layer below:\n\
                 p(c | x) proportional to exp( eta(c) . T(x) - A(eta(c)) + b_c )    (1.6)",
                layer.size
            ),
            Role::Neurons => format!(
                "{} neurons, whose membrane x_{l} wanders so that it samples the posterior (Langevin dynamics):\n\
                 tau_x dx_{l} = (I_{l} - m v_{l}) dt + sqrt(2 tau_x) dW    (2.3)",
                layer.size
            ),
            Role::Adaptation => format!(
                "Grows while the neuron is above its posterior mean, and then pulls it down: a momentum, which changes how fast the \
                 posterior is sampled and not the posterior.\n\
                 tau_v dv_{l} = (-v_{l} - m (tau_v/tau_x) I_{l}) dt + sqrt(2 tau_v) dW'    (2.4)"
            ),
            Role::Interneurons => format!(
                "Fast neurons that sample p(y | eta_{l}), what the layer above predicts: their mean is the gradient of the \
                 log-partition, without a negative phase.\n\
                 tau_eps dy = -M dE/dy(y; eta_{l}) dt + sqrt(2 tau_eps M) dW''    (2.5)"
            ),
            Role::Error => format!(
                "What is there, minus what the interneurons expect. It drives the neurons above, and learning.\n\
                 eps_{l} = T(x_{l}) - <T(y_{l})>    (2.2)\n\
                 dW_{l} = lr < eps_{l} f(x_{above})^T >    (3.1)"
            ),
        };
        let symbol = self.symbol();
        let word = self.word(layers);
        let family = if matches!(self.role, Role::Neurons | Role::Interneurons) { format!(", {}", family(layer)) } else { String::new() };
        format!("{symbol}: {word}{family}\n{what}{}", symbols(&what, l, layers))
    }

    /// Its values in network 0, `[units]`; empty where they are not known.
    pub(super) fn values(self, snapshot: &Snapshot) -> &[f32] {
        let part = snapshot.parts.as_ref().and_then(|parts| parts.get(self.layer));
        let values = match (self.role, part) {
            (Role::Neurons, Some(part)) if !part.neurons.is_empty() => Some(&part.neurons),
            (Role::Neurons, _) => snapshot.states.get(self.layer),
            (Role::Adaptation, Some(part)) => Some(&part.adaptation),
            (Role::Interneurons, Some(part)) => Some(&part.statistic),
            (Role::Error, Some(part)) => Some(&part.error),
            (_, None) => None,
        };
        values.map_or(&[], Vec::as_slice)
    }

    /// The layer and unit that show in Traces what happens at this unit: its own, or where it is no neuron's the one above that its error
    /// drives most.
    pub(super) fn traced(self, unit: usize, snapshot: &Snapshot) -> Option<(usize, usize)> {
        let is_own = self.layer > 0 && matches!(self.role, Role::Neurons | Role::Adaptation);
        if is_own {
            return Some((self.layer, unit));
        }
        let weights = snapshot.weights.get(self.layer).filter(|weights| unit < weights.nrows())?;
        let row = weights.row(unit);
        let strongest = (0..row.len()).max_by(|&a, &b| row[a].abs().total_cmp(&row[b].abs()))?;
        Some((self.layer + 1, strongest))
    }
}

/// What the symbols in a text mean that stand for functions of layer l and of the one whose neurons send, each on a line of its own.
fn symbols(text: &str, l: usize, layers: &[LayerConfig]) -> String {
    // The equation of a categorical layer has T of what it is drawn from, the layer below.
    let of = family(&layers[if is_categorical(&layers[l]) { l.saturating_sub(1) } else { l }]);
    let activation = |l: usize| format!("{:?}", layers[l.min(layers.len() - 1)].activation).to_lowercase();
    let sender = if text.contains("f'(") { l } else { l + 1 };
    let all = [
        (["T(", "T'("], format!("T: sufficient statistic of the family {of}")),
        (["A(", "A'("], "A: log-partition of the family below; A' is the mean of T".to_string()),
        (["B(", "B'("], format!("B: base energy of the family {of}, minus the logarithm of its base measure")),
        ([" f(", "f'("], format!("f: activation function of layer {sender}, here {}", activation(sender))),
        (
            ["-M ", " M)"],
            "M: mobility, which sets the speed of y: sigma^2 of a gaussian, the mean of y^2 at eta = 0 of the others".to_string(),
        ),
    ];
    let occurs = |spellings: &[&str; 2]| spellings.iter().any(|spelling| text.contains(spelling));
    all.iter().filter(|(spellings, _)| occurs(spellings)).map(|(_, meaning)| format!("\n{meaning}")).collect()
}

impl Flow {
    /// From where to where.
    pub(super) fn ends(self) -> [Node; 2] {
        let node = |layer, role| Node { layer, role };
        match self {
            Self::Prediction(l) => [node(l + 1, Role::Neurons), node(l, Role::Interneurons)],
            Self::Observed(l) => [node(l, Role::Neurons), node(l, Role::Error)],
            Self::Predicted(l) => [node(l, Role::Interneurons), node(l, Role::Error)],
            Self::Likelihood(l) => [node(l - 1, Role::Error), node(l, Role::Neurons)],
            Self::Prior(l) => [node(l + 1, Role::Neurons), node(l, Role::Neurons)],
            Self::Adapting(l) => [node(l, Role::Adaptation), node(l, Role::Neurons)],
            Self::Driving(l) => [node(l, Role::Neurons), node(l, Role::Adaptation)],
            Self::Choice(l) => [node(l - 1, Role::Neurons), node(l, Role::Neurons)],
        }
    }

    /// What it is, in a word, a formula, a sentence and the formula's symbols.
    pub(super) fn explanation(self, layers: &[LayerConfig]) -> String {
        let what = match self {
            Self::Prediction(l) => format!(
                "Prediction: eta_{l} = W_{l} f(x_{}) + b_{l}    (1.3)\nThe layer above sets the natural parameter of what lies below it.",
                l + 1
            ),
            Self::Observed(l) => format!("T(x_{l}): what is there    (2.2)"),
            Self::Predicted(l) => format!("-<T(y_{l})>: what the interneurons expect, with a minus    (2.2)"),
            Self::Likelihood(l) => format!(
                "Likelihood: f'(x_{l}) W_{}^T eps_{}    (2.1)\nThe errors below push the neurons to where they explain them.",
                l - 1,
                l - 1
            ),
            Self::Prior(l) => format!(
                "Prior: T'(x_{l}) eta_{l} - B'(x_{l})    (2.1)\nThe layer above, and the family itself, pull the neurons to what is likely beforehand."
            ),
            Self::Adapting(l) => format!("Adaptation: -m v_{l}    (2.3)"),
            Self::Driving(l) => format!("Current that drives adaptation: -m (tau_v/tau_x) I_{l}    (2.4)"),
            Self::Choice(l) => format!("Odds of the states of layer {l} given what is below    (1.6)"),
        };
        let [_, Node { layer, .. }] = self.ends();
        let symbols = symbols(&what, layer, layers);
        what + &symbols
    }

    /// The coupling that it goes through, and its gain in joint chains of Generation where these have one; None for what is no coupling.
    pub(super) fn coupling(self, snapshot: &Snapshot) -> Option<String> {
        let Self::Prediction(l) = self else { return None };
        let joint = snapshot.generation.as_ref()?.modes.iter().find(|result| result.mode == Mode::Joint)?;
        joint.gains.get(l).map(|gain| format!("W_{l}, gain {gain:.2} in joint chains"))
    }

    /// Its root mean square over the units that receive it, in the unit of a current; None for what is no current, or not known.
    pub(super) fn strength(self, snapshot: &Snapshot) -> Option<f64> {
        let d = &snapshot.config.dynamics;
        let part = |l: usize| snapshot.parts.as_ref().and_then(|parts| parts.get(l));
        let found = match self {
            Self::Likelihood(l) => root_mean_square(part(l)?.likelihood.iter().map(|&i| f64::from(i))),
            Self::Prior(l) => root_mean_square(part(l)?.prior.iter().map(|&i| f64::from(i))),
            Self::Adapting(l) => {
                layer_adaptation(d, stiffness(snapshot, l))[0] * root_mean_square(part(l)?.adaptation.iter().map(|&v| f64::from(v)))
            }
            Self::Driving(l) => driving(d, stiffness(snapshot, l), part(l)?),
            _ => return None,
        };
        Some(found).filter(|strength| strength.is_finite())
    }
}

/// The root mean square of what drives adaptation.
fn driving(d: &DynamicsConfig, stiffness: f64, part: &crate::dynamics::LayerParts) -> f64 {
    let [m, tau_v_ms] = layer_adaptation(d, stiffness);
    let currents = part.likelihood.iter().zip(&part.prior).map(|(&below, &above)| f64::from(below) + f64::from(above));
    m * tau_v_ms / d.tau_x_ms * root_mean_square(currents)
}

fn root_mean_square(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value * value, count + 1.0));
    if count == 0.0 { 0.0 } else { (sum / count).sqrt() }
}

/// The stiffness of a layer of neurons.
fn stiffness(snapshot: &Snapshot, layer: usize) -> f64 {
    snapshot.governor.stiffness.get(layer.saturating_sub(1)).copied().filter(|lambda| lambda.is_finite()).unwrap_or(1.0)
}

/// A number in three digits.
pub(super) fn short(value: f64) -> String {
    crate::app::widgets::grid::short(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::presets;

    #[test]
    fn every_function_in_an_equation_is_named_below_it() {
        let layers = presets::by_name("ridge").unwrap().model.layers;
        let error = Node { layer: 0, role: Role::Error }.explanation(&layers);
        assert!(error.contains("\nT: sufficient statistic of the family gaussian"), "{error}");
        assert!(error.contains("\nf: activation function of layer 1, here linear") && !error.contains("\nM:"), "{error}");
        let likelihood = Flow::Likelihood(1).explanation(&layers);
        assert!(likelihood.contains("\nf: activation function of layer 1, here linear"), "{likelihood}");
        let interneurons = Node { layer: 0, role: Role::Interneurons }.explanation(&layers);
        assert!(interneurons.contains("\nM: mobility, which sets the speed of y"), "{interneurons}");
        let layers = presets::by_name("digits").unwrap().model.layers;
        let top = layers.len() - 1;
        let choice = Node { layer: top, role: Role::Neurons }.explanation(&layers);
        assert!(choice.contains(&format!("\nT: sufficient statistic of the family {}", family(&layers[top - 1]))), "{choice}");
    }

    #[test]
    fn every_preset_has_its_nodes_and_currents_between_them() {
        for preset in presets::all() {
            let config = preset.config();
            let layers = &config.model.layers;
            let (nodes, flows) = (nodes(layers), flows(layers));
            let is_there = |node: &Node| nodes.contains(node);
            assert!(flows.iter().all(|flow| flow.ends().iter().all(is_there)), "{}: a current ends nowhere", preset.name);
            let predicted = nodes.iter().filter(|node| node.role == Role::Interneurons).count();
            assert_eq!(predicted, layers.len() - 1, "{}: interneurons predict every layer but the top", preset.name);
            let moves = |l: usize| flows.contains(&Flow::Likelihood(l)) || flows.contains(&Flow::Choice(l));
            assert!((1..layers.len()).all(moves), "{}: something moves every layer of neurons", preset.name);
            assert!(!flows.contains(&Flow::Prior(0)), "the observation is given");
        }
    }

    #[test]
    fn strengths_are_root_mean_squares_of_currents() {
        let mut snapshot = Snapshot::synthetic(presets::by_name("ridge").unwrap());
        assert_eq!(Flow::Likelihood(1).strength(&snapshot), None, "nothing is known of it yet");
        let part = crate::dynamics::LayerParts {
            adaptation: vec![1.0, -1.0],
            likelihood: vec![3.0, 4.0],
            prior: vec![-3.0, 0.0],
            ..Default::default()
        };
        snapshot.state.parts = Some(vec![Default::default(), part]);
        let mut config = (*snapshot.config).clone();
        (config.dynamics.adaptation, config.dynamics.tau_v_ms, config.dynamics.tau_x_ms) = (2.0, 30.0, 60.0);
        config.dynamics.adaptation_unit = crate::experiment::config::AdaptationUnit::Absolute;
        snapshot.state.config = std::sync::Arc::new(config);
        let strength = |flow: Flow| flow.strength(&snapshot).unwrap();
        assert!((strength(Flow::Likelihood(1)) - 12.5f64.sqrt()).abs() < 1e-12);
        assert!((strength(Flow::Adapting(1)) - 2.0).abs() < 1e-12);
        assert!((strength(Flow::Driving(1)) - 2.0 * 0.5 * 8.0f64.sqrt()).abs() < 1e-12);
        assert_eq!(Flow::Observed(0).strength(&snapshot), None);
    }
}
