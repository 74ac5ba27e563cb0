//! Italian.

use super::{Row, check, check_at};

const DATES: &[Row] = &[
    ("cosa ho oggi", &["date:oggi=2026-11-23"]),
    ("per domani?", &["date:domani=2026-11-24"]),
    ("era ieri", &["date:ieri=2026-11-22"]),
    ("dopodomani", &["date:dopodomani=2026-11-25"]),
    ("l'altro ieri", &["date:l'altro ieri=2026-11-21"]),
    ("cosa c'è stasera", &["date:stasera=2026-11-23"]),
    ("venerdì", &["date:venerdì=2026-11-27"]),
    ("venerdi", &["date:venerdi=2026-11-27"]),
    ("lunedì", &["date:lunedì=2026-11-30"]),
    ("questo lunedì", &["date:questo lunedì=2026-11-23"]),
    ("venerdì prossimo", &["date:venerdì prossimo=2026-11-27"]),
    ("venerdì scorso", &["date:venerdì scorso=2026-11-20"]),
    ("domenica scorsa", &["date:domenica scorsa=2026-11-22"]),
    ("mercoledì della prossima settimana", &["date:mercoledì della prossima settimana=2026-12-02"]),
    ("tra due settimane", &["date:tra due settimane=2026-12-07"]),
    ("fra tre giorni", &["date:fra tre giorni=2026-11-26"]),
    ("tra un mese", &["date:tra un mese=2026-12-23"]),
    ("tre giorni fa", &["date:tre giorni fa=2026-11-20"]),
    ("un anno fa", &["date:un anno fa=2025-11-23"]),
    ("il 14 marzo 2027", &["date:il 14 marzo 2027=2027-03-14"]),
    ("il 3 ottobre", &["date:il 3 ottobre=2027-10-03"]),
    ("il primo maggio", &["date:il primo maggio=2027-05-01"]),
    ("il 1° maggio", &["date:il 1° maggio=2027-05-01"]),
    ("il ventuno giugno", &["date:il ventuno giugno=2027-06-21"]),
    ("29 febbraio", &["date:29 febbraio=2028-02-29"]),
    ("lunedì 30 novembre", &["date:lunedì 30 novembre=2026-11-30"]),
    ("14/03/2027", &["date:14/03/2027=2027-03-14"]),
    ("l'esame del 3/4", &["date:3/4=2027-04-03"]),
    ("2027-12-31", &["date:2027-12-31=2027-12-31"]),
    ("il 3", &["date:il 3=2026-12-03"]),
    ("a fine mese", &["date:a fine mese=2026-11-30"]),
    ("a Natale", &["date:a Natale=2026-12-25"]),
    ("a ferragosto", &["date:a ferragosto=2027-08-15"]),
];

const STRETCHES: &[Row] = &[
    ("questa settimana", &["interval:questa settimana=2026-11-23..2026-11-29"]),
    ("la prossima settimana", &["interval:la prossima settimana=2026-11-30..2026-12-06"]),
    ("il mese scorso", &["interval:il mese scorso=2026-10-01..2026-10-31"]),
    ("l'anno prossimo", &["interval:l'anno prossimo=2027-01-01..2027-12-31"]),
    ("questo fine settimana", &["interval:questo fine settimana=2026-11-28..2026-11-29"]),
    ("a gennaio", &["interval:a gennaio=2027-01-01..2027-01-31"]),
    ("febbraio 2028", &["interval:febbraio 2028=2028-02-01..2028-02-29"]),
    ("i prossimi tre giorni", &["interval:i prossimi tre giorni=2026-11-23..2026-11-26"]),
    ("domani mattina", &["interval:domani mattina=2026-11-24T06:00:00+01:00..2026-11-24T12:00:00+01:00"]),
    ("venerdì sera", &["interval:venerdì sera=2026-11-27T18:00:00+01:00..2026-11-28T00:00:00+01:00"]),
    ("dalle 15 alle 17", &["interval:dalle 15 alle 17=15:00:00..17:00:00"]),
    ("dalle 3 alle 5 del pomeriggio", &["interval:dalle 3 alle 5 del pomeriggio=15:00:00..17:00:00"]),
    ("tra le nove e le undici", &["interval:tra le nove e le undici=09:00:00..11:00:00"]),
    ("tra lunedì e venerdì", &["interval:tra lunedì e venerdì=2026-11-30..2026-12-04"]),
    ("da domani a venerdì", &["interval:da domani a venerdì=2026-11-24..2026-11-27"]),
    (
        "domani dalle 3 alle 5",
        &["interval:domani dalle 3 alle 5=2026-11-24T15:00:00+01:00..2026-11-24T17:00:00+01:00"],
    ),
    ("dal 3 al 5 marzo", &["interval:dal 3 al 5 marzo=2027-03-03..2027-03-05"]),
];

