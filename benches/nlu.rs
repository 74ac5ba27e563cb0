//! The understanding engine, alone and on one thread, with the built-in pack.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use voicera::nlu::{Context, Model, TrainOptions, TrainingData};

const PACK: &str = include_str!("../config/skills/education.en.yml");

fn understanding(criterion: &mut Criterion) {
    let Ok(data) = TrainingData::parse_yaml("education.en.yml", PACK) else {
        return;
    };
    let Ok(model) = Model::train(&data, &TrainOptions::default(), &mut |_| {}) else {
        return;
    };
    let bytes = model.to_bytes();
    let Ok(now) = "2027-03-10T09:00:00+00:00[UTC]".parse() else {
        return;
    };
    let context = Context::new(now);
    let long = "when is my physics homework due and ".repeat(3_000);

    criterion.bench_function("nlu/load the pack", |bencher| {
        bencher.iter(|| TrainingData::parse_yaml("education.en.yml", black_box(PACK)));
    });
    criterion.bench_function("nlu/train the pack", |bencher| {
        bencher.iter(|| Model::train(black_box(&data), &TrainOptions::default(), &mut |_| {}));
    });
    criterion.bench_function("nlu/read the model", |bencher| {
        bencher.iter(|| Model::from_bytes(black_box(&bytes)));
    });
    for (name, text) in [
        ("a greeting", "hello there"),
        ("a question", "when is my next physics assignment due"),
        (
            "dates and times",
            "do i have maths tomorrow at half past three or next monday at 9am",
        ),
        ("out of scope", "book me a flight to mars"),
        ("100,000 characters", long.as_str()),
    ] {
        criterion.bench_function(&format!("nlu/parse {name}"), |bencher| {
            bencher.iter(|| model.parse(black_box(text), &context));
        });
    }
}

// The macro's function takes no documentation.
#[allow(missing_docs)]
mod group {
    use super::{Criterion, criterion_group, understanding};

    criterion_group! {
        name = benches;
        config = Criterion::default().sample_size(20);
        targets = understanding
    }
}

criterion_main!(group::benches);
