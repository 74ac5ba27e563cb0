use super::*;

/// A Wednesday.
const NOW: &str = "2027-03-10T09:00:00+01:00[+01:00]";

fn all(original: &str, now: &str) -> Vec<(String, String, Value, bool)> {
    let now: Zoned = now.parse().unwrap();
    let text = Text::new(original);
    let mut candidates = Vec::new();
    find(&text, Clock { now: &now, english: true }, &mut candidates);
    let (entities, dependent) = super::super::settle(original, &text, candidates);
    entities.into_iter().map(|entity| (entity.entity, entity.text, entity.value, dependent)).collect()
}

/// Each row: a sentence, and all that is found in it as `type:text=value`.
fn check(rows: &[(&str, &[&str])]) {
    for (sentence, wanted) in rows {
        let found: Vec<String> = all(sentence, NOW)
            .into_iter()
            .map(|(entity, text, value, _)| match value {
                Value::String(value) => format!("{entity}:{text}={value}"),
                value => format!("{entity}:{text}={value}"),
            })
            .collect();
        assert_eq!(&found, wanted, "{sentence}");
    }
}

#[test]
fn numbers_are_read_in_digits_and_words() {
    check(&[
        ("I have 3 apples", &["number:3=3"]),
        ("pay 1,250.50 now", &["number:1,250.50=1250.5"]),
        ("it is -4 outside", &["number:-4=-4"]),
        ("twenty-one people", &["number:twenty-one=21"]),
        ("twenty one people", &["number:twenty one=21"]),
        ("a hundred and five ways", &["number:a hundred and five=105"]),
        ("two thousand and twelve steps", &["number:two thousand and twelve=2012"]),
        (
            "three hundred forty five thousand six hundred",
            &["number:three hundred forty five thousand six hundred=345600"],
        ),
        ("2 million users", &["number:2 million=2000000"]),
        ("three point one four", &["number:three point one four=3.14"]),
        ("two dozen eggs", &["number:two dozen=24"]),
        ("this one and that one", &[]),
        ("one apple", &["number:one=1"]),
        ("play the mp3", &[]),
        ("version 3.4.5", &[]),
        ("4x4 drive", &[]),
        ("someone often attends", &[]),
    ]);
}

#[test]
fn ordinals_are_not_units_of_time() {
    check(&[
        ("the 3rd chapter", &["ordinal:3rd=3"]),
        ("my second attempt", &["ordinal:second=2"]),
        ("the twenty-first century", &["ordinal:twenty-first=21"]),
        ("wait a second", &["duration:a second=PT1S"]),
        ("the 22th", &[]),
        ("first, open the book", &[]),
    ]);
}

#[test]
fn percentages_are_read() {
    check(&[
        ("I scored 87.5%", &["percentage:87.5%=87.5"]),
        ("ten percent off", &["percentage:ten percent=10"]),
        ("5 per cent", &["percentage:5 per cent=5"]),
    ]);
}

#[test]
fn durations_are_iso_8601() {
    check(&[
        ("ten minutes", &["duration:ten minutes=PT10M"]),
        ("for 1h30m", &["duration:1h30m=PT1H30M"]),
        ("two and a half hours", &["duration:two and a half hours=PT2H30M"]),
        ("an hour and a half", &["duration:an hour and a half=PT1H30M"]),
        ("half an hour", &["duration:half an hour=PT30M"]),
        ("1.5 hours", &["duration:1.5 hours=PT1H30M"]),
        ("2 hours and 15 minutes", &["duration:2 hours and 15 minutes=PT2H15M"]),
        ("three weeks", &["duration:three weeks=P21D"]),
        ("1 year and 2 months", &["duration:1 year and 2 months=P1Y2M"]),
        ("a couple of days", &["duration:a couple of days=P2D"]),
        ("a ten-minute break", &["duration:ten-minute=PT10M"]),
        ("5 s", &["number:5=5"]),
        ("90s", &["duration:90s=PT1M30S"]),
        ("twice a day", &[]),
    ]);
}

#[test]
fn dates_are_full_dates() {
    check(&[
        ("today", &["date:today=2027-03-10"]),
        ("due tomorrow?", &["date:tomorrow=2027-03-11"]),
        ("yesterday", &["date:yesterday=2027-03-09"]),
        ("the day after tomorrow", &["date:the day after tomorrow=2027-03-12"]),
        ("the day before yesterday", &["date:the day before yesterday=2027-03-08"]),
        ("friday", &["date:friday=2027-03-12"]),
        ("on wednesday", &["date:wednesday=2027-03-17"]),
        ("this wednesday", &["date:this wednesday=2027-03-10"]),
        ("next monday", &["date:next monday=2027-03-15"]),
        ("next friday", &["date:next friday=2027-03-19"]),
        ("last friday", &["date:last friday=2027-03-05"]),
        ("last wednesday", &["date:last wednesday=2027-03-03"]),
        ("in two weeks", &["date:in two weeks=2027-03-24"]),
        ("three days ago", &["date:three days ago=2027-03-07"]),
        ("a week from now", &["date:a week from now=2027-03-17"]),
        ("next week", &["date:next week=2027-03-15"]),
        ("last month", &["date:last month=2027-02-01"]),
        ("next year", &["date:next year=2028-01-01"]),
        ("this weekend", &["date:this weekend=2027-03-13"]),
        ("14 march 2027", &["date:14 march 2027=2027-03-14"]),
        ("the 14th of march", &["date:the 14th of march=2027-03-14"]),
        ("March 14th, 2028", &["date:March 14th, 2028=2028-03-14"]),
        ("january 5", &["date:january 5=2028-01-05"]),
        ("feb 29", &["date:feb 29=2028-02-29"]),
        ("in january", &["date:in january=2028-01-01"]),
        ("2027-12-31", &["date:2027-12-31=2027-12-31"]),
        ("12/25/2027", &["date:12/25/2027=2027-12-25"]),
        ("25/12/2027", &["date:25/12/2027=2027-12-25"]),
        ("1.4.2027", &["date:1.4.2027=2027-04-01"]),
        ("on the 3rd", &["date:on the 3rd=2027-04-03"]),
        ("on the 31st", &["date:on the 31st=2027-03-31"]),
    ]);
}

