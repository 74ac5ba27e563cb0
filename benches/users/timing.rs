//! Whether the time of a log-in tells who has an account: known and unknown addresses with a wrong
//! password, taking turns.

use std::time::Instant;

use crate::report::Report;
use crate::stage::Stage;
use crate::{Fault, Plan};

pub async fn measure(stage: &Stage, plan: &Plan, report: &mut Report) -> Result<(), Fault> {
    eprintln!("timing: {} log-ins of each kind", plan.tries);
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for number in 0..plan.tries {
        // Each pair in the other order, so that what the first one warms up favours nobody.
        let turns = if number % 2 == 0 { [true, false] } else { [false, true] };
        for is_known in turns {
            let address = if is_known { Stage::known(number) } else { Stage::unknown(number) };
            let begun = Instant::now();
            let refused = stage.sessions().log_in(&address, "not the password", None).await;
            let took = begun.elapsed().as_secs_f64() * 1e3;
            match refused {
                Err(error) if error.detail().contains("password is wrong") => {}
                other => return Err(format!("{address}: {other:?}").into()),
            }
            if is_known { known.push(took) } else { unknown.push(took) }
        }
    }
    let (known, unknown) = (Sample::of(known), Sample::of(unknown));
    report.note("refused log-in, known address", known.to_string());
    report.note("refused log-in, unknown address", unknown.to_string());
    let t = known.welch(&unknown);
    // 2.6 is where one in a hundred comparisons of one and the same thing would end.
    report.aim(
        format!("difference over {} tries each", plan.tries),
        format!("{:+.3} ms, Welch's t {t:.2}", known.mean - unknown.mean),
        "none to be seen (|t| < 2.6)",
        t.abs() < 2.6,
    );
    Ok(())
}

/// Times in milliseconds, without the slowest twentieth: those are the machine's.
struct Sample {
    count: f64,
    mean: f64,
    deviation: f64,
    median: f64,
}

impl Sample {
    #[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    fn of(mut times: Vec<f64>) -> Self {
        times.sort_unstable_by(f64::total_cmp);
        times.truncate((times.len() * 19).div_ceil(20));
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { count, mean, deviation: variance.sqrt(), median: times[times.len() / 2] }
    }

    fn welch(&self, other: &Self) -> f64 {
        let error = |sample: &Self| sample.deviation.powi(2) / sample.count;
        (self.mean - other.mean) / (error(self) + error(other)).sqrt()
    }
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "mean {:.3} ms, median {:.3}, deviation {:.3}", self.mean, self.median, self.deviation)
    }
}