const TIMES: &[Row] = &[
    ("alle 15:30", &["time:alle 15:30=15:30:00"]),
    ("alle 15.30", &["time:alle 15.30=15:30:00"]),
    ("alle 5", &["time:alle 5=17:00:00"]),
    ("alle ore 5", &["time:alle ore 5=05:00:00"]),
    ("all'una", &["time:all'una=13:00:00"]),
    ("alle nove", &["time:alle nove=09:00:00"]),
    ("alle 6 di mattina", &["time:alle 6 di mattina=06:00:00"]),
    ("alle sei del mattino", &["time:alle sei del mattino=06:00:00"]),
    ("alle otto di sera", &["time:alle otto di sera=20:00:00"]),
    ("alle tre e mezza", &["time:alle tre e mezza=15:30:00"]),
    ("alle nove e un quarto", &["time:alle nove e un quarto=09:15:00"]),
    ("le otto meno un quarto", &["time:le otto meno un quarto=07:45:00"]),
    ("alle sette e dieci", &["time:alle sette e dieci=07:10:00"]),
    ("alle otto meno venti", &["time:alle otto meno venti=07:40:00"]),
    ("a mezzogiorno", &["time:a mezzogiorno=12:00:00"]),
    ("a mezzanotte", &["time:a mezzanotte=00:00:00"]),
    ("alle venti e trenta", &["time:alle venti e trenta=20:30:00"]),
    ("sono le tre", &["time:sono le tre=15:00:00"]),
    ("alle tre di notte", &["time:alle tre di notte=03:00:00"]),
];

const MOMENTS: &[Row] = &[
    ("domani alle 15", &["datetime:domani alle 15=2026-11-24T15:00:00+01:00"]),
    ("alle 9 di venerdì", &["datetime:alle 9 di venerdì=2026-11-27T09:00:00+01:00"]),
    ("stasera alle 8", &["datetime:stasera alle 8=2026-11-23T20:00:00+01:00"]),
    ("domani mattina alle 9", &["datetime:domani mattina alle 9=2026-11-24T09:00:00+01:00"]),
    ("venerdì 27 alle 21", &["datetime:venerdì 27 alle 21=2026-11-27T21:00:00+01:00"]),
    ("tra 10 minuti", &["datetime:tra 10 minuti=2026-11-23T10:10:00+01:00"]),
    ("due ore fa", &["datetime:due ore fa=2026-11-23T08:00:00+01:00"]),
    ("tra mezz'ora", &["datetime:tra mezz'ora=2026-11-23T10:30:00+01:00"]),
    ("fra un'ora", &["datetime:fra un'ora=2026-11-23T11:00:00+01:00"]),
    ("il 14 marzo 2027 alle 15:30", &["datetime:il 14 marzo 2027 alle 15:30=2027-03-14T15:30:00+01:00"]),
    ("lunedì alle tre e mezza", &["datetime:lunedì alle tre e mezza=2026-11-30T15:30:00+01:00"]),
];

const RECURRENCES: &[Row] = &[
    ("ogni lunedì alle 9", &["recurrence:ogni lunedì alle 9=FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0"]),
    (
        "tutti i giorni a mezzogiorno",
        &["recurrence:tutti i giorni a mezzogiorno=FREQ=DAILY;BYHOUR=12;BYMINUTE=0"],
    ),
    ("ogni martedì e giovedì", &["recurrence:ogni martedì e giovedì=FREQ=WEEKLY;BYDAY=TU,TH"]),
    ("ogni due settimane", &["recurrence:ogni due settimane=FREQ=WEEKLY;INTERVAL=2"]),
    ("ogni sera alle 8", &["recurrence:ogni sera alle 8=FREQ=DAILY;BYHOUR=20;BYMINUTE=0"]),
    ("il primo di ogni mese", &["recurrence:il primo di ogni mese=FREQ=MONTHLY;BYMONTHDAY=1"]),
    ("a giorni alterni", &["recurrence:a giorni alterni=FREQ=DAILY;INTERVAL=2"]),
];

