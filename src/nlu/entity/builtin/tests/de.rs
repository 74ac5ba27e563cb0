//! German.

use super::{Row, check, check_at};

const DATES: &[Row] = &[
    ("was ist heute fällig", &["date:heute=2026-11-23"]),
    ("morgen", &["date:morgen=2026-11-24"]),
    ("gestern war Unterricht", &["date:gestern=2026-11-22"]),
    ("übermorgen", &["date:übermorgen=2026-11-25"]),
    ("vorgestern", &["date:vorgestern=2026-11-21"]),
    ("was läuft heute Abend", &["date:heute Abend=2026-11-23"]),
    ("am Freitag", &["date:Freitag=2026-11-27"]),
    ("Montag", &["date:Montag=2026-11-30"]),
    ("diesen Montag", &["date:diesen Montag=2026-11-23"]),
    ("nächsten Freitag", &["date:nächsten Freitag=2026-12-04"]),
    ("kommenden Freitag", &["date:kommenden Freitag=2026-11-27"]),
    ("letzten Freitag", &["date:letzten Freitag=2026-11-20"]),
    ("Mittwoch nächster Woche", &["date:Mittwoch nächster Woche=2026-12-02"]),
    ("Freitag in einer Woche", &["date:Freitag in einer Woche=2026-12-04"]),
    ("nächste Woche Dienstag", &["date:nächste Woche Dienstag=2026-12-01"]),
    ("der zwanzigste diesen Monat", &["date:der zwanzigste diesen Monat=2026-12-20"]),
    ("in acht Tagen", &["date:in acht Tagen=2026-12-01"]),
    ("Freitag, den 13.", &["date:Freitag, den 13.=2027-08-13"]),
    ("in zwei Wochen", &["date:in zwei Wochen=2026-12-07"]),
    ("in einem Monat", &["date:in einem Monat=2026-12-23"]),
    ("vor drei Tagen", &["date:vor drei Tagen=2026-11-20"]),
    ("vor einem Jahr", &["date:vor einem Jahr=2025-11-23"]),
    ("am 14. März 2027", &["date:am 14. März 2027=2027-03-14"]),
    ("der 3. Oktober", &["date:der 3. Oktober=2027-10-03"]),
    ("am dritten Oktober", &["date:am dritten Oktober=2027-10-03"]),
    ("am einundzwanzigsten Juni", &["date:am einundzwanzigsten Juni=2027-06-21"]),
    ("29. Februar", &["date:29. Februar=2028-02-29"]),
    ("29. Februar 2027", &["number:29=29", "interval:Februar 2027=2027-02-01..2027-02-28"]),
    ("Montag, den 30. November", &["date:Montag, den 30. November=2026-11-30"]),
    ("14.3.2027", &["date:14.3.2027=2027-03-14"]),
    ("am 14.03.27", &["date:14.03.27=2027-03-14"]),
    ("am 24.12.", &["date:24.12.=2026-12-24"]),
    ("2027-12-31", &["date:2027-12-31=2027-12-31"]),
    ("am 3.", &["date:am 3.=2026-12-03"]),
    ("am 31.", &["date:am 31.=2026-12-31"]),
    ("Ende des Monats", &["date:Ende des Monats=2026-11-30"]),
    ("an Heiligabend", &["date:Heiligabend=2026-12-24"]),
    ("5. Mai", &["date:5. Mai=2027-05-05"]),
    ("am 5. Maerz", &["date:am 5. Maerz=2027-03-05"]),
];

const STRETCHES: &[Row] = &[
    ("diese Woche", &["interval:diese Woche=2026-11-23..2026-11-29"]),
    ("nächste Woche", &["interval:nächste Woche=2026-11-30..2026-12-06"]),
    ("letzten Monat", &["interval:letzten Monat=2026-10-01..2026-10-31"]),
    ("nächstes Jahr", &["interval:nächstes Jahr=2027-01-01..2027-12-31"]),
    ("am Wochenende", &["interval:am Wochenende=2026-11-28..2026-11-29"]),
    ("im Januar", &["interval:im Januar=2027-01-01..2027-01-31"]),
    ("Februar 2028", &["interval:Februar 2028=2028-02-01..2028-02-29"]),
    ("in den nächsten drei Tagen", &["interval:in den nächsten drei Tagen=2026-11-23..2026-11-26"]),
    ("morgen früh", &["interval:morgen früh=2026-11-24T06:00:00+01:00..2026-11-24T12:00:00+01:00"]),
    ("Freitag Abend", &["interval:Freitag Abend=2026-11-27T18:00:00+01:00..2026-11-28T00:00:00+01:00"]),
    ("von 15 bis 17 Uhr", &["interval:von 15 bis 17 Uhr=15:00:00..17:00:00"]),
    ("von 9:00 bis 10:30", &["interval:von 9:00 bis 10:30=09:00:00..10:30:00"]),
    ("zwischen Montag und Freitag", &["interval:zwischen Montag und Freitag=2026-11-30..2026-12-04"]),
    ("von morgen bis Freitag", &["interval:von morgen bis Freitag=2026-11-24..2026-11-27"]),
    (
        "morgen von 14 bis 16 Uhr",
        &["interval:morgen von 14 bis 16 Uhr=2026-11-24T14:00:00+01:00..2026-11-24T16:00:00+01:00"],
    ),
    ("vom 3. bis 5. März", &["interval:vom 3. bis 5. März=2027-03-03..2027-03-05"]),
    ("vom 3. bis zum 5. März 2028", &["interval:vom 3. bis zum 5. März 2028=2028-03-03..2028-03-05"]),
];

