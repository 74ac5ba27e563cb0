//! German.
//!
//! "Nächsten Freitag" is the one of next week, "kommenden" and "diesen Freitag" the coming one.
//! "Ein" and its forms are articles: they count only before a unit. "Acht" is no number in "gib
//! acht" and "außer Acht". "Morgen" is tomorrow, "am Morgen" and "heute Morgen" the morning. "6 Uhr"
//! is six in the morning, "um 6" and "halb drei" are waking hours. "3." is an ordinal behind an article.

use jiff::civil::Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};

use crate::nlu::entity::builtin::tongue::Part::{Afternoon, Evening, Morning, Night};
use crate::nlu::entity::builtin::tongue::{Guard, Op, Rules, Section, Sense, Tongue, Unit, When, Which};

pub(super) static GERMAN: Tongue = Tongue {
    decimal: ",",
    thousands: ".",
    numbers: NUMBERS,
    written: Some(written),
    thousand_inside: &["tausend"],
    hundreds_links: &["und", ""],
    scale_links: &["und", ""],
    point: &["komma"],
    minus: &["minus"],
    ones: &["ein", "eine", "einen", "einer", "einem", "eines"],
    and: &[", und", ",", "und"],
    ordinals: ORDINALS,
    ordinal_dot: &[
        "der", "die", "das", "dem", "den", "am", "im", "zum", "vom", "beim", "bis", "mein", "meine", "meinen",
    ],
    weekdays: &[
        ("montag", Monday),
        ("dienstag", Tuesday),
        ("mittwoch", Wednesday),
        ("donnerstag", Thursday),
        ("freitag", Friday),
        ("samstag", Saturday),
        ("sonnabend", Saturday),
        ("sonntag", Sunday),
    ],
    plurals: &[
        ("montags", Monday),
        ("dienstags", Tuesday),
        ("mittwochs", Wednesday),
        ("donnerstags", Thursday),
        ("freitags", Friday),
        ("samstags", Saturday),
        ("sonntags", Sunday),
    ],
    day_parts: &[
        ("morgen", Morning),
        ("vormittag", Morning),
        ("nachmittag", Afternoon),
        ("abend", Evening),
        ("nacht", Night),
    ],
    months: &[
        ("januar", 1),
        ("jänner", 1),
        ("jan", 1),
        ("februar", 2),
        ("feb", 2),
        ("märz", 3),
        ("maerz", 3),
        ("april", 4),
        ("apr", 4),
        ("mai", 5),
        ("juni", 6),
        ("juli", 7),
        ("august", 8),
        ("aug", 8),
        ("september", 9),
        ("sept", 9),
        ("sep", 9),
        ("oktober", 10),
        ("okt", 10),
        ("november", 11),
        ("nov", 11),
        ("dezember", 12),
        ("dez", 12),
    ],
    units: &[
        ("sekunde", Unit::Second),
        ("sekunden", Unit::Second),
        ("minute", Unit::Minute),
        ("minuten", Unit::Minute),
        ("min", Unit::Minute),
        ("stunde", Unit::Hour),
        ("stunden", Unit::Hour),
        ("std", Unit::Hour),
        ("tag", Unit::Day),
        ("tage", Unit::Day),
        ("tagen", Unit::Day),
        ("woche", Unit::Week),
        ("wochen", Unit::Week),
        ("monat", Unit::Month),
        ("monate", Unit::Month),
        ("monaten", Unit::Month),
        ("jahr", Unit::Year),
        ("jahre", Unit::Year),
        ("jahren", Unit::Year),
    ],
    measures: &[
        ("kilometer", "kilometre"),
        ("kilometern", "kilometre"),
        ("meter", "metre"),
        ("metern", "metre"),
        ("zentimeter", "centimetre"),
        ("zentimetern", "centimetre"),
        ("millimeter", "millimetre"),
        ("meile", "mile"),
        ("meilen", "mile"),
        ("zoll", "inch"),
    ],
    currencies: &[
        ("euro", "EUR"),
        ("euros", "EUR"),
        ("dollar", "USD"),
        ("franken", "CHF"),
        ("yen", "JPY"),
        ("rubel", "RUB"),
        ("rupien", "INR"),
    ],
    moment_links: &[",", "am", ", am", "den", ", den"],
    before_date: &["am", "vom", "bis", "zum", "seit", "den"],
    clause: &[
        "und",
        "oder",
        "bitte",
        "heute",
        "morgen",
        "übermorgen",
        "am",
        "im",
        "in",
        "auf",
        "für",
        "mit",
        "bei",
        "weil",
        "dann",
        "an",
        "ab",
        "los",
        "wecken",
        "aufstehen",
        "nach",
        "zu",
        "hause",
        "ein",
        "einen",
        "eine",
        "stattfinden",
        "treffen",
    ],
    guards: GUARDS,
    rules: RULES,
    ..Tongue::NEUTRAL
};

