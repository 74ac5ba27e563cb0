//! Arabic.
//!
//! Words are looked up without hamza on alef and without dots on final ya and ta marbuta, as they
//! are typed in haste. "و", "ب", "ل", "ف" and "ك" are cut off the words that they are written on.
//! "الجمعة القادمة" is the coming one. Hours are those of a clock of twelve, said as ordinals or
//! as numbers. The names of days stand without the article only behind "يوم" and "كل". A
//! currency of several countries is read where one is usually meant: "دينار" needs its country.

use jiff::civil::Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};

use crate::nlu::entity::builtin::tongue::Part::{Afternoon, Am, Evening, Morning, Night, Pm};
use crate::nlu::entity::builtin::tongue::{Guard, Op, Rules, Section, Sense, Tongue, Unit, When, Which};

/// The forms of an ordinal: of both genders, with the article and without.
macro_rules! ordinal {
    ($stem:literal) => {
        concat!($stem, " ", $stem, "ة ال", $stem, " ال", $stem, "ة")
    };
}

/// A number of both genders, with the article and without.
macro_rules! cardinal {
    ($stem:literal) => {
        ordinal!($stem)
    };
}

/// An hour of the clock, and what stands behind it.
macro_rules! hour {
    ($tail:literal) => {
        concat!(
            "([في|عند|حوالي|على|تمام] الساعة {nth}|[في|عند|حوالي|على|تمام] الساعة {hour}|[في|عند|حوالي] {nth}) ",
            $tail
        )
    };
}

macro_rules! next {
    ($head:literal) => {
        concat!($head, " (القادم|القادمة|المقبل|المقبلة|الجاي|الجاية|الآتي|الآتية|التالي|التالية)")
    };
}

macro_rules! last {
    ($head:literal) => {
        concat!($head, " (الماضي|الماضية|الفائت|الفائتة|المنصرم|المنصرمة|السابق|السابقة)")
    };
}

pub(super) static ARABIC: Tongue = Tongue {
    spellings: &[("أإآٱ", "ا"), ("ىئ", "ي"), ("ة", "ه")],
    prefixes: &["و", "ف", "ب", "ل", "ك"],
    whole: &["لست"],
    numbers: NUMBERS,
    tens_links: &["و"],
    hundreds_links: &["و"],
    scale_links: &["و"],
    bare_millions: true,
    units_first: true,
    point: &["فاصلة"],
    minus: &["ناقص", "سالب"],
    ones: &["أحد", "إحدى"],
    and_half: &["و نصف", "و النصف"],
    and: &[", و", ",", "و"],
    ordinals: ORDINALS,
    weekdays: &[
        ("الاثنين اثنين", Monday),
        ("الثلاثاء ثلاثاء الثلاثا", Tuesday),
        ("الأربعاء أربعاء الأربعا", Wednesday),
        ("الخميس خميس", Thursday),
        ("الجمعة جمعة", Friday),
        ("السبت سبت", Saturday),
        ("الأحد أحد", Sunday),
    ],
    months: &[
        ("يناير جانفي", 1),
        ("فبراير شباط فيفري", 2),
        ("مارس آذار", 3),
        ("أبريل نيسان أفريل", 4),
        ("مايو أيار", 5),
        ("يونيو يونيه حزيران جوان", 6),
        ("يوليو يوليه تموز جويلية", 7),
        ("أغسطس آب أوت", 8),
        ("سبتمبر أيلول", 9),
        ("أكتوبر", 10),
        ("نوفمبر", 11),
        ("ديسمبر", 12),
    ],
    long_months: &[("كانون الثاني", 1), ("تشرين الأول", 10), ("تشرين الثاني", 11), ("كانون الأول", 12)],
    units: &[
        ("ثانية ثوان ثواني", Unit::Second),
        ("دقيقة دقائق الدقائق", Unit::Minute),
        ("ساعة ساعات الساعات", Unit::Hour),
        ("يوم يوما أيام الأيام", Unit::Day),
        ("أسبوع أسبوعا أسابيع الأسابيع", Unit::Week),
        ("شهر شهرا أشهر شهور الأشهر الشهور", Unit::Month),
        ("سنة سنوات سنين عام عاما أعوام السنوات الأعوام", Unit::Year),
    ],
    duals: &[
        ("ثانيتان ثانيتين الثانيتين", Unit::Second),
        ("دقيقتان دقيقتين الدقيقتين", Unit::Minute),
        ("ساعتان ساعتين الساعتين", Unit::Hour),
        ("يومان يومين اليومين", Unit::Day),
        ("أسبوعان أسبوعين الأسبوعين", Unit::Week),
        ("شهران شهرين الشهرين", Unit::Month),
        ("سنتان سنتين عامان عامين السنتين العامين", Unit::Year),
    ],
    measures: &[
        ("كيلومتر كيلومترا كيلومترات كم", "kilometre"),
        ("متر مترا أمتار", "metre"),
        ("سنتيمتر سنتيمترا سنتيمترات سم", "centimetre"),
        ("مليمتر ملم", "millimetre"),
        ("ميل ميلا أميال", "mile"),
        ("قدم قدما أقدام", "foot"),
        ("بوصة بوصات", "inch"),
    ],
    currencies: &[
        ("ريال ريالا ريالات", "SAR"),
        ("درهم درهما دراهم", "AED"),
        ("جنيه جنيها جنيهات", "EGP"),
        ("دولار دولارا دولارات", "USD"),
        ("يورو", "EUR"),
        ("روبل روبلا", "RUB"),
        ("روبية روبيات", "INR"),
        ("يوان", "CNY"),
    ],
    moment_links: &[",", "في", "من", "على", "عند"],
    before_date: &["في", "يوم", "قبل", "بعد", "حتى", "من", "إلى"],
    clause: &["و أو في على من إلى مع اليوم غدا صباحا مساء ظهرا ليلا لو من فضلك الساعة كل هل ل ب"],
    guards: GUARDS,
    rules: RULES,
    ..Tongue::NEUTRAL
};

