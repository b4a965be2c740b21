//! `heescope sample`: chains of one posterior, with all that is needed to check them.

use crate::cli::{Start, reads};
use crate::dynamics::Probes;
use crate::experiment::{StopCause, modelfile, session::Session};
use crate::export::npz::{Archive, read_npy};
use crate::export::{Outputs, check_room, write_atomically, write_or_keep};
use anyhow::bail;
use ndarray::{Array1, Array3, ArrayD, s};
use std::path::PathBuf;

/// Options of `sample`.
#[derive(clap::Args, Debug)]
pub(super) struct Sample {
    #[command(flatten)]
    start: Start,
    /// Model file
    #[arg(long)]
    model: Option<PathBuf>,
    /// Chains
    #[arg(long, default_value_t = 64)]
    chains: usize,
    /// Steps after the burn-in
    #[arg(long, default_value_t = 1000)]
    steps: usize,
    /// Steps thrown away first
    #[arg(long, default_value_t = 200)]
    burn: usize,
    /// Every so many steps are kept
    #[arg(long, default_value_t = 1)]
    thin: usize,
    /// The observation (NPY, float32)
    #[arg(long)]
    stimulus: Option<PathBuf>,
    /// File to write (NPZ)
    #[arg(long)]
    out: PathBuf,
}

impl Sample {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (mut config, model) = self.start.read(self.model.as_ref())?;
        self.outputs().check()?;
        config.set(&format!("batch={}", self.chains)).map_err(|_| anyhow::anyhow!("--chains {}: 1 to 100000", self.chains))?;
        if self.thin == 0 || self.steps / self.thin == 0 {
            bail!("--thin {} leaves no draw of --steps {}", self.thin, self.steps);
        }
        config.learning.enabled = false;
        let mut session = match model {
            Some(model) => Session::with_model(config, model)?,
            None => Session::new(config)?,
        };
        let draws = self.steps / self.thin;
        let values: u128 = (1..=session.model().depth()).map(|l| session.model().layers[l].size as u128).sum::<u128>() * 2;
        if values * self.chains as u128 * draws as u128 > 2_000_000_000 {
            bail!(
                "{} chains x {draws} draws x {values} values would fill more than 8 GB: use --thin, fewer --steps or fewer --chains",
                self.chains
            );
        }
        check_room(&self.out, (values as usize * self.chains * draws * size_of::<f32>()) as u64)?;
        if let Some(path) = &self.stimulus {
            let values: ArrayD<f32> = read_npy(path)?;
            let values: Vec<f32> = values.iter().copied().collect();
            session.set_stimulus(&values).map_err(|e| anyhow::anyhow!("{}: {e}", path.display()))?;
        }
        session.hold(true)?;
        session.advance(self.burn, &Probes::default());
        let depth = session.model().depth();
        let shape = |l: usize| (self.chains, draws, session.model().layers[l].size);
        let mut x: Vec<Array3<f32>> = (1..=depth).map(|l| Array3::zeros(shape(l))).collect();
        let mut v = x.clone();
        let mut time_ms = Array1::zeros(draws);
        for draw in 0..draws {
            session.advance(self.thin, &Probes::default());
            time_ms[draw] = session.time_ms() as f32;
            for l in 1..=depth {
                let copy = |to: &mut Array3<f32>, chain: usize, row: &[f32]| {
                    to.slice_mut(s![chain, draw, ..]).iter_mut().zip(row).for_each(|(to, from)| *to = *from);
                };
                session.networks().states(l).enumerate().for_each(|(chain, row)| copy(&mut x[l - 1], chain, row));
                session.networks().adaptation(l).enumerate().for_each(|(chain, row)| copy(&mut v[l - 1], chain, row));
            }
        }
        if let Some(reason) = session.broken() {
            let cause = StopCause::of(session.config(), session.model(), session.stiffness(), session.active_layers());
            bail!("sampling diverged: {reason}{}", cause.map_or_else(String::new, |cause| format!(": {}", cause.text)));
        }
        let mut archive = Archive::default();
        for l in 1..=depth {
            archive.add(&format!("x{l}"), &x[l - 1])?;
            if !session.model().layers[l].is_categorical() {
                archive.add(&format!("v{l}"), &v[l - 1])?; // a categorical layer is drawn: it has no adaptation
            }
        }
        archive.add("time_ms", &time_ms)?;
        archive.add("x0", &Array1::from(session.stimulus().to_vec()))?;
        modelfile::add_model(&mut archive, session.config(), session.model())?;
        let bytes = archive.into_bytes()?;
        Ok(write_or_keep(&self.out, |path| write_atomically(path, &bytes))?)
    }

    fn outputs(&self) -> Outputs<'_> {
        let outputs = self.start.reads(self.model.as_ref(), Outputs::default().writes("--out", &self.out, ".npz"));
        reads("--stimulus", self.stimulus.as_ref(), outputs)
    }
}
