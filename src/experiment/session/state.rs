//! The whole state of a session, taken out and put back: a session that goes on from it computes the same bits as one that never
//! stopped, whatever the number of threads and wherever in a presentation it was taken.
//!
//! Not in it are the stimuli, which the configuration and its seed say, and what is recorded of the networks.

use super::building::session_stream;
use super::{Clock, Session};
use crate::dynamics::adam::Moments;
use crate::dynamics::governor::Stiffness;
use crate::dynamics::learning::OptimizerState;
use crate::dynamics::{EnsembleCounters, EnsembleState, StateArray, StateMismatch};
use crate::experiment::config::{Config, LearningConfig};
use crate::experiment::latents::{Latents, LatentsCounters};
use crate::experiment::stages::StagePosition;
use crate::model::Hierarchy;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// The largest count of steps, updates or draws that a state may hold: far from where counters end, and beyond what any run reaches.
const MOST: u64 = 1 << 52;

/// The numbers of a state; with the shape of the model they tell the sizes of its arrays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionCounters {
    /// Simulated time, ms.
    pub time_ms: f64,
    /// Steps done.
    pub steps: u64,
    /// Stimuli shown.
    pub presentations: u64,
    /// Steps since the stimulus came.
    pub step: usize,
    /// Steps by which this presentation is longer than others.
    pub settling: usize,
    /// Whether the stimulus is held.
    pub held: bool,
    /// First and last image of the run under way or done last, where its length was announced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<[u64; 2]>,
    /// Fraction of the run that is done, where its length is known in wall time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_share: Option<f64>,
    /// Updates of the weights.
    pub updates: u64,
    /// Where the session's own random stream is, words from its beginning.
    pub stream_position: u64,
    /// lambda of layers 1..=L.
    pub stiffness: Vec<f64>,
    /// sigma of layers 0..=L in double precision; NaN where there is none.
    pub sigmas: Vec<f64>,
    /// Updates of Adam's moments of each W_l; empty: none are kept.
    pub weight_updates: Vec<u64>,
    /// The same of each b_l.
    pub bias_updates: Vec<u64>,
    /// Values of the fixed stimulus that the session began with.
    pub configured: usize,
    /// Whether the mean curvature of the observation layer is known.
    pub has_observed_variance: bool,
    /// The images from which stimuli are taken: how many, and a number that tells them from others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stimuli: Option<[u64; 2]>,
    /// The chains of every image, where they persist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chains: Option<LatentsCounters>,
    /// The networks.
    pub networks: EnsembleCounters,
}

/// Everything that the next steps of a session depend on beside its stimuli.
#[derive(Clone, Debug)]
pub struct SessionState {
    /// The configuration in force, with how far learning has come: images seen and the stage.
    pub config: Config,
    /// The model with its present weights.
    pub model: Hierarchy,
    /// What the learning rule remembers from update to update.
    pub optimizer: OptimizerState,
    counters: SessionCounters,
    networks: EnsembleState,
    latents: Option<Latents>,
    stiffness: Stiffness,
    /// The stimulus of network 0, `[n_0]`.
    stimulus: Vec<f32>,
    /// The fixed stimulus as the session began with it.
    configured: Vec<f32>,
}

impl SessionCounters {
    /// Whether every number is one that a session can have.
    fn check_ranges(&self) -> Result<(), StateMismatch> {
        let [first, last] = self.run.unwrap_or_default();
        let counts = [self.steps, self.presentations, self.updates, self.stream_position];
        let in_presentation = [self.step as u64, self.settling as u64];
        let moments = self.weight_updates.iter().chain(&self.bias_updates);
        if let Some(count) = counts.iter().chain(&in_presentation).chain(moments).find(|&&count| count > MOST) {
            return Err(StateMismatch::new("a count", count, format!("0 to {MOST}")));
        }
        if !(self.time_ms.is_finite() && self.run_share.is_none_or(|share| (0.0..=1.0).contains(&share))) {
            return Err(StateMismatch::new("time or share of the run", "a value out of range", "finite, and 0 to 1"));
        }
        if first > last {
            return Err(StateMismatch::new("run", format!("{first} to {last}"), "its first image before its last"));
        }
        if !self.stiffness.iter().all(|&lambda| lambda >= 0.0) {
            return Err(StateMismatch::new("stiffness", format!("{:?}", self.stiffness), "numbers of at least 0")); // infinite: drawn as a whole
        }
        Ok(())
    }
}

impl SessionState {
    /// Its numbers.
    pub fn counters(&self) -> &SessionCounters {
        &self.counters
    }

    /// The stimulus of network 0, `[n_0]`.
    pub fn first_stimulus(&self) -> &[f32] {
        &self.stimulus
    }

    /// Leaves the chains of the images out of a state that is to be written; no session goes on exactly from what is left.
    pub(in crate::experiment) fn leave_out_chains(&mut self) {
        (self.latents, self.counters.chains) = (None, None);
    }

