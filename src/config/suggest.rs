//! "Did you mean": the closest known word to a mistyped one.

/// The candidate closest to `word`, if one is close enough that a person could have meant it.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer than any key: comparing would cost more than the hint is worth.
    if word.len() > 128 {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= tolerance(word, candidate))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many slips are forgiven: one in three characters, at least one.
fn tolerance(word: &str, candidate: &str) -> usize {
    (word.chars().count().min(candidate.chars().count()) / 3).max(1)
}

/// The edit distance with transpositions ("optimal string alignment"): insert, delete, replace, swap.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let mut cost = (last[j + 1] + 1).min(row[j] + 1).min(last[j] + usize::from(x != y));
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                cost = cost.min(before_last[j - 1] + 1);
            }
            row.push(cost);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_counted() {
        for (a, b, expected) in [
            ("listen", "listen", 0),
            ("listen", "listne", 1),
            ("listen", "listn", 1),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("größe", "grösse", 2),
        ] {
            assert_eq!(distance(a, b), expected, "{a} and {b}");
        }
    }

    #[test]
    fn only_what_someone_could_have_meant_is_suggested() {
        let keys = ["server.listen", "server.role", "storage.kind"];
        assert_eq!(closest("servr.listen", keys), Some("server.listen"));
        assert_eq!(closest("weather", keys), None);
        assert_eq!(closest(&"x".repeat(500), keys), None);
    }
}