#[test]
fn what_is_no_date_is_none() {
    check(&[
        ("on the second floor", &["ordinal:second=2"]),
        ("you may go", &[]),
        ("march on", &[]),
        ("i sat in the sun", &[]),
        ("2027-02-30", &[]),
        ("the last one", &[]),
    ]);
}

#[test]
fn times_are_partial_times() {
    check(&[
        ("3pm", &["time:3pm=15:00:00"]),
        ("at 3 p.m.", &["time:at 3 p.m.=15:00:00"]),
        ("12am", &["time:12am=00:00:00"]),
        ("12 pm", &["time:12 pm=12:00:00"]),
        ("at noon", &["time:at noon=12:00:00"]),
        ("midnight", &["time:midnight=00:00:00"]),
        ("15:30", &["time:15:30=15:30:00"]),
        ("3:30 pm", &["time:3:30 pm=15:30:00"]),
        ("half past four", &["time:half past four=16:30:00"]),
        ("a quarter to nine in the evening", &["time:a quarter to nine in the evening=20:45:00"]),
        ("ten past eight", &["time:ten past eight=08:10:00"]),
        ("nine o'clock", &["time:nine o'clock=09:00:00"]),
        ("six in the morning", &["time:six in the morning=06:00:00"]),
        ("at 5", &["time:at 5=17:00:00"]),
        ("three thirty pm", &["time:three thirty pm=15:30:00"]),
        ("at 5 percent", &["percentage:5 percent=5"]),
        ("25:00", &[]),
    ]);
}

#[test]
fn moments_carry_the_callers_offset() {
    check(&[
        ("tomorrow at 3pm", &["datetime:tomorrow at 3pm=2027-03-11T15:00:00+01:00"]),
        ("at 9 on friday", &["datetime:at 9 on friday=2027-03-12T09:00:00+01:00"]),
        ("in 10 minutes", &["datetime:in 10 minutes=2027-03-10T09:10:00+01:00"]),
        ("two hours ago", &["datetime:two hours ago=2027-03-10T07:00:00+01:00"]),
        ("14 march 2027, 15:30", &["datetime:14 march 2027, 15:30=2027-03-14T15:30:00+01:00"]),
        ("half an hour from now", &["datetime:half an hour from now=2027-03-10T09:30:00+01:00"]),
    ]);
}

#[test]
fn a_moment_that_summer_time_skips_is_moved_behind_it() {
    let now = "2027-03-27T12:00:00+01:00[Europe/Berlin]";
    let Ok(_) = now.parse::<Zoned>() else { return };
    assert_eq!(
        all("tomorrow at 2:30", now).first().map(|found| found.2.clone()),
        Some("2027-03-28T03:30:00+02:00".into())
    );
    // 24 hours are not a day when the clocks change.
    assert_eq!(
        all("in 24 hours", now).first().map(|found| found.2.clone()),
        Some("2027-03-28T13:00:00+02:00".into())
    );
}

#[test]
fn addresses_keep_their_case() {
    check(&[
        (
            "mail Ann.Lee@School.edu today",
            &["email:Ann.Lee@School.edu=Ann.Lee@School.edu", "date:today=2027-03-10"],
        ),
        ("open https://x.org/3?a=4", &["url:https://x.org/3?a=4=https://x.org/3?a=4"]),
    ]);
}

#[test]
fn only_values_that_hang_on_the_clock_say_so() {
    assert!(all("tomorrow", NOW)[0].3);
    assert!(all("in ten minutes", NOW)[0].3);
    assert!(!all("14 march 2027 at noon", NOW)[0].3);
    assert!(!all("three", NOW)[0].3);
}

#[test]
fn other_languages_read_digits_only() {
    let now: Zoned = NOW.parse().unwrap();
    let text = Text::new("drei one 7 um 15:30 am 2027-03-14, 3 %");
    let mut candidates = Vec::new();
    find(&text, Clock { now: &now, english: false }, &mut candidates);
    let names: Vec<&str> = candidates.iter().map(|candidate| candidate.entity.as_str()).collect();
    assert_eq!(names, ["number", "time", "date", "percentage"]);
}
