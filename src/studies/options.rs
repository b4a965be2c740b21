//! Options of a study: what each may be, and the values given.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an option may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptionKind {
    /// A whole number.
    Whole {
        /// Where nothing is given.
        usual: u64,
        /// Smallest value.
        least: u64,
        /// Largest value.
        most: u64,
    },
    /// A number.
    Number {
        /// Where nothing is given.
        usual: f64,
        /// Smallest value.
        least: f64,
        /// Largest value.
        most: f64,
    },
    /// One of these words; the first where nothing is given.
    Choice(&'static [&'static str]),
    /// Any text, empty where nothing is given; the study reads it.
    Text,
    /// Several texts, none where nothing is given.
    Texts,
}

/// An option of a study.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StudyOption {
    /// Its name: `--key` on the command line.
    pub key: &'static str,
    /// What it is, in one sentence.
    pub help: &'static str,
    /// What it may be.
    pub kind: OptionKind,
}

/// A value of an option.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OptionValue {
    /// Of [`OptionKind::Whole`].
    Whole(u64),
    /// Of [`OptionKind::Number`].
    Number(f64),
    /// Of [`OptionKind::Choice`] and [`OptionKind::Text`].
    Text(String),
    /// Of [`OptionKind::Texts`].
    Texts(Vec<String>),
}

/// Values of the options of a study, by key; what is not given is as usual.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StudyOptions(pub(super) BTreeMap<String, OptionValue>);

impl OptionKind {
    /// The value where nothing is given.
    pub fn usual(self) -> OptionValue {
        match self {
            Self::Whole { usual, .. } => OptionValue::Whole(usual),
            Self::Number { usual, .. } => OptionValue::Number(usual),
            Self::Choice(words) => OptionValue::Text(words.first().copied().unwrap_or_default().into()),
            Self::Text => OptionValue::Text(String::new()),
            Self::Texts => OptionValue::Texts(Vec::new()),
        }
    }

    /// What is allowed, for messages and help; empty where anything is.
    pub fn range(self) -> String {
        match self {
            Self::Whole { least, most, .. } => format!("{least} to {most}"),
            Self::Number { least, most, .. } => format!("{least} to {most}"),
            Self::Choice(words) => words.join(", "),
            Self::Text | Self::Texts => String::new(),
        }
    }

    pub(super) fn allows(self, value: &OptionValue) -> bool {
        match (self, value) {
            (Self::Whole { least, most, .. }, OptionValue::Whole(value)) => (least..=most).contains(value),
            (Self::Number { least, most, .. }, OptionValue::Number(value)) => (least..=most).contains(value),
            (Self::Choice(words), OptionValue::Text(word)) => words.contains(&word.as_str()),
            (Self::Text, OptionValue::Text(_)) | (Self::Texts, OptionValue::Texts(_)) => true,
            _ => false,
        }
    }

    pub(super) fn read(self, text: &str) -> Option<OptionValue> {
        match self {
            Self::Whole { .. } => text.parse().ok().map(OptionValue::Whole),
            Self::Number { .. } => text.parse().ok().map(OptionValue::Number),
            Self::Choice(_) | Self::Text => Some(OptionValue::Text(text.into())),
            Self::Texts => Some(OptionValue::Texts(vec![text.into()])),
        }
    }
}

impl std::fmt::Display for OptionValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(text) => write!(f, "{text}"),
            Self::Texts(texts) => write!(f, "{}", texts.join(" ")),
        }
    }
}

impl StudyOptions {
    /// One option with a text.
    pub fn with_text(key: &str, text: &str) -> Self {
        Self(BTreeMap::from([(key.into(), OptionValue::Text(text.into()))]))
    }

    /// Puts texts in place of those that there are.
    pub fn set_texts(&mut self, key: &str, texts: Vec<String>) {
        self.0.insert(key.into(), OptionValue::Texts(texts));
    }

    /// A whole number; 0 where the study has no such option.
    pub fn whole(&self, key: &str) -> u64 {
        match self.0.get(key) {
            Some(OptionValue::Whole(value)) => *value,
            _ => 0,
        }
    }

    /// A number; 0 where the study has no such option.
    pub fn number(&self, key: &str) -> f64 {
        match self.0.get(key) {
            Some(OptionValue::Number(value)) => *value,
            _ => 0.0,
        }
    }

    /// A text; empty where the study has no such option.
    pub fn text(&self, key: &str) -> &str {
        match self.0.get(key) {
            Some(OptionValue::Text(text)) => text,
            _ => "",
        }
    }

    /// Several texts; none where the study has no such option.
    pub fn texts(&self, key: &str) -> &[String] {
        match self.0.get(key) {
            Some(OptionValue::Texts(texts)) => texts,
            _ => &[],
        }
    }
}