const NUMBERS: &[(&str, f64)] = &[
    ("صفر", 0.0),
    ("واحد واحدة أحد إحدى", 1.0),
    ("اثنان اثنين اثنتان اثنتين اثنا اثني اثنتا اثنتي", 2.0),
    (cardinal!("ثلاث"), 3.0),
    (cardinal!("أربع"), 4.0),
    (cardinal!("خمس"), 5.0),
    (cardinal!("ست"), 6.0),
    (cardinal!("سبع"), 7.0),
    ("ثمان ثماني ثمانية الثماني الثمانية", 8.0),
    (cardinal!("تسع"), 9.0),
    (cardinal!("عشر"), 10.0),
    ("عشرون عشرين", 20.0),
    ("ثلاثون ثلاثين", 30.0),
    ("أربعون أربعين", 40.0),
    ("خمسون خمسين", 50.0),
    ("ستون ستين", 60.0),
    ("سبعون سبعين", 70.0),
    ("ثمانون ثمانين", 80.0),
    ("تسعون تسعين", 90.0),
    ("مئة مائة", 100.0),
    ("مئتان مئتين مائتان مائتين", 200.0),
    ("ثلاثمئة ثلاثمائة", 300.0),
    ("أربعمئة أربعمائة", 400.0),
    ("خمسمئة خمسمائة", 500.0),
    ("ستمئة ستمائة", 600.0),
    ("سبعمئة سبعمائة", 700.0),
    ("ثمانمئة ثمانمائة ثمانيمئة", 800.0),
    ("تسعمئة تسعمائة", 900.0),
    ("ألف ألفا آلاف", 1e3),
    ("ألفان ألفين", 2e3),
    ("مليون مليونا ملايين", 1e6),
    ("مليونان مليونين", 2e6),
    ("مليار مليارا مليارات", 1e9),
    ("ملياران مليارين", 2e9),
];

const ORDINALS: &[(&str, u32)] = &[
    ("أول أولى الأول الأولى الواحدة حادي الحادي الحادية", 1),
    ("ثاني الثاني الثانية", 2),
    (ordinal!("ثالث"), 3),
    (ordinal!("رابع"), 4),
    (ordinal!("خامس"), 5),
    (ordinal!("سادس"), 6),
    (ordinal!("سابع"), 7),
    (ordinal!("ثامن"), 8),
    (ordinal!("تاسع"), 9),
    (ordinal!("عاشر"), 10),
    ("العشرون العشرين", 20),
    ("الثلاثون الثلاثين", 30),
    ("الأربعون الأربعين", 40),
    ("الخمسون الخمسين", 50),
    ("الستون الستين", 60),
    ("السبعون السبعين", 70),
    ("الثمانون الثمانين", 80),
    ("التسعون التسعين", 90),
];