    /// Its arrays, but for the model's, by the names that they have in a model file; they can be overwritten.
    pub fn arrays(&mut self) -> Vec<StateArray<'_>> {
        let Self { optimizer, networks, latents, stiffness, stimulus, configured, .. } = self;
        let mut arrays = networks.arrays();
        arrays.push(StateArray::new("stimulus", &[stimulus.len()], stimulus));
        if !configured.is_empty() {
            arrays.push(StateArray::new("configured_stimulus", &[configured.len()], configured));
        }
        let vectors = stiffness.directions.iter_mut().enumerate().map(|(l, direction)| (format!("stiffness_direction{l}"), direction));
        for (name, vector) in vectors.chain(stiffness.observed_variance.iter_mut().map(|v| ("observed_variance".to_string(), v))) {
            let n = vector.len();
            arrays.extend(vector.as_slice_mut().map(|vector| StateArray::new(name, &[n], vector)));
        }
        arrays.iter_mut().for_each(|array| array.name.insert_str(0, "state_"));
        arrays.extend(latents.iter_mut().flat_map(Latents::arrays));
        for (kind, moments) in [("W", &mut optimizer.weights), ("b", &mut optimizer.biases)] {
            for (l, Moments { first, second, .. }) in moments.iter_mut().enumerate().filter(|(_, moments)| moments.count > 0) {
                arrays.push(StateArray::new(format!("adam_{kind}{l}_first"), &[first.len()], first));
                arrays.push(StateArray::new(format!("adam_{kind}{l}_second"), &[second.len()], second));
            }
        }
        arrays
    }
}

impl Session {
    /// Everything that the next steps depend on beside the stimuli.
    pub fn state(&self) -> SessionState {
        SessionState {
            config: self.config_for_saving(),
            model: self.model.clone(),
            optimizer: self.learning.optimizer.clone(),
            counters: self.counters(),
            networks: self.networks.state(),
            latents: self.latents.clone(),
            stiffness: self.dynamics.stiffness.clone(),
            stimulus: self.stimulus.values.clone(),
            configured: self.stimulus.configured.clone(),
        }
    }

    /// The numbers of the state.
    pub fn counters(&self) -> SessionCounters {
        let (clock, stimulus, learning) = (&self.clock, &self.stimulus, &self.learning);
        let updates = |moments: &[Moments]| moments.iter().map(|moments| moments.count).collect();
        SessionCounters {
            time_ms: clock.time_ms,
            steps: clock.steps,
            presentations: stimulus.presentations,
            step: stimulus.step,
            settling: stimulus.settling,
            held: stimulus.held,
            run: learning.run,
            run_share: learning.run_share,
            updates: learning.updates,
            stream_position: self.rng.get_word_pos() as u64,
            stiffness: self.dynamics.stiffness.lambda.clone(),
            sigmas: self.model.layers.iter().map(|layer| layer.sigma().unwrap_or(f64::NAN)).collect(),
            weight_updates: updates(&learning.optimizer.weights),
            bias_updates: updates(&learning.optimizer.biases),
            configured: stimulus.configured.len(),
            has_observed_variance: self.dynamics.stiffness.observed_variance.is_some(),
            stimuli: self.seal_of_stimuli(),
            chains: self.latents.as_ref().map(Latents::counters),
            networks: self.networks.state_counters(),
        }
    }

    fn seal_of_stimuli(&self) -> Option<[u64; 2]> {
        self.stimulus.source.as_ref().map(|set| [set.len() as u64, set.fingerprint()])
    }

    /// The session's model and configuration with a state of these counters and arrays of 0, to be filled. An error where a session of
    /// this shape and these stimuli cannot have the counters.
    pub fn blank_state(&self, counters: SessionCounters) -> Result<SessionState, StateMismatch> {
        self.check_counters(&counters)?;
        let mut model = self.model.clone();
        for (layer, &sigma) in model.layers.iter_mut().zip(&counters.sigmas) {
            if layer.sigma().is_some() {
                layer.set_sigma(sigma);
            }
        }
        let moments = |counts: &[u64], sizes: Vec<usize>| -> Vec<Moments> {
            let zeros = |(&count, n): (&u64, usize)| Moments { count, ..Moments::zeros(if count > 0 { n } else { 0 }) };
            counts.iter().zip(sizes).map(zeros).collect()
        };
        let mut optimizer = self.learning.optimizer.clone();
        optimizer.weights = moments(&counters.weight_updates, model.weights.iter().map(Array2::len).collect());
        optimizer.biases = moments(&counters.bias_updates, model.biases.iter().map(Array1::len).collect());
        let mut stiffness = self.dynamics.stiffness.clone();
        stiffness.lambda.clone_from(&counters.stiffness);
        stiffness.observed_variance = counters.has_observed_variance.then(|| Array1::zeros(model.layers[0].size));
        Ok(SessionState {
            config: self.config.clone(),
            optimizer,
            networks: self.networks.blank_state(counters.networks.clone())?,
            latents: self.latents.as_ref().zip(counters.chains).map(|(latents, counters)| latents.blank(counters)).transpose()?,
            stiffness,
            stimulus: vec![0.0; self.stimulus.values.len()],
            configured: vec![0.0; counters.configured],
            model,
            counters,
        })
    }

