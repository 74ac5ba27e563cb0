//! Italian.
//!
//! "Venerdì prossimo" is the coming friday. "Un", "una" and "uno" are articles: they count only
//! before a unit. "Secondo" is a unit behind a number or "un", an ordinal behind "il", and nothing
//! in "secondo me". "Sei" is six, but not behind "tu" or before "tu". "Alle 5" is a waking hour,
//! "alle ore 5" is five in the morning.

use jiff::civil::Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};

use crate::nlu::entity::builtin::tongue::Part::{Afternoon, Evening, Morning, Night};
use crate::nlu::entity::builtin::tongue::{Guard, Op, Rules, Section, Sense, Tongue, Unit, When, Which};

pub(super) static ITALIAN: Tongue = Tongue {
    decimal: ",",
    thousands: ".",
    numbers: NUMBERS,
    written: Some(written),
    thousand_inside: &["mila", "mille"],
    hundreds_links: &["", "e"],
    scale_links: &["", "e"],
    point: &["virgola"],
    minus: &["meno"],
    ones: &["un", "una", "uno"],
    and_half: &["e mezza", "e mezzo"],
    and: &[",", "e", "ed"],
    ordinals: ORDINALS,
    ordinal_suffixes: &["o", "a", "°"],
    weekdays: &[
        ("lunedì", Monday),
        ("martedì", Tuesday),
        ("mercoledì", Wednesday),
        ("giovedì", Thursday),
        ("venerdì", Friday),
        ("sabato", Saturday),
        ("domenica", Sunday),
    ],
    months: &[
        ("gennaio", 1),
        ("febbraio", 2),
        ("marzo", 3),
        ("aprile", 4),
        ("maggio", 5),
        ("giugno", 6),
        ("luglio", 7),
        ("agosto", 8),
        ("settembre", 9),
        ("ottobre", 10),
        ("novembre", 11),
        ("dicembre", 12),
    ],
    units: &[
        ("secondo", Unit::Second),
        ("secondi", Unit::Second),
        ("minuto", Unit::Minute),
        ("minuti", Unit::Minute),
        ("min", Unit::Minute),
        ("ora", Unit::Hour),
        ("ore", Unit::Hour),
        ("giorno", Unit::Day),
        ("giorni", Unit::Day),
        ("settimana", Unit::Week),
        ("settimane", Unit::Week),
        ("mese", Unit::Month),
        ("mesi", Unit::Month),
        ("anno", Unit::Year),
        ("anni", Unit::Year),
    ],
    measures: &[
        ("chilometro", "kilometre"),
        ("chilometri", "kilometre"),
        ("metro", "metre"),
        ("metri", "metre"),
        ("centimetro", "centimetre"),
        ("centimetri", "centimetre"),
        ("millimetri", "millimetre"),
        ("miglia", "mile"),
        ("miglio", "mile"),
        ("pollici", "inch"),
    ],
    currencies: &[
        ("euro", "EUR"),
        ("dollaro", "USD"),
        ("dollari", "USD"),
        ("yen", "JPY"),
        ("rubli", "RUB"),
        ("rupie", "INR"),
    ],
    moment_links: &[",", "di", "del"],
    before_date: &["il", "del", "dal", "al", "entro", "per"],
    clause: &[
        "alle", "e", "o", "domani", "oggi", "il", "per", "con", "in", "ogni", "di", "del", "che", "ma", "se",
        "fino", "perché", "quando", "a", "al",
    ],
    guards: GUARDS,
    rules: RULES,
    ..Tongue::NEUTRAL
};

const UNITS: [&str; 20] = [
    "",
    "uno",
    "due",
    "tre",
    "quattro",
    "cinque",
    "sei",
    "sette",
    "otto",
    "nove",
    "dieci",
    "undici",
    "dodici",
    "tredici",
    "quattordici",
    "quindici",
    "sedici",
    "diciassette",
    "diciotto",
    "diciannove",
];
const TENS: [&str; 10] =
    ["", "", "venti", "trenta", "quaranta", "cinquanta", "sessanta", "settanta", "ottanta", "novanta"];