const DAYS: &str = "الاثنين الثلاثاء الثلاثا الأربعاء الأربعا الخميس الجمعة السبت الأحد";

const GUARDS: &[Guard] = &[
    (
        "اثنين ثلاثاء أربعاء خميس جمعة سبت أحد",
        Sense::Weekday,
        When::OnlyAfter(&["يوم أيام كل و أول ثاني ثالث رابع خامس آخر"]),
    ),
    // "بعد يوم الاثنين" is no day later.
    ("يوم", Sense::Unit, When::NotBefore(&[DAYS, "غد أمس"])),
    (
        "اليوم",
        Sense::Start,
        When::NotBefore(&[
            "الأول الثاني الثالث الرابع الخامس السادس السابع الواحد التالي الذي الدراسي الوطني",
        ]),
    ),
    // "With the ball".
    ("بكرة", Sense::Start, When::NotBefore(&["القدم السلة اليد الطائرة التنس"])),
    ("آب", Sense::Month, When::OnlyAfter(&["# شهر من في"])),
    ("آلاف", Sense::Number, When::OnlyAfter(&["# ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة بضعة"])),
    ("ملايين", Sense::Number, When::OnlyAfter(&["# ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة"])),
    ("الواحدة", Sense::Ordinal, When::OnlyAfter(&["الساعة في إلى حتى و بين عند ^ غدا غد اليوم من", DAYS])),
    ("واحد واحدة", Sense::Number, When::NotAfter(&["يوم ساعة كل أي دقيقة"])),
    ("أول", Sense::Ordinal, When::NotAfter(&["من"])),
    // "The first week of March" is no first of March.
    ("الأول الثاني الثالث الرابع", Sense::Ordinal, When::NotAfter(&["الأسبوع النصف الربع الثلث"])),
];