const TIMES: &[Row] = &[
    ("um 15 Uhr", &["time:um 15 Uhr=15:00:00"]),
    ("um 6 Uhr", &["time:um 6 Uhr=06:00:00"]),
    ("um 15:30", &["time:um 15:30=15:30:00"]),
    ("15.30 Uhr", &["time:15.30 Uhr=15:30:00"]),
    ("um 8 Uhr 45", &["time:um 8 Uhr 45=08:45:00"]),
    ("halb drei", &["time:halb drei=14:30:00"]),
    ("um halb acht", &["time:um halb acht=07:30:00"]),
    ("viertel vor neun", &["time:viertel vor neun=08:45:00"]),
    ("Viertel nach zwei", &["time:Viertel nach zwei=14:15:00"]),
    ("dreiviertel acht", &["time:dreiviertel acht=07:45:00"]),
    ("fünf vor halb drei", &["time:fünf vor halb drei=14:25:00"]),
    ("zehn nach acht", &["time:zehn nach acht=08:10:00"]),
    ("zwanzig vor sechs", &["time:zwanzig vor sechs=17:40:00"]),
    ("um Mitternacht", &["time:um Mitternacht=00:00:00"]),
    ("um 8 Uhr abends", &["time:um 8 Uhr abends=20:00:00"]),
    ("um sieben Uhr morgens", &["time:um sieben Uhr morgens=07:00:00"]),
    ("um 5", &["time:um 5=17:00:00"]),
    ("um 5 Prozent", &["percentage:5 Prozent=5"]),
    ("weck mich um acht", &["time:um acht=08:00:00"]),
    ("morgens um 6", &["time:morgens um 6=06:00:00"]),
    ("abends um 8", &["time:abends um 8=20:00:00"]),
    ("um 3 Uhr nachts", &["time:um 3 Uhr nachts=03:00:00"]),
];

const MOMENTS: &[Row] = &[
    ("morgen um 15 Uhr", &["datetime:morgen um 15 Uhr=2026-11-24T15:00:00+01:00"]),
    ("um 9 Uhr am Freitag", &["datetime:um 9 Uhr am Freitag=2026-11-27T09:00:00+01:00"]),
    ("heute Abend um 8", &["datetime:heute Abend um 8=2026-11-23T20:00:00+01:00"]),
    ("morgen früh um 7", &["datetime:morgen früh um 7=2026-11-24T07:00:00+01:00"]),
    ("nächsten Montag um halb drei", &["datetime:nächsten Montag um halb drei=2026-11-30T14:30:00+01:00"]),
    ("am Montagmorgen um 8", &["datetime:Montagmorgen um 8=2026-11-30T08:00:00+01:00"]),
    ("Freitagabend um 7", &["datetime:Freitagabend um 7=2026-11-27T19:00:00+01:00"]),
    ("heute um 24 Uhr", &["datetime:heute um 24 Uhr=2026-11-24T00:00:00+01:00"]),
    (
        "morgen von 22 bis 24 Uhr",
        &["interval:morgen von 22 bis 24 Uhr=2026-11-24T22:00:00+01:00..2026-11-25T00:00:00+01:00"],
    ),
    ("in 10 Minuten", &["datetime:in 10 Minuten=2026-11-23T10:10:00+01:00"]),
    ("vor zwei Stunden", &["datetime:vor zwei Stunden=2026-11-23T08:00:00+01:00"]),
    ("in einer halben Stunde", &["datetime:in einer halben Stunde=2026-11-23T10:30:00+01:00"]),
    ("in anderthalb Stunden", &["datetime:in anderthalb Stunden=2026-11-23T11:30:00+01:00"]),
    ("am 14. März 2027 um 15:30", &["datetime:am 14. März 2027 um 15:30=2027-03-14T15:30:00+01:00"]),
];

const RECURRENCES: &[Row] = &[
    ("jeden Montag um 9 Uhr", &["recurrence:jeden Montag um 9 Uhr=FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0"]),
    ("täglich um halb acht", &["recurrence:täglich um halb acht=FREQ=DAILY;BYHOUR=7;BYMINUTE=30"]),
    ("alle zwei Wochen", &["recurrence:alle zwei Wochen=FREQ=WEEKLY;INTERVAL=2"]),
    ("jeden ersten Montag im Monat", &["recurrence:jeden ersten Montag im Monat=FREQ=MONTHLY;BYDAY=1MO"]),
    ("jeden zweiten Tag", &["recurrence:jeden zweiten Tag=FREQ=DAILY;INTERVAL=2"]),
    ("montags und donnerstags", &["recurrence:montags und donnerstags=FREQ=WEEKLY;BYDAY=MO,TH"]),
    (
        "werktags um 6:30",
        &["recurrence:werktags um 6:30=FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=6;BYMINUTE=30"],
    ),
    ("jeden Abend um 8", &["recurrence:jeden Abend um 8=FREQ=DAILY;BYHOUR=20;BYMINUTE=0"]),
    ("am 1. jedes Monats", &["recurrence:am 1. jedes Monats=FREQ=MONTHLY;BYMONTHDAY=1"]),
];

