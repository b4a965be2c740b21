//! `heescope measure`: the studies of the registry without a window. Names, options and help are those of the registry.

use crate::cli::console::{Console, notice};
use crate::cli::{Start, writes};
use crate::experiment::{Config, ModelVersion, Session};
use crate::export::table::TABLE_ENDINGS;
use crate::export::{Outputs, check_output, write_or_keep};
use crate::studies::{self, OptionKind, Study, StudyError, StudyFindings, StudyOption, StudyOptions, StudyTarget};
use anyhow::{Context, bail};
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Arg, ArgAction, ArgMatches};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Every study that applies.
const ALL: &str = "all";

/// Options of `measure`.
#[derive(clap::Args, Debug)]
pub(super) struct Measure {
    /// What is measured
    #[arg(value_parser = names())]
    what: String,
    #[command(flatten)]
    start: Start,
    /// Model file
    #[arg(long)]
    model: Option<PathBuf>,
    /// Layer that is looked at, from 1; for the partition function the one below it
    #[arg(long, default_value_t = 1)]
    layer: usize,
    /// Unit that is looked at
    #[arg(long, default_value_t = 0)]
    unit: usize,
    #[command(flatten)]
    options: GivenOptions,
    /// Print JSON, one object a study
    #[arg(long)]
    json: bool,
    /// File of the numbers (CSV or NPY); for all a folder, which gets a CSV a study
    #[arg(long)]
    out: Option<PathBuf>,
}

/// The names of the studies with what they measure.
fn names() -> PossibleValuesParser {
    let value = |study: &dyn Study| PossibleValue::new(study.name()).help(study.summary());
    let every = PossibleValue::new(ALL).help("Every study that applies to the model");
    PossibleValuesParser::new(studies::all().map(value).chain([every]))
}

/// The options of all studies, each once, with the studies that have it.
fn options() -> Vec<(&'static StudyOption, Vec<&'static str>)> {
    let mut list: Vec<(&StudyOption, Vec<&str>)> = Vec::new();
    for (study, option) in studies::all().flat_map(|study| study.options().iter().map(move |option| (study, option))) {
        match list.iter_mut().find(|(known, _)| known.key == option.key) {
            Some((_, owners)) => owners.push(study.name()),
            None => list.push((option, vec![study.name()])),
        }
    }
    list
}