/// "Duecentoquarantacinque", with elisions and accents as they are written.
fn written(number: u32) -> Vec<String> {
    let word = |table: &[&'static str], index: u32| {
        usize::try_from(index).ok().and_then(|index| table.get(index).copied()).unwrap_or_default()
    };
    let (hundreds, rest) = (number / 100, number % 100);
    let mut below = if rest < 20 {
        vec![word(&UNITS, rest).to_owned()]
    } else {
        let (tens, unit) = (word(&TENS, rest / 10), word(&UNITS, rest % 10));
        let stem = tens.get(..tens.len().saturating_sub(1)).unwrap_or_default();
        match rest % 10 {
            1 => vec![format!("{stem}uno"), format!("{stem}un")],
            8 => vec![format!("{stem}otto")],
            3 => vec![format!("{tens}tré"), format!("{tens}tre")],
            _ => vec![format!("{tens}{unit}")],
        }
    };
    if rest == 3 && hundreds > 0 {
        below.push("tré".to_owned());
    }
    match hundreds {
        0 if rest == 1 => Vec::new(),
        0 => below,
        _ => {
            let head =
                if hundreds == 1 { "cento".to_owned() } else { word(&UNITS, hundreds).to_owned() + "cento" };
            let mut all: Vec<String> = below.iter().map(|below| format!("{head}{below}")).collect();
            // "Centotto", "centottanta".
            all.extend(below.iter().filter(|below| below.starts_with("ott")).map(|below| {
                head.get(..head.len().saturating_sub(1)).unwrap_or_default().to_owned() + below
            }));
            all
        }
    }
}

const NUMBERS: &[(&str, f64)] = &[
    ("zero", 0.0),
    ("un", 1.0),
    ("una", 1.0),
    ("uno", 1.0),
    ("mille", 1e3),
    ("mila", 1e3),
    ("milione", 1e6),
    ("milioni", 1e6),
    ("miliardo", 1e9),
    ("miliardi", 1e9),
];

const ORDINALS: &[(&str, u32)] = &[
    ("primo", 1),
    ("prima", 1),
    ("secondo", 2),
    ("seconda", 2),
    ("terzo", 3),
    ("terza", 3),
    ("quarto", 4),
    ("quarta", 4),
    ("quinto", 5),
    ("quinta", 5),
    ("sesto", 6),
    ("sesta", 6),
    ("settimo", 7),
    ("settima", 7),
    ("ottavo", 8),
    ("ottava", 8),
    ("nono", 9),
    ("nona", 9),
    ("decimo", 10),
    ("decima", 10),
    ("undicesimo", 11),
    ("dodicesimo", 12),
    ("ventesimo", 20),
];

const POINTS: &[&str] = &[
    "il", "la", "lo", "mio", "mia", "tuo", "tua", "suo", "sua", "del", "della", "nel", "nella", "al", "alla",
    "questo", "questa",
];

const GUARDS: &[Guard] = &[
    ("secondo", Sense::Ordinal, When::OnlyAfter(POINTS)),
    (
        "secondo",
        Sense::Any,
        When::NotBefore(&["me", "te", "lui", "lei", "noi", "voi", "loro", "il", "la", "lo"]),
    ),
    ("prima", Sense::Ordinal, When::OnlyAfter(POINTS)),
    ("prima", Sense::Ordinal, When::NotBefore(&["di", "che"])),
    ("quarto", Sense::Ordinal, When::OnlyAfter(POINTS)),
    (
        "sei",
        Sense::Any,
        When::NotAfter(&["tu", "ci", "chi", "dove", "come", "non", "se", "che", "^", "cosa"]),
    ),
    (
        "sei",
        Sense::Any,
        When::NotBefore(&["tu", "un", "una", "il", "la", "stato", "stata", "sicuro", "sicura"]),
    ),
    ("mille", Sense::Any, When::NotAfter(&["grazie"])),
    ("mattina", Sense::Start, When::NotAfter(&["buona"])),
];

