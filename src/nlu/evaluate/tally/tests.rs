use super::*;

fn one(intent: &'static str, likeliest: &str, answer: &str) -> Judged<'static> {
    let some = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    Judged {
        intent: Some(intent).filter(|name| *name != OUT_OF_SCOPE),
        likeliest: some(likeliest),
        answer: some(answer),
        confidence: 0.8,
        in_scope: if answer.is_empty() { 0.2 } else { 0.9 },
        annotated: BTreeSet::new(),
        found: BTreeSet::new(),
        took: Duration::from_micros(40),
    }
}

fn spans(spans: &[(usize, usize, &str)]) -> BTreeSet<Span> {
    spans
        .iter()
        .map(|(start, end, entity)| Span { start: *start, end: *end, entity: (*entity).into() })
        .collect()
}

fn tagged(annotated: &[(usize, usize, &str)], found: &[(usize, usize, &str)]) -> Judged<'static> {
    Judged { annotated: spans(annotated), found: spans(found), ..one("a", "a", "a") }
}

fn close(found: Option<f64>, expected: f64) {
    let found = found.unwrap();
    assert!((found - expected).abs() < 1e-12, "{found} instead of {expected}");
}

#[test]
fn accuracy_is_before_the_threshold_and_in_scope_accuracy_after_it() {
    let report = tally(&[
        one("a", "a", "a"),
        one("a", "a", ""),
        one("b", "a", "a"),
        one("b", "b", "b"),
        one(OUT_OF_SCOPE, "a", ""),
        one(OUT_OF_SCOPE, "b", "b"),
    ]);
    assert_eq!((report.n, report.n_in_scope, report.n_out_of_scope), (6, 4, 2));
    close(report.intent.accuracy, 0.75);
    close(report.oos.in_scope_accuracy, 0.5);
    close(report.oos.in_scope_refused, 0.25);
    close(report.oos.recall, 0.5);
    close(report.oos.precision, 0.5);
    // Of eight pairs: 3 in scope above 1 out of scope, 1 tie below, 3 ties above.
    close(report.oos.auroc, (3.0 + 0.5 + 1.5) / 8.0);
    close(report.exact_match, 0.75);
    close(report.exact_match_at_threshold, 0.5);
}

#[test]
fn macro_f1_gives_every_intent_the_same_weight() {
    let mut cases = vec![one("a", "a", "a"); 8];
    cases.push(one("b", "a", "a"));
    cases.push(one("b", "b", "b"));
    let report = tally(&cases);
    let (a, b) = (16.0 / 17.0, 2.0 / 3.0);
    close(report.intent.macro_f1, f64::midpoint(a, b));
    close(Some(report.intent.per_intent["a"].precision), 8.0 / 9.0);
    close(Some(report.intent.per_intent["b"].recall), 0.5);
    assert_eq!(report.intent.per_intent["b"].support, 2);
}

#[test]
fn an_intent_found_that_the_data_lacks_counts_as_zero() {
    let report = tally(&[one("a", "a", "a"), one("a", "z", "z")]);
    close(report.intent.macro_f1, f64::midpoint(2.0 / 3.0, 0.0));
}

#[test]
fn confused_pairs_come_most_frequent_first_with_what_was_answered_out_of_scope() {
    let report = tally(&[
        one("b", "c", "c"),
        one("a", "b", "b"),
        one("a", "b", ""),
        one("a", "", ""),
        one(OUT_OF_SCOPE, "c", "c"),
        one(OUT_OF_SCOPE, "c", ""),
    ]);
    let pairs: Vec<_> =
        report.intent.confused.iter().map(|p| (p.expected.as_str(), p.found.as_str(), p.count)).collect();
    assert_eq!(pairs, [("a", "b", 2), ("b", "c", 1), ("oos", "c", 1)]);
}

#[test]
fn entities_count_by_exact_span_and_type() {
    let report = tally(&[
        tagged(&[(0, 4, "city"), (6, 9, "date")], &[(0, 4, "city"), (6, 9, "time")]),
        // One code point too long is wrong.
        tagged(&[(0, 4, "city"), (5, 6, "time")], &[(0, 5, "city"), (5, 6, "time")]),
    ]);
    // Right: a city and a time of four found and four annotated.
    close(report.entities.micro_f1, 0.5);
    close(report.entities.precision, 0.5);
    close(report.entities.recall, 0.5);
    close(Some(report.entities.per_entity["city"].f1), 0.5);
    close(Some(report.entities.per_entity["date"].f1), 0.0);
    close(Some(report.entities.per_entity["time"].precision), 0.5);
    close(Some(report.entities.per_entity["time"].recall), 1.0);
    close(report.exact_match, 0.0);
}

#[test]
fn types_that_the_data_does_not_annotate_are_no_mistakes() {
    let report = tally(&[
        tagged(&[(0, 4, "city")], &[(0, 4, "city"), (6, 7, "number")]),
        tagged(&[], &[(0, 4, "city")]),
    ]);
    close(report.entities.precision, 0.5);
    close(report.entities.recall, 1.0);
    close(report.entities.micro_f1, 2.0 / 3.0);
    assert!(!report.entities.per_entity.contains_key("number"));
    close(report.exact_match, 0.5);
}

#[test]
fn confidence_is_checked_against_the_likeliest_intent() {
    let report = tally(&[one("a", "a", ""), one("a", "b", "b"), one(OUT_OF_SCOPE, "a", "")]);
    close(report.calibration.ece, 0.8 - 1.0 / 3.0);
    close(report.calibration.ece_in_scope, 0.8 - 0.5);
    assert_eq!(report.calibration.bins.len(), 1);
}

#[test]
fn what_there_is_nothing_of_is_null() {
    let report = serde_json::to_value(tally(&[one("a", "a", "a")])).unwrap();
    for pointer in ["/oos/auroc", "/oos/recall", "/oos/precision", "/entities/micro_f1"] {
        assert_eq!(report.pointer(pointer), Some(&serde_json::Value::Null), "{pointer}");
    }
    assert_eq!(report.pointer("/parse_us/p99"), Some(&40.0.into()));
    let nothing = serde_json::to_value(tally(&[])).unwrap();
    for pointer in ["/intent/accuracy", "/intent/macro_f1", "/exact_match", "/calibration/ece", "/parse_us"] {
        assert_eq!(nothing.pointer(pointer), Some(&serde_json::Value::Null), "{pointer}");
    }
}