const RULES: &[(Section, Rules)] = &[
    (
        Section::Part,
        &[
            ("(صباحا|[من] صباح|في الصباح|الصباح|فجرا|الفجر|في الفجر|الصبح)", Op::Part(Morning)),
            ("(ظهرا|[من] ظهر|بعد الظهر|عصرا|عصر|العصر|في العصر)", Op::Part(Afternoon)),
            ("([من] مساء|مسا|في المساء|المساء)", Op::Part(Evening)),
            ("(ليلا|في الليل|الليل|بالليل|ليلة)", Op::Part(Night)),
            ("(ص|بعد منتصف الليل)", Op::Part(Am)),
            ("م", Op::Part(Pm)),
        ],
    ),
    (
        Section::Duration,
        &[
            ("{dual}", Op::Amount(2.0)),
            ("{dual} و نصف", Op::Amount(2.5)),
            ("{dual} و ربع", Op::Amount(2.25)),
            ("{unit} و نصف", Op::Amount(1.5)),
            ("{unit} و ربع", Op::Amount(1.25)),
            ("{unit} إلا (ربع|ربعا)", Op::Amount(0.75)),
            ("{unit} (واحد|واحدة)", Op::Amount(1.0)),
            ("{unit} و {dur}", Op::OneAnd),
            ("(نصف|نص) {unit}", Op::Amount(0.5)),
            ("ربع ساعة", Op::Fixed(15)),
            ("ثلث ساعة", Op::Fixed(20)),
            ("(ثلاثة|ثلاث) أرباع (ساعة|الساعة)", Op::Fixed(45)),
        ],
    ),
    (
        Section::Time,
        &[
            ("[في|عند|حوالي|على|تمام] الساعة ({nth}|{hour}) [تماما]", Op::Hour(0)),
            ("[في|عند|حوالي|على|تمام] الساعة {clock}", Op::Time),
            ("[في|عند|حوالي] ({nth}|{hour})", Op::HourParted),
            (hour!("و (النصف|نصف|نص)"), Op::Hour(30)),
            (hour!("و (الربع|ربع)"), Op::Hour(15)),
            (hour!("و (الثلث|ثلث)"), Op::Hour(20)),
            (hour!("إلا (ربع|ربعا|الربع)"), Op::Hour(-15)),
            (hour!("إلا (ثلث|ثلثا|الثلث)"), Op::Hour(-20)),
            (hour!("و (النصف|نصف) و خمس [دقائق]"), Op::Hour(35)),
            (hour!("و (النصف|نصف) إلا خمس [دقائق]"), Op::Hour(25)),
            (hour!("و {minute} (دقيقة|دقائق)"), Op::HourMinute),
            ("[في|عند|حوالي] الساعة {nth} و {minute}", Op::HourMinute),
            (hour!("إلا {minute} [دقيقة|دقائق]"), Op::MinutesSure(-1)),
            ("(في|عند) الظهر", Op::At(12, 0)),
            ("[في|عند] منتصف النهار", Op::At(12, 0)),
            ("[في|عند] منتصف الليل", Op::At(0, 0)),
        ],
    ),
    (Section::Edge, &[("{nth}", Op::Hour(0)), ("{nth} و (النصف|نصف)", Op::Hour(30))]),
    (
        Section::Date,
        &[
            ("اليوم", Op::Day(0)),
            ("[يوم] (غدا|غد|الغد|بكرة|بكرا)", Op::Day(1)),
            ("بعد (غد|غدا|الغد|بكرة)", Op::Day(2)),
            ("[يوم] (أمس|البارحة|مبارح)", Op::Day(-1)),
            ("(أول أمس|أول من أمس|قبل أمس)", Op::Day(-2)),
            ("(الليلة|هذه الليلة)", Op::ThisNight),
            ("(هذا الصباح|صباح اليوم)", Op::TodayPart(Morning)),
            ("(ظهر|عصر|بعد ظهر) اليوم", Op::TodayPart(Afternoon)),
            ("(هذا المساء|مساء اليوم)", Op::TodayPart(Evening)),
            ("(صباح|فجر) (غد|الغد|يوم غد)", Op::DayPart(1, Morning)),
            ("(ظهر|عصر|بعد ظهر) (غد|الغد)", Op::DayPart(1, Afternoon)),
            ("مساء (غد|الغد|يوم غد)", Op::DayPart(1, Evening)),
            ("صباح أمس", Op::DayPart(-1, Morning)),
            ("مساء أمس", Op::DayPart(-1, Evening)),
            ("(ليلة أمس|الليلة الماضية)", Op::DayPart(-1, Night)),
            ("[يوم] {weekday}", Op::Weekday(Which::Coming)),
            ("{part} [يوم] {weekday}", Op::Weekday(Which::Coming)),
            ("هذا {weekday}", Op::Weekday(Which::This)),
            (next!("[يوم] {weekday}"), Op::Weekday(Which::Coming)),
            (next!("{part} [يوم] {weekday}"), Op::Weekday(Which::Coming)),
            (last!("[يوم] {weekday}"), Op::Weekday(Which::Last)),
            ("[يوم] {weekday} بعد (القادم|القادمة|المقبل|المقبلة)", Op::WeekdayPlus(1)),
            (next!("[يوم] {weekday} [من] الأسبوع"), Op::WeekdayOfWeek(1)),
            (last!("[يوم] {weekday} [من] الأسبوع"), Op::WeekdayOfWeek(-1)),
            ("[يوم] {weekday} [من] هذا الأسبوع", Op::WeekdayOfWeek(0)),
            ("الأسبوع (القادم|المقبل) [يوم] {weekday}", Op::WeekdayOfWeek(1)),
            ("[يوم] {weekday} {day}", Op::WeekdayDay),
            ("(بعد|خلال|في غضون) {dur} [من الآن]", Op::From(1)),
            ("(بعد|خلال|في غضون) {unit} [من الآن]", Op::From(1)),
            ("(قبل|منذ) {dur}", Op::From(-1)),
            ("(قبل|منذ) {unit}", Op::From(-1)),
            ("[يوم] {day} [من] [شهر] {month} [[,] [عام|سنة] {year}]", Op::Calendar),
            ("يوم {weekday} [,] [الموافق] {day} [من] [شهر] {month} [[,] [عام|سنة] {year}]", Op::Calendar),
            ("يوم {day}", Op::DayOfMonthBare),
            ("[يوم] {day} من (الشهر|هذا الشهر|الشهر الحالي|الشهر الجاري)", Op::DayOfMonth),
            (next!("[يوم] {day} من الشهر"), Op::DayOf(1)),
            ("(نهاية|آخر|أواخر) (الشهر|هذا الشهر|الشهر الحالي)", Op::MonthEnd(0)),
            (next!("(نهاية|آخر|أواخر) الشهر"), Op::MonthEnd(1)),
            (next!("(بداية|أول|مطلع) الشهر"), Op::MonthStart(1)),
            ("(نهاية|آخر|أواخر) (العام|السنة|هذا العام|هذه السنة)", Op::YearEnd(0)),
            ("رأس السنة [الميلادية]", Op::Feast(1, 1)),
            ("عيد الميلاد", Op::Feast(12, 25)),
        ],
    ),
    (
        Section::Interval,
        &[
            ("(هذا الأسبوع|الأسبوع الحالي)", Op::Week(0)),
            (next!("الأسبوع"), Op::Week(1)),
            ("الأسبوع بعد القادم", Op::Week(2)),
            (last!("الأسبوع"), Op::Week(-1)),
            ("[عطلة] نهاية (الأسبوع|هذا الأسبوع)", Op::Weekend(0)),
            (next!("[عطلة] نهاية الأسبوع"), Op::Weekend(1)),
            (last!("[عطلة] نهاية الأسبوع"), Op::Weekend(-1)),
            ("(هذا الشهر|الشهر الحالي|الشهر الجاري)", Op::Month(0)),
            (next!("الشهر"), Op::Month(1)),
            (last!("الشهر"), Op::Month(-1)),
            ("(هذا العام|هذه السنة|العام الحالي|السنة الحالية)", Op::Year(0)),
            (next!("(العام|السنة)"), Op::Year(1)),
            (last!("(العام|السنة)"), Op::Year(-1)),
            ("(في|منذ|خلال) [شهر] {month} [[عام|سنة] {year}]", Op::NamedMonth(Which::This)),
            ("[شهر] {month} [عام|سنة] {year}", Op::NamedMonth(Which::This)),
            (next!("[في] [شهر] {month}"), Op::NamedMonth(Which::OfNextWeek)),
            (last!("[في] [شهر] {month}"), Op::NamedMonth(Which::Last)),
            ("[في|منذ|خلال] (عام|سنة) {year}", Op::NamedYear),
            ("[في|خلال] {unit} {n} (القادمة|المقبلة|التالية)", Op::Span(1)),
            ("[في|خلال] {unit} {n} (الماضية|الأخيرة|السابقة)", Op::Span(-1)),
            ("[في|خلال] {dual} (القادمين|القادمتين|المقبلين|المقبلتين)", Op::Span(1)),
            ("[في|خلال] {dual} (الماضيين|الماضيتين|الأخيرين|الأخيرتين)", Op::Span(-1)),
            ("[في|خلال] آخر {dur}", Op::Span(-1)),
            ("[في|خلال] آخر {unit}", Op::Span(-1)),
            ("من {edge} (إلى|حتى|لغاية) {edge}", Op::Between),
            ("بين {edge} و {edge}", Op::Between),
            ("{edge} (إلى|حتى) {edge}", Op::BetweenSure),
            ("من [يوم] {day} (إلى|حتى) [يوم] {day} [من] {month} [[عام] {year}]", Op::Days),
            ("بين {day} و {day} [من] {month} [[عام] {year}]", Op::Days),
            ("{day} - {day} {month} [{year}]", Op::Days),
        ],
    ),
    (
        Section::Recurrence,
        &[
            ("[مرة] كل {unit}", Op::Every),
            ("[مرة] كل {dual}", Op::Every),
            ("[مرة] كل {n} {unit}", Op::Every),
            ("كل نصف ساعة", Op::EachOf(30, Unit::Minute)),
            ("كل ربع ساعة", Op::EachOf(15, Unit::Minute)),
            ("مرة في (اليوم|يوم)", Op::Each(Unit::Day)),
            ("مرة في (الأسبوع|أسبوع)", Op::Each(Unit::Week)),
            ("مرة في (الشهر|شهر)", Op::Each(Unit::Month)),
            ("مرة في (السنة|العام)", Op::Each(Unit::Year)),
            ("[في] كل [يوم|أيام] {weekdays}", Op::EveryWeekdays),
            ("[في] أيام {weekdays}", Op::EveryWeekdays),
            ("{weekdays} من كل أسبوع", Op::EveryWeekdays),
            ("[في] [يوم] {day} {weekday} (من كل شهر|كل شهر)", Op::NthWeekday),
            ("يوميا", Op::Each(Unit::Day)),
            ("أسبوعيا", Op::Each(Unit::Week)),
            ("شهريا", Op::Each(Unit::Month)),
            ("سنويا", Op::Each(Unit::Year)),
            ("(يوما|يوم) بعد يوم", Op::Alternate),
            ("كل صباح", Op::Daily(Morning)),
            ("كل مساء", Op::Daily(Evening)),
            ("كل ليلة", Op::Daily(Night)),
            ("[في] [يوم] {day} من كل شهر", Op::MonthDay),
            ("[في] {day} [من] {month} من كل (عام|سنة)", Op::YearDay),
            ("كل (عام|سنة) في {day} [من] {month}", Op::YearDay),
        ],
    ),
    (
        Section::Quantity,
        &[
            ("{n} و نصف", Op::Plus(0.5)),
            ("{n} و ربع", Op::Plus(0.25)),
            ("{n} (ب|في) (المئة|المائة)", Op::Percent),
            ("{n} {currency} و {n2} (هللة|هللات|قرش|قرشا|قروش|سنت|سنتا|سنتات|فلس|فلسا)", Op::Money),
            ("{n} (هللة|هللات)", Op::MoneyOf("SAR", 100.0)),
            ("{n} (قرش|قرشا|قروش)", Op::MoneyOf("EGP", 100.0)),
            ("{n} (سنت|سنتا|سنتات)", Op::MoneyOf("USD", 100.0)),
            ("{n} (ريال|ريالا|ريالات) (سعودي|سعوديا|سعودية)", Op::MoneyOf("SAR", 1.0)),
            ("{n} (ريال|ريالا|ريالات) (قطري|قطريا|قطرية)", Op::MoneyOf("QAR", 1.0)),
            ("{n} (ريال|ريالا|ريالات) (عماني|عمانيا|عمانية)", Op::MoneyOf("OMR", 1.0)),
            ("{n} (درهم|درهما|دراهم) (مغربي|مغربيا|مغربية)", Op::MoneyOf("MAD", 1.0)),
            ("{n} (درهم|درهما|دراهم) (إماراتي|إماراتيا|إماراتية)", Op::MoneyOf("AED", 1.0)),
            ("{n} (دينار|دينارا|دنانير) (كويتي|كويتيا|كويتية)", Op::MoneyOf("KWD", 1.0)),
            ("{n} (دينار|دينارا|دنانير) (أردني|أردنيا|أردنية)", Op::MoneyOf("JOD", 1.0)),
            ("{n} (دينار|دينارا|دنانير) (عراقي|عراقيا|عراقية)", Op::MoneyOf("IQD", 1.0)),
            ("{n} (دينار|دينارا|دنانير) (تونسي|تونسيا|تونسية)", Op::MoneyOf("TND", 1.0)),
            ("{n} (دينار|دينارا|دنانير) (جزائري|جزائريا|جزائرية)", Op::MoneyOf("DZD", 1.0)),
            ("{n} (جنيه|جنيها|جنيهات) (إسترليني|إسترلينيا|إسترلينية)", Op::MoneyOf("GBP", 1.0)),
            ("{n} (ليرة|ليرات) (تركية|تركي)", Op::MoneyOf("TRY", 1.0)),
            ("{n} (ليرة|ليرات) (لبنانية|لبناني)", Op::MoneyOf("LBP", 1.0)),
            ("{n} (ليرة|ليرات) (سورية|سوري)", Op::MoneyOf("SYP", 1.0)),
            ("{n} (درجة|درجات)", Op::Temperature("degree")),
            ("{n} (درجة|درجات) (مئوية|سيليزية|سلسيوس)", Op::Temperature("celsius")),
            ("{n} (درجة|درجات) (فهرنهايت|فهرنهايتية)", Op::Temperature("fahrenheit")),
            ("{n} [درجة|درجات] تحت الصفر", Op::Frost("degree")),
            ("{n} (درجة|درجات) مئوية تحت الصفر", Op::Frost("celsius")),
        ],
    ),
];