const NOTHING: &[Row] = &[
    ("guten Morgen", &[]),
    ("gib acht", &[]),
    ("in Acht nehmen", &[]),
    ("zwischen 5 und 10 Leuten", &["number:5=5", "number:10=10"]),
    ("Achtung", &[]),
    ("bitte achten Sie darauf", &[]),
    ("ein Hund und eine Katze", &[]),
    ("am ersten", &["date:am ersten=2026-12-01"]),
    ("ruf die Schule an", &[]),
    ("das lasse ich außer Acht", &[]),
    ("rund um die Uhr", &[]),
    ("der Mai ist schön", &[]),
    ("einer von uns", &[]),
    ("erste Hilfe", &[]),
    ("2027-02-30", &[]),
    ("im Grunde", &[]),
    ("der Tag ist lang", &[]),
];

#[test]
fn dates_are_full_dates() {
    check("de", DATES);
}

#[test]
fn stretches_have_both_ends() {
    check("de", STRETCHES);
}

#[test]
fn times_and_moments() {
    check("de", TIMES);
    check("de", MOMENTS);
}

#[test]
fn recurrences_are_rules() {
    check("de", RECURRENCES);
}

#[test]
fn what_means_something_else_is_left_alone() {
    check("de", NOTHING);
}

#[test]
fn clocks_change_and_years_leap() {
    check_at(
        "de",
        "2027-03-27T12:00:00+01:00[Europe/Berlin]",
        &[
            ("morgen um 2:30", &["datetime:morgen um 2:30=2027-03-28T03:30:00+02:00"]),
            ("in 24 Stunden", &["datetime:in 24 Stunden=2027-03-28T13:00:00+02:00"]),
        ],
    );
    check_at(
        "de",
        "2026-10-24T12:00:00+02:00[Europe/Berlin]",
        &[("morgen um 2:30", &["datetime:morgen um 2:30=2026-10-25T02:30:00+02:00"])],
    );
    check_at(
        "de",
        "2028-01-31T12:00:00+01:00[Europe/Berlin]",
        &[
            ("in einem Monat", &["date:in einem Monat=2028-02-29"]),
            ("vor einem Monat", &["date:vor einem Monat=2027-12-31"]),
        ],
    );
}

#[test]
fn amounts_are_read() {
    check(
        "de",
        &[
            ("ich habe 3 Äpfel", &["number:3=3"]),
            ("einundzwanzig Leute", &["number:einundzwanzig=21"]),
            ("zweihundertfünfundvierzig Seiten", &["number:zweihundertfünfundvierzig=245"]),
            ("zweitausenddreihundert Schritte", &["number:zweitausenddreihundert=2300"]),
            ("zwei Millionen Menschen", &["number:zwei Millionen=2000000"]),
            ("1.234,5 Punkte", &["number:1.234,5=1234.5"]),
            ("3,5 Punkte", &["number:3,5=3.5"]),
            ("drei Komma fünf", &["number:drei Komma fünf=3.5"]),
            ("minus fünf", &["number:minus fünf=-5"]),
            ("das 3. Kapitel", &["ordinal:3.=3"]),
            ("die zweite Frage", &["ordinal:zweite=2"]),
            ("50 Prozent", &["percentage:50 Prozent=50"]),
            ("12,5 %", &["percentage:12,5 %=12.5"]),
            ("zehn Minuten", &["duration:zehn Minuten=PT10M"]),
            ("eine halbe Stunde", &["duration:eine halbe Stunde=PT30M"]),
            ("eine Stunde und 15 Minuten", &["duration:eine Stunde und 15 Minuten=PT1H15M"]),
            ("zweieinhalb Stunden", &["duration:zweieinhalb Stunden=PT2H30M"]),
            ("eine Dreiviertelstunde", &["duration:eine Dreiviertelstunde=PT45M"]),
            ("drei Wochen", &["duration:drei Wochen=P21D"]),
            ("5 Euro", &["money:5 Euro=5 EUR"]),
            ("3 Euro 50", &["money:3 Euro 50=3.5 EUR"]),
            ("1.299,99 €", &["money:1.299,99 €=1299.99 EUR"]),
            ("99 Cent", &["money:99 Cent=0.99 EUR"]),
            ("20 Grad", &["temperature:20 Grad=20 degree"]),
            ("minus 5 Grad Celsius", &["temperature:minus 5 Grad Celsius=-5 celsius"]),
            ("5 Kilometer", &["distance:5 Kilometer=5 kilometre"]),
            ("ruf 030 1234567 an", &["phone:030 1234567=0301234567"]),
        ],
    );
}
