//! Options as a study declares them: the usual values, and what it takes.

use crate::shown::{shown, suggestion};
use crate::studies::{OptionKind, OptionValue, Study, StudyError, StudyOption, StudyOptions};

impl StudyOptions {
    /// The usual values of a study.
    pub fn of(study: &dyn Study) -> Self {
        Self(study.options().iter().map(|option| (option.key.into(), option.kind.usual())).collect())
    }

    /// Sets an option from a text; one of several texts is added to them. The error names the option and what it may be.
    pub fn set(&mut self, study: &dyn Study, key: &str, text: &str) -> Result<(), StudyError> {
        let option = find(study, key)?;
        let value = option.kind.read(text).filter(|value| option.kind.allows(value)).ok_or_else(|| out_of_range(option, text))?;
        match (self.0.get_mut(key), value) {
            (Some(OptionValue::Texts(texts)), OptionValue::Texts(more)) => texts.extend(more),
            (_, value) => drop(self.0.insert(key.into(), value)),
        }
        Ok(())
    }

    /// These values, checked, and the usual ones for what is not given.
    pub fn completed(&self, study: &dyn Study) -> Result<Self, StudyError> {
        let mut all = Self::of(study);
        for (key, value) in &self.0 {
            let option = find(study, key)?;
            // A whole number is a number too, as JSON has them.
            let value = match (option.kind, value) {
                (OptionKind::Number { .. }, OptionValue::Whole(whole)) => OptionValue::Number(*whole as f64),
                _ => value.clone(),
            };
            if !option.kind.allows(&value) {
                return Err(out_of_range(option, &value.to_string()));
            }
            all.0.insert(key.clone(), value);
        }
        Ok(all)
    }
}

fn find<'a>(study: &'a dyn Study, key: &str) -> Result<&'a StudyOption, StudyError> {
    study.options().iter().find(|option| option.key == key).ok_or_else(|| {
        let known = study.options().iter().map(|option| option.key).collect::<Vec<_>>().join(", ");
        let meant = suggestion(key, study.options().iter().map(|option| option.key));
        StudyError::Option(format!("{} has no option '{}'{meant}; there are: {known}", study.name(), shown(key)))
    })
}

fn out_of_range(option: &StudyOption, text: &str) -> StudyError {
    StudyError::Option(format!("--{} {} is out of range: {}", option.key, shown(text), option.kind.range()))
}