const NOTHING: &[Row] = &[
    ("secondo me va bene", &[]),
    ("prima di cena", &[]),
    ("tu sei bravo", &[]),
    ("chi sei", &[]),
    ("un cane e una gatta", &[]),
    ("chiama la scuola", &[]),
    ("buongiorno", &[]),
    ("buona sera", &[]),
    ("grazie mille", &[]),
    ("2027-02-30", &[]),
    ("uno di loro", &[]),
    ("l'ora di pranzo", &[]),
    ("milano e torino", &[]),
    ("mezza mela", &[]),
];

#[test]
fn dates_are_full_dates() {
    check("it", DATES);
}

#[test]
fn stretches_have_both_ends() {
    check("it", STRETCHES);
}

#[test]
fn times_and_moments() {
    check("it", TIMES);
    check("it", MOMENTS);
}

#[test]
fn recurrences_are_rules() {
    check("it", RECURRENCES);
}

#[test]
fn what_means_something_else_is_left_alone() {
    check("it", NOTHING);
}

#[test]
fn clocks_change_and_years_leap() {
    check_at(
        "it",
        "2027-03-27T12:00:00+01:00[Europe/Rome]",
        &[
            ("domani alle 2:30", &["datetime:domani alle 2:30=2027-03-28T03:30:00+02:00"]),
            ("tra 24 ore", &["datetime:tra 24 ore=2027-03-28T13:00:00+02:00"]),
        ],
    );
    check_at(
        "it",
        "2028-01-31T12:00:00+01:00[Europe/Rome]",
        &[("tra un mese", &["date:tra un mese=2028-02-29"]), ("un mese fa", &["date:un mese fa=2027-12-31"])],
    );
}

#[test]
fn amounts_are_read() {
    check(
        "it",
        &[
            ("ho 3 mele", &["number:3=3"]),
            ("ventun studenti", &["number:ventun=21"]),
            ("ventitré studenti", &["number:ventitré=23"]),
            ("duecentoquarantacinque pagine", &["number:duecentoquarantacinque=245"]),
            ("duemilatrecento passi", &["number:duemilatrecento=2300"]),
            ("centottanta", &["number:centottanta=180"]),
            ("un milione di persone", &["number:un milione=1000000"]),
            ("1.234,5 punti", &["number:1.234,5=1234.5"]),
            ("tre virgola cinque", &["number:tre virgola cinque=3.5"]),
            ("il 2º capitolo", &["ordinal:2º=2"]),
            ("la terza domanda", &["ordinal:terza=3"]),
            ("il secondo capitolo", &["ordinal:secondo=2"]),
            ("aspetta un secondo", &["duration:un secondo=PT1S"]),
            ("50 per cento", &["percentage:50 per cento=50"]),
            ("12,5 %", &["percentage:12,5 %=12.5"]),
            ("dieci minuti", &["duration:dieci minuti=PT10M"]),
            ("mezz'ora", &["duration:mezz'ora=PT30M"]),
            ("un'ora e mezza", &["duration:un'ora e mezza=PT1H30M"]),
            ("due ore e quindici minuti", &["duration:due ore e quindici minuti=PT2H15M"]),
            ("tre settimane", &["duration:tre settimane=P21D"]),
            ("5 euro", &["money:5 euro=5 EUR"]),
            ("3 euro e 50", &["money:3 euro e 50=3.5 EUR"]),
            ("1.299,99 €", &["money:1.299,99 €=1299.99 EUR"]),
            ("20 gradi", &["temperature:20 gradi=20 degree"]),
            ("meno 5 gradi centigradi", &["temperature:meno 5 gradi centigradi=-5 celsius"]),
            ("5 chilometri", &["distance:5 chilometri=5 kilometre"]),
            ("chiama il +39 06 1234567", &["phone:+39 06 1234567=+39061234567"]),
        ],
    );
}