const UNITS: [&str; 20] = [
    "",
    "ein",
    "zwei",
    "drei",
    "vier",
    "fünf",
    "sechs",
    "sieben",
    "acht",
    "neun",
    "zehn",
    "elf",
    "zwölf",
    "dreizehn",
    "vierzehn",
    "fünfzehn",
    "sechzehn",
    "siebzehn",
    "achtzehn",
    "neunzehn",
];
const TENS: [&str; 10] =
    ["", "", "zwanzig", "dreissig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"];

/// "Zweihundertfünfundvierzig", with umlauts or without.
fn written(number: u32) -> Vec<String> {
    let word = |table: &[&'static str], index: u32| {
        usize::try_from(index).ok().and_then(|index| table.get(index).copied()).unwrap_or_default()
    };
    let (hundreds, rest) = (number / 100, number % 100);
    let below = if rest < 20 {
        word(&UNITS, rest).to_owned()
    } else if rest % 10 == 0 {
        word(&TENS, rest / 10).to_owned()
    } else {
        format!("{}und{}", word(&UNITS, rest % 10), word(&TENS, rest / 10))
    };
    let below = if hundreds > 0 && rest == 1 { "eins".to_owned() } else { below };
    let mut all = match hundreds {
        0 if rest == 1 => Vec::new(),
        0 => vec![below],
        _ => {
            let name = word(&UNITS, hundreds);
            let mut heads = vec![format!("{name}hundert")];
            if hundreds == 1 {
                heads.push("hundert".to_owned());
            }
            heads
                .into_iter()
                .flat_map(|head| {
                    let long = (rest > 0).then(|| format!("{head}und{below}"));
                    [Some(head + &below), long]
                })
                .flatten()
                .collect()
        }
    };
    let typed: Vec<String> = all
        .iter()
        .filter(|word| !word.is_ascii())
        .map(|word| word.replace('ü', "ue").replace('ö', "oe"))
        .collect();
    all.extend(typed);
    all
}

const NUMBERS: &[(&str, f64)] = &[
    ("null", 0.0),
    ("eins", 1.0),
    ("ein", 1.0),
    ("zwo", 2.0),
    ("anderthalb", 1.5),
    ("eineinhalb", 1.5),
    ("zweieinhalb", 2.5),
    ("dreieinhalb", 3.5),
    ("viereinhalb", 4.5),
    ("fünfeinhalb", 5.5),
    ("hundert", 100.0),
    ("tausend", 1e3),
    ("million", 1e6),
    ("millionen", 1e6),
    ("milliarde", 1e9),
    ("milliarden", 1e9),
];

