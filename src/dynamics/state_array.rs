//! The arrays of a state, one by one: who writes or reads them in a file needs to know no more of the state than this.

/// An array of a state: its name, its shape, and its values, to be read or overwritten.
#[derive(Debug)]
pub struct StateArray<'a> {
    /// Its name, as `x1`.
    pub name: String,
    /// Its shape, the values lying row by row; empty: a list.
    pub shape: Vec<usize>,
    /// Its values.
    pub values: StateValues<'a>,
}

/// Values in parts that follow each other.
#[derive(Debug)]
pub enum StateValues<'a> {
    /// Single precision.
    Single(Vec<&'a mut [f32]>),
    /// Double precision.
    Double(Vec<&'a mut [f64]>),
    /// Whole numbers.
    Whole(Vec<&'a mut [u32]>),
}

impl<'a> StateArray<'a> {
    /// An array of this name, shape and content.
    pub fn new(name: impl Into<String>, shape: &[usize], values: impl Into<StateValues<'a>>) -> Self {
        Self { name: name.into(), shape: shape.to_vec(), values: values.into() }
    }
}

impl StateValues<'_> {
    /// Values of each part.
    pub fn lengths(&self) -> Vec<usize> {
        match self {
            Self::Single(parts) => parts.iter().map(|part| part.len()).collect(),
            Self::Double(parts) => parts.iter().map(|part| part.len()).collect(),
            Self::Whole(parts) => parts.iter().map(|part| part.len()).collect(),
        }
    }

    /// Values in all.
    pub fn len(&self) -> usize {
        self.lengths().iter().sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds the parts of other values of the same kind behind its own.
    pub(super) fn append(&mut self, other: Self) {
        match (self, other) {
            (Self::Single(parts), Self::Single(more)) => parts.extend(more),
            (Self::Double(parts), Self::Double(more)) => parts.extend(more),
            (Self::Whole(parts), Self::Whole(more)) => parts.extend(more),
            _ => unreachable!("parts of one array are of one kind"),
        }
    }
}

impl<'a> From<&'a mut [f32]> for StateValues<'a> {
    fn from(values: &'a mut [f32]) -> Self {
        Self::Single(vec![values])
    }
}

impl<'a> From<&'a mut [f64]> for StateValues<'a> {
    fn from(values: &'a mut [f64]) -> Self {
        Self::Double(vec![values])
    }
}

impl<'a> From<&'a mut [u32]> for StateValues<'a> {
    fn from(values: &'a mut [u32]) -> Self {
        Self::Whole(vec![values])
    }
}

impl<'a, T> From<&'a mut Vec<T>> for StateValues<'a>
where
    &'a mut [T]: Into<Self>,
{
    fn from(values: &'a mut Vec<T>) -> Self {
        values.as_mut_slice().into()
    }
}