const RULES: &[(Section, Rules)] = &[
    (
        Section::Part,
        &[
            ("(mattina|mattino|di mattina|del mattino|della mattina|al mattino)", Op::Part(Morning)),
            ("(pomeriggio|di pomeriggio|del pomeriggio|nel pomeriggio)", Op::Part(Afternoon)),
            ("(sera|di sera|della sera|alla sera)", Op::Part(Evening)),
            ("(notte|di notte|della notte)", Op::Part(Night)),
        ],
    ),
    (
        Section::Duration,
        &[
            ("(mezz ' ora|mezzora|mezza ora)", Op::Fixed(30)),
            ("un ' ora", Op::Fixed(60)),
            ("un ' ora e mezza", Op::Fixed(90)),
            ("un ' ora e un quarto", Op::Fixed(75)),
            ("(mezza|mezzo) {unit}", Op::Amount(0.5)),
            ("(un quarto d ' ora|quarto d ' ora)", Op::Fixed(15)),
            ("(tre quarti d ' ora)", Op::Fixed(45)),
            ("(un paio di) {unit}", Op::Amount(2.0)),
        ],
    ),
    (
        Section::Time,
        &[
            ("(a|verso) mezzogiorno", Op::At(12, 0)),
            ("mezzogiorno", Op::At(12, 0)),
            ("[a] mezzanotte", Op::At(0, 0)),
            ("[a] mezzogiorno e mezzo", Op::At(12, 30)),
            ("(alle|verso le|dalle|le) [ore] {clock}", Op::Time),
            ("(alle|dalle|ore|alle ore) {dotted}", Op::Time),
            ("ore {clock}", Op::Time),
            ("(alle|verso le|dalle|per le|entro le|sono le) {hour}", Op::Hour(0)),
            ("(all ' una|l ' una)", Op::At(13, 0)),
            ("all ' una e mezza", Op::At(13, 30)),
            ("all ' una di notte", Op::At(1, 0)),
            ("[le] {hour}", Op::HourParted),
            ("(alle ore|ore) {hour}", Op::Hour24(0)),
            ("(alle|le|verso le) {hour} (e mezza|e mezzo)", Op::Hour(30)),
            ("(alle|le|verso le) {hour} e un quarto", Op::Hour(15)),
            ("(alle|le|verso le) {hour} e tre quarti", Op::Hour(45)),
            ("(alle|le|verso le) {hour} meno un quarto", Op::Hour(-15)),
            ("(alle|le|verso le) {hour} e {minute}", Op::HourMinute),
            ("alle {hour} {minute}", Op::HourMinute),
            ("(alle|le|verso le) {hour} meno {minute}", Op::Minutes(-1)),
            ("[a] un quarto alle {hour}", Op::Hour(-15)),
        ],
    ),
    (Section::Edge, &[("(le|ore) {hour}", Op::Hour(0))]),
    (
        Section::Date,
        &[
            ("oggi", Op::Day(0)),
            ("(stasera|stanotte|questa sera)", Op::Tonight),
            ("(stamattina|stamani|questa mattina)", Op::TodayPart(Morning)),
            ("(oggi pomeriggio|questo pomeriggio)", Op::TodayPart(Afternoon)),
            ("ieri sera", Op::DayPart(-1, Evening)),
            ("domani", Op::Day(1)),
            ("(dopodomani|dopo domani)", Op::Day(2)),
            ("ieri", Op::Day(-1)),
            ("(l ' altro ieri|altro ieri|avantieri)", Op::Day(-2)),
            ("{weekday}", Op::Weekday(Which::Coming)),
            ("{weekday} {day}", Op::WeekdayDay),
            ("(questo|questa) {weekday}", Op::Weekday(Which::This)),
            ("{weekday} (prossimo|prossima)", Op::Weekday(Which::Coming)),
            ("(il prossimo|la prossima|prossimo|prossima) {weekday}", Op::Weekday(Which::Coming)),
            ("{weekday} (scorso|scorsa|passato|passata)", Op::Weekday(Which::Last)),
            ("(lo scorso|la scorsa) {weekday}", Op::Weekday(Which::Last)),
            ("{weekday} della (prossima settimana|settimana prossima)", Op::WeekdayOfWeek(1)),
            ("{weekday} della (scorsa settimana|settimana scorsa)", Op::WeekdayOfWeek(-1)),
            ("{weekday} di questa settimana", Op::WeekdayOfWeek(0)),
            ("(tra|fra|entro) {dur}", Op::From(1)),
            ("{dur} fa", Op::From(-1)),
            ("[il|l ' |al|dal|del] {day} {month} [(del|,)] [{year}]", Op::Calendar),
            ("(il|il giorno) {day}", Op::DayOfMonthBare),
            ("[a|alla] fine [del] mese", Op::MonthEnd(0)),
            ("[alla] fine del (prossimo mese|mese prossimo)", Op::MonthEnd(1)),
            ("[all ' ] inizio del (prossimo mese|mese prossimo)", Op::MonthStart(1)),
            ("[a|alla] fine [dell '] anno", Op::YearEnd(0)),
            ("[a|il giorno di] natale [{year}]", Op::Feast(12, 25)),
            ("[la] vigilia di natale", Op::Feast(12, 24)),
            ("[a] (capodanno)", Op::Feast(1, 1)),
            ("[a] san silvestro", Op::Feast(12, 31)),
            ("[a] ferragosto", Op::Feast(8, 15)),
        ],
    ),
    (
        Section::Interval,
        &[
            ("questa settimana", Op::Week(0)),
            ("[la] (prossima settimana|settimana prossima)", Op::Week(1)),
            ("[la] (scorsa settimana|settimana scorsa|settimana passata)", Op::Week(-1)),
            ("(questo|il|nel) (fine settimana|weekend)", Op::Weekend(0)),
            ("[il] (prossimo fine settimana|prossimo weekend)", Op::Weekend(1)),
            ("[lo] scorso (fine settimana|weekend)", Op::Weekend(-1)),
            ("questo mese", Op::Month(0)),
            ("[il] (prossimo mese|mese prossimo)", Op::Month(1)),
            ("[il|lo] (mese scorso|scorso mese)", Op::Month(-1)),
            ("quest ' anno", Op::Year(0)),
            ("(l ' anno prossimo|il prossimo anno)", Op::Year(1)),
            ("(l ' anno scorso|lo scorso anno)", Op::Year(-1)),
            ("(a|in|da) {month} [(del)] [{year}]", Op::NamedMonth(Which::This)),
            ("{month} [del] {year}", Op::NamedMonth(Which::This)),
            ("{month} scorso", Op::NamedMonth(Which::Last)),
            ("(nel) {year}", Op::NamedYear),
            ("(i|le|nei|nelle|gli) (prossimi|prossime) {dur}", Op::Span(1)),
            ("(gli|le|negli|nelle) (ultimi|ultime|scorsi|scorse) {dur}", Op::Span(-1)),
            ("(da|dal|dalla) {edge} (a|al|alla|fino a|fino al|fino alle) {edge}", Op::Between),
            ("dalle [ore] {edge} (alle|alle ore|fino alle) {edge}", Op::BetweenHours),
            ("(tra|fra) {edge} e {edge}", Op::Between),
            ("(dal|tra il) {day} (al|e il) {day} {month} [{year}]", Op::Days),
        ],
    ),
    (
        Section::Recurrence,
        &[
            ("ogni {unit}", Op::Every),
            ("(tutti i|tutte le) {unit}", Op::Every),
            ("ogni {n} {unit}", Op::Every),
            ("(un giorno sì e uno no|a giorni alterni)", Op::Alternate),
            ("(il|ogni) {day} {weekday} (di ogni|del) mese", Op::NthWeekday),
            ("ogni {weekdays}", Op::EveryWeekdays),
            ("(tutti i|tutte le|il|di|la) {weekdays} di ogni settimana", Op::EveryWeekdays),
            ("(tutti i|tutte le) {weekdays}", Op::EveryWeekdays),
            ("(quotidianamente|giornalmente)", Op::Each(Unit::Day)),
            ("settimanalmente", Op::Each(Unit::Week)),
            ("mensilmente", Op::Each(Unit::Month)),
            ("annualmente", Op::Each(Unit::Year)),
            (
                "(nei giorni feriali|tutti i giorni feriali|dal lunedì al venerdì|ogni giorno feriale)",
                Op::Workdays,
            ),
            ("(ogni fine settimana|nei fine settimana|tutti i weekend|ogni weekend)", Op::Weekends),
            ("(ogni mattina|tutte le mattine)", Op::Daily(Morning)),
            ("(ogni pomeriggio|tutti i pomeriggi)", Op::Daily(Afternoon)),
            ("(ogni sera|tutte le sere)", Op::Daily(Evening)),
            ("il {day} (di ogni|del) mese", Op::MonthDay),
            ("ogni anno il {day} {month}", Op::YearDay),
        ],
    ),
    (
        Section::Quantity,
        &[
            ("{n} (per cento|percento)", Op::Percent),
            ("una dozzina", Op::Times(12.0)),
            ("{n} euro e {n2} [centesimi]", Op::MoneyOf("EUR", 1.0)),
            ("{n} (centesimo|centesimi)", Op::MoneyOf("EUR", 100.0)),
            ("{n} dollari (americani|statunitensi)", Op::MoneyOf("USD", 1.0)),
            ("{n} (franchi svizzeri|franchi)", Op::MoneyOf("CHF", 1.0)),
            ("{n} sterline", Op::MoneyOf("GBP", 1.0)),
            ("{n} (grado|gradi)", Op::Temperature("degree")),
            ("{n} (grado|gradi) (celsius|centigradi|c)", Op::Temperature("celsius")),
            ("{n} (grado|gradi) (fahrenheit|f)", Op::Temperature("fahrenheit")),
        ],
    ),
];