/// Values of options of studies, as they were given.
#[derive(Debug, Default)]
struct GivenOptions(Vec<(&'static str, Vec<String>)>);

impl clap::FromArgMatches for GivenOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |key: &'static str| matches.get_many::<String>(key).map(|values| (key, values.cloned().collect()));
        Ok(Self(options().iter().filter_map(|(option, _)| given(option.key)).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for GivenOptions {
    fn augment_args(command: clap::Command) -> clap::Command {
        options().into_iter().fold(command, |command, (option, owners)| {
            let several = option.kind == OptionKind::Texts;
            let usual = option.kind.usual().to_string();
            let usual = if usual.is_empty() { String::new() } else { format!(" [default: {usual}]") };
            let help = format!("{} ({}){usual}", option.help, owners.join(", "));
            let action = if several { ArgAction::Append } else { ArgAction::Set };
            command.arg(Arg::new(option.key).long(option.key).help(help).action(action).value_name("VALUE"))
        })
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl GivenOptions {
    /// An error where one was given that is not the study's.
    fn all_of(&self, study: &dyn Study) -> anyhow::Result<()> {
        let Some((key, _)) = self.0.iter().find(|(key, _)| study.options().iter().all(|option| option.key != *key)) else { return Ok(()) };
        let known = study.options().iter().map(|option| format!("--{}", option.key)).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "it has none".into() } else { format!("its options are {known}") };
        bail!("--{key} is no option of {}: {known}", study.name())
    }

    /// Those that a study has; the error names a value that is out of range.
    fn of(&self, study: &dyn Study) -> Result<StudyOptions, StudyError> {
        let mut options = StudyOptions::of(study);
        let own = self.0.iter().filter(|(key, _)| study.options().iter().any(|option| option.key == *key));
        own.flat_map(|(key, values)| values.iter().map(move |value| (key, value)))
            .try_for_each(|(key, value)| options.set(study, key, value))?;
        Ok(options)
    }
}

impl Measure {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if self.what != ALL {
            self.options.all_of(studies::by_name(&self.what)?)?;
        }
        let (mut config, model) = self.start.read(self.model.as_ref())?;
        self.check_outputs()?;
        config.learning.enabled = false;
        let mut session = match model {
            Some(model) => Session::with_model(config, model)?,
            None => Session::new(config)?,
        };
        session.hold(true)?;
        let target = StudyTarget::of(&session, ModelVersion::default()).watching(self.layer, self.unit)?;
        // Distances of images use the threads that are given, as `evaluate` does; their number changes no result.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(session.config().dynamics.threads).build()?;
        let images = |study: &dyn Study| target.clone().with_images(study, session.images_shown(), session.labels_shown());
        if self.what == ALL {
            return self.every(session.config(), &images, &pool);
        }
        let study = studies::by_name(&self.what)?;
        let target = images(study);
        let mut console = Console::beside(self.out.as_deref());
        let findings = match pool.install(|| self.measure(study, &target, session.config(), &mut console)) {
            Err(StudyError::NotApplicable(reason)) => bail!("{}: {reason}", session.config().model.name),
            other => other?,
        };
        if let Some(path) = &self.out {
            let table = findings.to_table(study);
            write_or_keep(path, |path| table.save(path))?;
        }
        console.finish()
    }

    /// The file of one study has to be a table; the folder of all is made.
    fn check_outputs(&self) -> anyhow::Result<()> {
        let Some(path) = &self.out else { return Ok(()) };
        if self.what != ALL {
            let outputs = writes("--out", Some(path), TABLE_ENDINGS, Outputs::default());
            return Ok(self.start.reads(self.model.as_ref(), outputs).check()?);
        }
        std::fs::create_dir_all(path).with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(studies::all().try_for_each(|study| check_output(&file_in(path, study)))?)
    }

    /// Every study that applies; which do not is told, and why.
    fn every(&self, config: &Config, target: &dyn Fn(&dyn Study) -> StudyTarget, pool: &rayon::ThreadPool) -> anyhow::Result<()> {
        let (mut failed, mut console) = (Vec::new(), Console::new());
        for study in studies::all() {
            if !self.is_wanted(&console) {
                break;
            }
            let target = target(study);
            if !self.json {
                console.line(format_args!("{}: {}", study.name(), study.summary()));
            }
            match pool.install(|| self.measure(study, &target, config, &mut console)) {
                Ok(findings) => {
                    if let Some(folder) = &self.out {
                        let table = findings.to_table(study);
                        failed.extend(write_or_keep(&file_in(folder, study), |path| table.save(path)).err().map(|error| error.to_string()));
                    }
                }
                Err(StudyError::NotApplicable(reason)) if self.json => notice(format_args!("{} does not apply: {reason}", study.name())),
                Err(StudyError::NotApplicable(reason)) => console.line(format_args!("does not apply: {reason}")),
                Err(error) => failed.push(format!("{}: {error}", study.name())),
            }
        }
        if failed.is_empty() { console.finish() } else { bail!("{}", failed.join("; ")) }
    }

    /// Whether somebody will see what is found: in a file, or on standard output.
    fn is_wanted(&self, console: &Console) -> bool {
        self.out.is_some() || console.is_open()
    }

    /// Runs a study and prints what it finds.
    fn measure(
        &self,
        study: &dyn Study,
        target: &StudyTarget,
        config: &Config,
        console: &mut Console,
    ) -> Result<StudyFindings, StudyError> {
        let options = self.options.of(study)?;
        let lines = study.prints_points() && !self.json;
        let visible = !lines && std::io::stderr().is_terminal();
        let bar = if visible { indicatif::ProgressBar::new(1) } else { indicatif::ProgressBar::hidden() };
        let (begin, mut printed) = (Instant::now(), None);
        let findings = studies::measure(study, target, &options, &mut |findings| {
            bar.set_length(findings.total as u64);
            bar.set_position(findings.done as u64);
            if lines {
                let from = printed.unwrap_or_else(|| {
                    console.line(header(findings));
                    0
                });
                findings.points[from..].iter().for_each(|point| console.line(row(findings, point)));
                printed = Some(findings.points.len());
            }
            self.is_wanted(console)
        })?;
        bar.finish_and_clear();
        if self.json {
            console.line(self.json(study, &findings, config));
        } else if let Some(text) = study.printed(&findings) {
            console.print(text);
        }
        if lines && console.is_open() {
            notice(format_args!("{} points, {:.1} s", findings.points.len(), begin.elapsed().as_secs_f64()));
        }
        Ok(findings)
    }

    fn json(&self, study: &dyn Study, findings: &StudyFindings, config: &Config) -> serde_json::Value {
        let mut object = findings.to_json(study);
        object["preset"] = config.model.name.as_str().into();
        object["model"] = self.model.as_ref().map(|path| path.display().to_string()).into();
        object["seed"] = config.dynamics.seed.into();
        object["version"] = env!("CARGO_PKG_VERSION").into();
        object
    }
}

/// The file of a study's table where all of them are measured.
fn file_in(folder: &Path, study: &dyn Study) -> PathBuf {
    folder.join(format!("{}.csv", study.name()))
}

fn header(findings: &StudyFindings) -> String {
    let figure = &findings.figure;
    format!("{:>8} {:>12} {:>12} {:>10} {:>12}", figure.series_key, "x", "measured", "error", figure.expectation.name())
}

fn row(findings: &StudyFindings, point: &studies::Point) -> String {
    let (series, expected) = (findings.series_value(point), point.expected.unwrap_or(f64::NAN));
    format!("{series:>8} {:>12.4} {:>12.5} {:>10.5} {expected:>12.5}", point.x, point.y, point.error)
}