    /// Whether a session of this shape and these stimuli can have them.
    fn check_counters(&self, counters: &SessionCounters) -> Result<(), StateMismatch> {
        counters.check_ranges()?;
        let optimizer = &self.learning.optimizer;
        for (what, found, expected) in [
            ("stiffnesses", counters.stiffness.len(), self.model.depth()),
            ("sigmas", counters.sigmas.len(), self.model.layers.len()),
            ("counts of the moments of weights", counters.weight_updates.len(), optimizer.weights.len()),
            ("counts of the moments of biases", counters.bias_updates.len(), optimizer.biases.len()),
            ("values of the fixed stimulus", counters.configured, self.stimulus.configured.len()),
        ] {
            if found != expected {
                return Err(StateMismatch::new(what, found, expected));
            }
        }
        let mut sigmas = self.model.layers.iter().zip(&counters.sigmas).filter(|(layer, _)| layer.sigma().is_some());
        if let Some((_, sigma)) = sigmas.find(|(_, sigma)| !(sigma.is_finite() && **sigma > 0.0)) {
            return Err(StateMismatch::new("sigma", sigma, "a number above 0"));
        }
        let stimuli = self.seal_of_stimuli();
        if counters.stimuli != stimuli {
            let text = |seal: Option<[u64; 2]>| seal.map_or("none".into(), |[count, print]| format!("{count} (fingerprint {print:x})"));
            return Err(StateMismatch::new("stimuli", text(counters.stimuli), text(stimuli)));
        }
        if counters.chains.is_some() != self.latents.is_some() {
            let text = |chains: bool| if chains { "saved" } else { "not saved" };
            return Err(StateMismatch::new("chains of the images", text(counters.chains.is_some()), text(self.latents.is_some())));
        }
        Ok(())
    }

    /// Goes on from a state that a session of the same shape and stimuli was in, as that session would have gone on. The number of
    /// threads stays this session's. An error, after which the session is as it was, where the state does not fit.
    pub fn restore(&mut self, mut state: SessionState) -> Result<(), StateMismatch> {
        self.check(&mut state)?;
        let SessionState { config, model, optimizer, counters, networks, latents, stiffness, stimulus, configured } = state;
        self.model.copy_values(&model);
        self.weights_version += 1;
        let threads = self.config.dynamics.threads;
        self.config = config;
        self.config.dynamics.threads = threads;
        let LearningConfig { images_seen, stage, stage_since, .. } = self.config.learning;
        self.clock = Clock { time_ms: counters.time_ms, steps: counters.steps, images: images_seen };
        self.learning.position = StagePosition { stage, since: stage_since };
        (self.learning.run, self.learning.run_share, self.learning.updates) = (counters.run, counters.run_share, counters.updates);
        self.learning.optimizer = optimizer;
        (self.stimulus.values, self.stimulus.configured) = (stimulus, configured);
        (self.stimulus.presentations, self.stimulus.step, self.stimulus.settling) =
            (counters.presentations, counters.step, counters.settling);
        self.stimulus.held = counters.held;
        self.stimulus.free = networks.freed().to_vec();
        self.latents = latents;
        self.rng = session_stream(self.config.dynamics.seed);
        self.rng.set_word_pos(u128::from(counters.stream_position));
        self.dynamics.stiffness = stiffness;
        self.open_layers();
        self.set_parameters();
        let step = self.observed_step();
        self.networks.restore(&self.model, networks, step)
    }

    /// Whether the session can go on from it.
    fn check(&self, state: &mut SessionState) -> Result<(), StateMismatch> {
        let shapes = |model: &Hierarchy| -> Vec<_> { model.weights.iter().map(Array2::dim).collect() };
        let kinds = |model: &Hierarchy| -> Vec<_> { model.layers.iter().map(|layer| layer.name()).collect() };
        if (shapes(&state.model), kinds(&state.model)) != (shapes(&self.model), kinds(&self.model)) {
            let text = |model: &Hierarchy| format!("{:?} of {}", shapes(model), kinds(model).join(", "));
            return Err(StateMismatch::new("the model", text(&state.model), text(&self.model)));
        }
        if state.config.dynamics.seed != self.config.dynamics.seed {
            return Err(StateMismatch::new("seed", state.config.dynamics.seed, self.config.dynamics.seed));
        }
        let (stage, stages) = (state.config.learning.stage, state.config.stages.len().max(1));
        if stage >= stages {
            return Err(StateMismatch::new("stage", stage, format!("below {stages}")));
        }
        self.check_counters(&state.counters)?;
        if let (Some(latents), Some(own)) = (&state.latents, &self.latents) {
            latents.check(own, self.model.active_states().map(|_| self.model.layers[self.model.depth()].size))?;
        }
        self.networks.check_state(&mut state.networks)
    }
}