const ORDINALS: &[(&str, u32)] = &[
    ("erste", 1),
    ("ersten", 1),
    ("erster", 1),
    ("erstes", 1),
    ("zweite", 2),
    ("zweiten", 2),
    ("zweiter", 2),
    ("zweites", 2),
    ("dritte", 3),
    ("dritten", 3),
    ("dritter", 3),
    ("drittes", 3),
    ("vierte", 4),
    ("vierten", 4),
    ("fünfte", 5),
    ("fünften", 5),
    ("sechste", 6),
    ("sechsten", 6),
    ("siebte", 7),
    ("siebten", 7),
    ("achte", 8),
    ("achten", 8),
    ("neunte", 9),
    ("neunten", 9),
    ("zehnte", 10),
    ("zehnten", 10),
    ("elfte", 11),
    ("elften", 11),
    ("zwölfte", 12),
    ("zwölften", 12),
    ("dreizehnten", 13),
    ("vierzehnten", 14),
    ("fünfzehnte", 15),
    ("fünfzehnten", 15),
    ("sechzehnten", 16),
    ("siebzehnten", 17),
    ("achtzehnten", 18),
    ("neunzehnten", 19),
    ("zwanzigste", 20),
    ("zwanzigsten", 20),
    ("einundzwanzigsten", 21),
    ("zweiundzwanzigsten", 22),
    ("dreiundzwanzigsten", 23),
    ("vierundzwanzigsten", 24),
    ("fünfundzwanzigsten", 25),
    ("sechsundzwanzigsten", 26),
    ("siebenundzwanzigsten", 27),
    ("achtundzwanzigsten", 28),
    ("neunundzwanzigsten", 29),
    ("dreissigsten", 30),
    ("einunddreissigsten", 31),
];

const GUARDS: &[Guard] = &[
    ("acht", Sense::Any, When::NotAfter(&["gib", "gebt", "gebe", "geben", "ausser", "hab", "habt", "ganz"])),
    (
        "acht",
        Sense::Any,
        When::NotBefore(&["nehmen", "nimm", "nehme", "geben", "gebe", "gib", "auf", "lassen"]),
    ),
    ("achten", Sense::Ordinal, When::NotAfter(&["^", "wir", "zu", "sie", "darauf", "bitte"])),
    ("achte", Sense::Ordinal, When::NotAfter(&["^", "ich", "bitte", "darauf"])),
    ("erste", Sense::Ordinal, When::NotBefore(&["hilfe"])),
    ("morgen", Sense::Start, When::NotAfter(&["guten", "schönen", "am", "jeden", "eines", "diesen"])),
    ("zoll", Sense::Any, When::OnlyAfter(&["#"])),
];

