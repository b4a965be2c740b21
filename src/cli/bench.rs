//! `heescope bench`: milliseconds a step, split into its parts.

use crate::cli::Start;
use crate::dynamics::block::Taps;
use crate::dynamics::noise::Noise;
use crate::experiment::session::Session;
use crate::model::product::multiply;
use ndarray::ArrayView2;
use std::time::Instant;

/// Options of `bench`.
#[derive(clap::Args, Debug)]
pub(super) struct Bench {
    #[command(flatten)]
    start: Start,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const ROUNDS: usize = 15;

/// Median milliseconds of `action`.
fn median_ms(mut action: impl FnMut()) -> f64 {
    action();
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            action();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

impl Bench {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (mut config, _) = self.start.read(None)?;
        config.learning.enabled = false;
        let mut session = Session::new(config.clone())?;
        session.hold(true)?;
        let steps = 200;
        let step_ms = median_ms(|| {
            session.advance(steps, &Taps::default());
        }) / steps as f64;
        // The parts alone on one thread, all rows: what the bound is made of.
        let (batch, mut products_ms, mut normals) = (config.stimulus.batch, 0.0, 0);
        for w in &session.model.weights {
            let (n, m) = w.dim();
            let (below, above) = (vec![0.5f32; batch * n], vec![0.5f32; batch * m]);
            let (mut eta, mut current) = (vec![0.0; batch * n], vec![0.0; batch * m]);
            let f = ArrayView2::from_shape((batch, m), &above)?;
            let eps = ArrayView2::from_shape((batch, n), &below)?;
            products_ms += median_ms(|| {
                multiply(&mut eta, f, w.t(), 1.0, false);
                multiply(&mut current, eps, w.view(), 1.0, false);
            });
            normals += 2 * batch * (n + m);
        }
        let (mut noise, mut buffer) = (Noise::new(0, 0), vec![0.0; normals]);
        let noise_ms = median_ms(|| noise.fill(&mut buffer));
        config.learning.enabled = true;
        let images_per_second = if config.stimulus.steps_per_stimulus > 0 {
            let mut learner = Session::new(config.clone())?;
            let presentation_ms = median_ms(|| {
                learner.advance(usize::MAX, &Taps::default());
            });
            batch as f64 / presentation_ms * 1e3
        } else {
            0.0
        };
        let threads = if config.dynamics.threads == 0 {
            std::thread::available_parallelism().map_or(1, usize::from)
        } else {
            config.dynamics.threads
        };
        let elementwise_ms = (step_ms * threads as f64 - products_ms - noise_ms).max(0.0);
        let rows = [
            ("step_ms", step_ms),
            ("steps_per_second", 1e3 / step_ms),
            ("learning_images_per_second", images_per_second),
            ("one_thread_products_ms", products_ms),
            ("one_thread_noise_ms", noise_ms),
            ("one_thread_elementwise_and_rest_ms", elementwise_ms),
            ("noise_ns_per_normal", noise_ms * 1e6 / normals as f64),
        ];
        if self.json {
            let mut map: serde_json::Map<_, _> = rows.iter().map(|(k, v)| ((*k).to_string(), serde_json::json!(v))).collect();
            map.insert("preset".into(), config.model.name.clone().into());
            map.insert("threads".into(), threads.into());
            println!("{}", serde_json::Value::Object(map));
        } else {
            println!("preset {}, batch {batch}, {threads} threads", config.model.name);
            rows.iter().for_each(|(name, value)| println!("{name:<36} {value:.4}"));
        }
        Ok(())
    }
}
