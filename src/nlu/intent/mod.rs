//! Which intent an utterance has: hashed n-grams, a linear classifier, and how sure to be.

mod calibration;
mod classifier;
mod features;
mod fit;
mod linear;
mod logistic;
mod nonsense;
mod softmax;
mod space;

pub(crate) use classifier::{Classifier, Prediction};
pub(crate) use fit::{Labelled, fit};