const RULES: &[(Section, Rules)] = &[
    (
        Section::Part,
        &[
            (
                "(morgens|vormittags|früh|vormittag|am morgen|am vormittag|in der früh|in der frühe)",
                Op::Part(Morning),
            ),
            ("(nachmittags|nachmittag|am nachmittag|mittags|mittag)", Op::Part(Afternoon)),
            ("(abends|abend|am abend)", Op::Part(Evening)),
            ("(nachts|in der nacht|nacht)", Op::Part(Night)),
        ],
    ),
    (
        Section::Duration,
        &[
            ("(eine|einer|einen|ein|einem) (halbe|halben|halbes) {unit}", Op::Amount(0.5)),
            ("(halbe|halben|halbes) {unit}", Op::Amount(0.5)),
            ("[eine|einer] viertelstunde", Op::Fixed(15)),
            ("[eine|einer] dreiviertelstunde", Op::Fixed(45)),
            ("ein paar {unit}", Op::Amount(2.0)),
        ],
    ),
    (
        Section::Time,
        &[
            ("(um|gegen|ab|bis) {clock} [uhr]", Op::Time),
            ("{clock} uhr", Op::Time),
            ("[um|gegen|ab|bis] {dotted} uhr", Op::Time),
            ("[um|gegen|ab|bis] {hour} uhr", Op::Hour24(0)),
            ("[um|gegen|ab|bis] {hour} uhr {minute}", Op::Hour24(0)),
            ("(um|gegen) {hour}", Op::HourBare),
            ("[um|gegen] halb {hour}", Op::Hour(-30)),
            ("[um|gegen] viertel nach {hour}", Op::Hour(15)),
            ("[um|gegen] (viertel vor|dreiviertel|drei viertel) {hour}", Op::Hour(-15)),
            ("[um|gegen] viertel {hour}", Op::Hour(-45)),
            ("[um|gegen] {minute} [minuten] nach {hour}", Op::Minutes(1)),
            ("[um|gegen] {minute} [minuten] vor {hour}", Op::Minutes(-1)),
            ("[um|gegen] {minute} vor halb {hour}", Op::AroundHalf(-1)),
            ("[um|gegen] {minute} nach halb {hour}", Op::AroundHalf(1)),
            ("es ist {hour}", Op::HourBare),
            ("[um|gegen] mitternacht", Op::At(0, 0)),
            ("(um|gegen) zwölf uhr mittags", Op::At(12, 0)),
            ("(zu|am) mittag", Op::At(12, 0)),
            ("{hour}", Op::HourParted),
        ],
    ),
    (Section::Edge, &[("{hour} uhr", Op::Hour24(0))]),
    (
        Section::Date,
        &[
            ("heute", Op::Day(0)),
            ("(heute|heut) (abend|nacht)", Op::Tonight),
            ("heute (morgen|früh|vormittag)", Op::TodayPart(Morning)),
            ("heute nachmittag", Op::TodayPart(Afternoon)),
            ("morgen", Op::Day(1)),
            ("(übermorgen|uebermorgen)", Op::Day(2)),
            ("gestern", Op::Day(-1)),
            ("gestern abend", Op::DayPart(-1, Evening)),
            ("vorgestern", Op::Day(-2)),
            ("{weekday}", Op::Weekday(Which::Coming)),
            ("{weekday} [,] (den|der|dem) {day}", Op::WeekdayDay),
            ("(diesen|dieser|diesem) {weekday}", Op::Weekday(Which::This)),
            ("(kommenden|kommender|kommendem) {weekday}", Op::Weekday(Which::Coming)),
            ("(nächsten|nächster|nächstem) {weekday}", Op::Weekday(Which::OfNextWeek)),
            ("(letzten|letzter|vergangenen|vorigen) {weekday}", Op::Weekday(Which::Last)),
            ("{weekday} (nächster|der nächsten|nächste) woche", Op::WeekdayOfWeek(1)),
            ("{weekday} (letzter|der letzten|letzte) woche", Op::WeekdayOfWeek(-1)),
            ("{weekday} (dieser|diese) woche", Op::WeekdayOfWeek(0)),
            ("{weekday} in einer woche", Op::WeekdayPlus(1)),
            ("(nächste|nächster) woche [am] {weekday}", Op::WeekdayOfWeek(1)),
            ("(diese|dieser) woche [am] {weekday}", Op::WeekdayOfWeek(0)),
            ("[der|den|am|bis zum|zum] {day} (diesen monat|dieses monats)", Op::DayOfMonth),
            ("(heute|morgen) in {dur}", Op::From(1)),
            ("(in|binnen) {dur}", Op::From(1)),
            ("vor {dur}", Op::From(-1)),
            ("[der|den|dem|am|bis] {day} {month} [{year}]", Op::Calendar),
            ("(am|bis zum|zum|vom) {day}", Op::DayOfMonthBare),
            ("[am|zum] (ende des monats|monatsende)", Op::MonthEnd(0)),
            ("ende (dieses|des) monats", Op::MonthEnd(0)),
            ("ende nächsten monats", Op::MonthEnd(1)),
            ("anfang nächsten monats", Op::MonthStart(1)),
            ("(jahresende|ende des jahres|ende dieses jahres)", Op::YearEnd(0)),
            ("(heiligabend|heiliger abend) [{year}]", Op::Feast(12, 24)),
            ("silvester [{year}]", Op::Feast(12, 31)),
            ("neujahr [{year}]", Op::Feast(1, 1)),
        ],
    ),
    (
        Section::Interval,
        &[
            ("(diese|dieser) woche", Op::Week(0)),
            ("(nächste|nächster|kommende|kommender) woche", Op::Week(1)),
            ("übernächste woche", Op::Week(2)),
            ("(letzte|letzter|vergangene|vorige) woche", Op::Week(-1)),
            ("[am|dieses] wochenende", Op::Weekend(0)),
            ("(nächstes|am nächsten) wochenende", Op::Weekend(1)),
            ("(letztes|am letzten) wochenende", Op::Weekend(-1)),
            ("(diesen|diesem) monat", Op::Month(0)),
            ("(nächsten|nächstem|kommenden) monat", Op::Month(1)),
            ("(letzten|letztem|vorigen) monat", Op::Month(-1)),
            ("(dieses|diesem) jahr", Op::Year(0)),
            ("(nächstes|nächsten|kommendes) jahr", Op::Year(1)),
            ("(letztes|letzten|voriges) jahr", Op::Year(-1)),
            ("(im|seit|ab) {month} [{year}]", Op::NamedMonth(Which::This)),
            ("{month} {year}", Op::NamedMonth(Which::This)),
            ("(nächsten|kommenden) {month}", Op::NamedMonth(Which::This)),
            ("letzten {month}", Op::NamedMonth(Which::Last)),
            ("im jahr {year}", Op::NamedYear),
            ("[in] (die|den|der) (nächsten|kommenden) {dur}", Op::Span(1)),
            ("[in] (die|den|der) (letzten|vergangenen) {dur}", Op::Span(-1)),
            ("(von|vom) {edge} bis [zum] {edge}", Op::Between),
            ("zwischen {edge} und {edge}", Op::Between),
            ("{edge} bis [zum] {edge}", Op::BetweenSure),
            ("(vom|von|zwischen) [dem] {day} (bis|bis zum|und) [dem] {day} {month} [{year}]", Op::Days),
            ("[der|die|den] {day} (bis|-) {day} {month} [{year}]", Op::Days),
        ],
    ),
    (
        Section::Recurrence,
        &[
            ("(jeden|jede|jedes) {unit}", Op::Every),
            ("alle {n} {unit}", Op::Every),
            ("(jeden|jede|jedes) (zweiten|zweite|zweites) {unit}", Op::EveryOther(2)),
            ("(jeden|jede|jedes) (dritten|dritte|drittes) {unit}", Op::EveryOther(3)),
            ("(jeden|immer am|immer) {weekdays}", Op::EveryWeekdays),
            ("jeden zweiten {weekdays}", Op::EveryOtherWeekdays),
            ("[immer] {plurals}", Op::EveryWeekdays),
            ("jeden {day} {weekday} [im monat]", Op::NthWeekday),
            ("am {day} {weekday} (jedes monats|im monat)", Op::NthWeekday),
            ("von montag bis freitag", Op::Workdays),
            ("täglich", Op::Each(Unit::Day)),
            ("stündlich", Op::Each(Unit::Hour)),
            ("wöchentlich", Op::Each(Unit::Week)),
            ("monatlich", Op::Each(Unit::Month)),
            ("jährlich", Op::Each(Unit::Year)),
            ("(werktags|wochentags|an werktagen|jeden werktag|unter der woche)", Op::Workdays),
            ("(jedes wochenende|an wochenenden)", Op::Weekends),
            ("jeden morgen", Op::Daily(Morning)),
            ("jeden vormittag", Op::Daily(Morning)),
            ("jeden nachmittag", Op::Daily(Afternoon)),
            ("jeden abend", Op::Daily(Evening)),
            ("am {day} jedes monats", Op::MonthDay),
            ("jeden monat am {day}", Op::MonthDay),
            ("(jedes jahr am|jährlich am) {day} {month}", Op::YearDay),
        ],
    ),
    (
        Section::Quantity,
        &[
            ("{n} prozent", Op::Percent),
            ("[ein|zwei] dutzend", Op::Times(12.0)),
            ("{n} (euro|euros) [und] {n2} [cent]", Op::MoneyOf("EUR", 1.0)),
            ("{n} cent", Op::MoneyOf("EUR", 100.0)),
            ("{n} (us|us -|amerikanische) dollar", Op::MoneyOf("USD", 1.0)),
            ("{n} (schweizer|schweizer franken) franken", Op::MoneyOf("CHF", 1.0)),
            ("{n} (britische pfund|pfund sterling)", Op::MoneyOf("GBP", 1.0)),
            ("{n} grad", Op::Temperature("degree")),
            ("{n} grad (celsius|c)", Op::Temperature("celsius")),
            ("{n} grad (fahrenheit|f)", Op::Temperature("fahrenheit")),
        ],
    ),
];
