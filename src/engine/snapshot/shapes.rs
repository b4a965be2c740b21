//! Whether the arrays of a snapshot that comes from a file fit each other.

use crate::engine::Snapshot;

impl Snapshot {
    /// Whether configuration, arrays and what is watched fit together, as they do in every snapshot that an engine has made; the error
    /// says what does not.
    pub fn check_shapes(&self) -> Result<(), String> {
        let state = &self.state;
        state.config.validate().map_err(|error| error.to_string())?;
        let sizes: Vec<usize> = state.config.model.layers.iter().map(|layer| layer.size).collect();
        let latent = sizes.len().saturating_sub(1);
        let counts = [
            ("weights", state.weights.len(), latent),
            ("biases", state.biases.len(), sizes.len()),
            ("sigmas", state.sigmas.len(), sizes.len()),
            ("states", state.states.len(), sizes.len()),
            ("stiffnesses", state.governor.stiffness.len(), latent),
        ];
        for (what, found, needed) in counts {
            fits(format_args!("the number of {what}"), found, needed)?;
        }
        for (l, &size) in sizes.iter().enumerate() {
            fits(format_args!("b_{l}"), state.biases[l].len(), size)?;
            fits(format_args!("x_{l}"), state.states[l].len(), size)?;
        }
        for (l, pair) in sizes.windows(2).enumerate() {
            let (rows, columns) = state.weights[l].dim();
            fits(format_args!("rows of W_{l}"), rows, pair[0])?;
            fits(format_args!("columns of W_{l}"), columns, pair[1])?;
        }
        self.check_parts(&sizes)?;
        let observed = sizes.first().copied().unwrap_or(0);
        fits(format_args!("the stimulus"), state.stimulus.stimulus.len(), observed)?;
        fits(format_args!("the reconstruction"), state.stimulus.reconstruction.len(), observed)?;
        self.check_watch(&sizes)
    }

    fn check_parts(&self, sizes: &[usize]) -> Result<(), String> {
        let Some(parts) = &self.state.parts else { return Ok(()) };
        fits(format_args!("the number of layers with their parts"), parts.len(), sizes.len())?;
        for (l, (part, &size)) in parts.iter().zip(sizes).enumerate() {
            for values in [&part.adaptation, &part.statistic, &part.error, &part.likelihood, &part.prior] {
                // A layer need not have every part.
                fits(format_args!("a part of layer {l}"), values.len().max(size * usize::from(values.is_empty())), size)?;
            }
        }
        Ok(())
    }

    fn check_watch(&self, sizes: &[usize]) -> Result<(), String> {
        let watch = &self.state.watch;
        let Some(&size) = sizes.get(watch.trace_layer).filter(|_| watch.trace_layer > 0) else {
            return Err(format!("layer {} is traced, and there is no such layer of neurons", watch.trace_layer));
        };
        if let Some(unit) = watch.trace_units.iter().chain(&watch.pair).find(|&&unit| unit >= size) {
            return Err(format!("unit {unit} is watched, of {size}"));
        }
        let (units, new) = (watch.trace_units.len(), &self.increment);
        fits(format_args!("the activities"), self.state.activity.len(), size)?;
        // More are those of units that were traced before, where the choice has changed since the last snapshot.
        fits(format_args!("the traces"), new.traces.len().min(units), units)?;
        fits(format_args!("the traces of interneurons"), new.interneurons.len().min(units), units)
    }
}

fn fits(what: std::fmt::Arguments, found: usize, needed: usize) -> Result<(), String> {
    if found == needed { Ok(()) } else { Err(format!("{what}: {found} where {needed} are needed")) }
}
