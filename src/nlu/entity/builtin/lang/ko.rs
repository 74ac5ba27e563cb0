//! Korean.
//!
//! Particles are glued to words: a reading ends at a space or before one of `ENDINGS`, which stays
//! outside. Spaces inside a phrase may be left out ("다음주월요일"), but not put into a word: "내 일" is no
//! "내일". Native numbers ("세 시", "두 개") stand in the vocabulary, Sino-Korean ones are read sign by
//! sign; one sign alone is a number only before what such numbers count (`LONE_BEFORE`), since "일" is
//! also work, "이" this and "오" an exclamation. "3일" is the 3rd, "3일 동안" three days.

use jiff::civil::Weekday::{Friday, Monday, Saturday, Sunday, Thursday, Tuesday, Wednesday};

use crate::nlu::entity::builtin::tongue::Part::{Afternoon, Dawn, Evening, Morning, Night, Noon};
use crate::nlu::entity::builtin::tongue::{Op, Rules, Section, Tongue, Unit, Unspaced, Which};

pub(super) static KOREAN: Tongue = Tongue {
    month_first: true,
    written: Some(native),
    weekday_tail: "날",
    minus: &["마이너스", "영하"],
    and_half: &["반"],
    and: &["와", "과", "하고", "이랑", "랑", ",", "그리고"],
    numbers: &[("첫", 1.0)],
    ordinals: &[("첫째", 1), ("첫번째", 1), ("둘째", 2), ("셋째", 3), ("넷째", 4)],
    weekdays: &[
        ("월요일", Monday),
        ("화요일", Tuesday),
        ("수요일", Wednesday),
        ("목요일", Thursday),
        ("금요일", Friday),
        ("토요일", Saturday),
        ("일요일", Sunday),
    ],
    months: &[("유월", 6), ("시월", 10)],
    units: &[
        ("초", Unit::Second),
        ("초간", Unit::Second),
        ("분", Unit::Minute),
        ("분간", Unit::Minute),
        ("시간", Unit::Hour),
        ("일", Unit::Day),
        ("일간", Unit::Day),
        ("주", Unit::Week),
        ("주일", Unit::Week),
        ("주간", Unit::Week),
        ("개월", Unit::Month),
        ("개월간", Unit::Month),
        ("달", Unit::Month),
        ("년", Unit::Year),
        ("년간", Unit::Year),
        ("해", Unit::Year),
    ],
    measures: &[
        ("킬로미터", "kilometre"),
        ("미터", "metre"),
        ("센티미터", "centimetre"),
        ("센티", "centimetre"),
        ("밀리미터", "millimetre"),
        ("마일", "mile"),
        ("피트", "foot"),
        ("인치", "inch"),
        ("야드", "yard"),
    ],
    currencies: &[
        ("원", "KRW"),
        ("달러", "USD"),
        ("미국달러", "USD"),
        ("유로", "EUR"),
        ("파운드", "GBP"),
        ("엔", "JPY"),
        ("위안", "CNY"),
        ("루피", "INR"),
        ("루블", "RUB"),
    ],
    moment_links: &[",", "에", "의"],
    rules: RULES,
    unspaced: Some(&Unspaced {
        spaced: true,
        ordinary: ORDINARY,
        whole: &[
            "오늘 내일 모레 내일모레 어제 그저께 오전 오후 아침 저녁 새벽 정오 자정 이번 이달",
            "매일 매주 매월 매달 매년 올해 내년 작년 일주일",
        ],
        counters: COUNTERS,
        particles: &["에", "의", "은", "는", "을", "를"],
        endings: ENDINGS,
        lone_before: LONE_BEFORE,
        article: "첫",
        year: "년",
        month: "월",
        day: &["일"],
        one_day: ["일", "일"],
        fraction: ["분", "의"],
        weekday_signs: &["월", "화", "수", "목", "금", "토", "일"],
        behind_date: &["에", "까지", "부터"],
        away: &["동안", "내내", "전", "후", "뒤", "이내", "안에"],
        part_links: &["의", "에"],
        ..Unspaced::NONE
    }),
    ..Tongue::NEUTRAL
};

/// Native numbers up to 99: as they count things, and as they are said alone.
fn native(number: u32) -> Vec<String> {
    const UNITS: [[&str; 2]; 10] = [
        ["", ""],
        ["한", "하나"],
        ["두", "둘"],
        ["세", "셋"],
        ["네", "넷"],
        ["다섯", "다섯"],
        ["여섯", "여섯"],
        ["일곱", "일곱"],
        ["여덟", "여덟"],
        ["아홉", "아홉"],
    ];
    const TENS: [[&str; 2]; 10] = [
        ["", ""],
        ["열", "열"],
        ["스물", "스무"],
        ["서른", "서른"],
        ["마흔", "마흔"],
        ["쉰", "쉰"],
        ["예순", "예순"],
        ["일흔", "일흔"],
        ["여든", "여든"],
        ["아흔", "아흔"],
    ];
    let (tens, units) = (number as usize / 10, number as usize % 10);
    let (Some([ten, twenty]), Some(forms)) = (TENS.get(tens), UNITS.get(units)) else {
        return Vec::new();
    };
    let mut all: Vec<String> = forms.iter().map(|form| format!("{ten}{form}")).collect();
    if units == 0 {
        all.push((*twenty).to_owned());
    }
    all.sort();
    all.dedup();
    all
}

/// What may be glued behind a reading.
const ENDINGS: &[&str] = &[
    "말 초 중순 에 에는 에도 에만 엔 에서 에서는 에서부터 까지 까지는 까지만 까지의 부터 부터는 은 는 이 가 을",
    "를 의 로 으로 와 과 랑 이랑 하고 도 만 만에 쯤 쯤에 경 경에 께 정도 마다 짜리 씩 이나 나 보다",
    "동안 간 내내 안에 이내 이내에 째 후 뒤 전 전에 후에 뒤에 이야 야 이에요 예요 입니다 인데 이고 인",
    "이면 면 인지 이지 이니 니 냐 였어 이었어 이전 이후 이상 이하 미만 초과",
];

const LONE_BEFORE: &[&str] = &[
    "월 개월 일 분 초 주 년 층 번 호 원 퍼센트 프로 도 킬로 미터 센티 학년 학기 장 점 위 등 회 달러",
    "유로 엔 위안 인분 쪽 과 페이지 마일 _분 _초 _년 _주 _개월 _월 _층 _번 _호 _원 _퍼센트 _프로 _도",
    "_킬로 _미터 _센티 _학년 _학기 _점 _등 _회 _달러 _유로 _인분 _페이지 _마일",
];

const COUNTERS: &[&str] = &[
    "개 명 번 장 권 살 마리 대 잔 병 컵 그릇 송이 벌 켤레 채 자루 곡 곳 가지 사람 분 세 층 호 회 위",
    "등 점 학년 학기 반 과목 과 페이지 쪽 줄 칸 조각 문제 문항 편 통 건 배 팀 그루 알 시 인분 호선",
    "단계 강 주차 회차 킬로 그램 리터 표 자리 박 단어 문장 더하기 빼기 곱하기 나누기",
];

/// What begins like a numeral before what numbers count, and is another word.
const ORDINARY: &[&str] = &[
    "이_분 이_주 이_년 이_도 이_과 이_등 이_장 이_점 이_호 이_원 이_회 이_위 일도 일과 일등 일점",
    "일회용 일원 일위 일장 삼도 삼과 사원 사과 사도 사회 사장 사초 사주 사점 사위 사호 사등분 오도",
    "오점 오과 육회 육도 육과 칠점 팔도 팔점 구도 구점 구호 구원 구분 구회 구장 구과 백도 백과 백분율",
    "백호 백장 천도 천장 천호 천만에 만도 만점 만회 만과 만원버스 만일 영도 영원 영점 영과 영호",
    "영등포 공도 공원 공과 공장 공회 공점 조도 조회 조장 조원 조과 한번 한_번 한국 한강 한편 한과",
    "한_분 두_분 세_분 네_분 두통 세대 세상 세계 네가 하나도 한두 두세 서너 너댓 네다섯 대여섯 하나님 열대 열등 둘러 셋업 제한 제네바",
    "제두 제세 제열",
];

const RULES: &[(Section, Rules)] = &[
    (
        Section::Part,
        &[
            ("[의] 새벽", Op::Part(Dawn)),
            ("[의] (아침|오전)", Op::Part(Morning)),
            ("[의] (낮|점심|대낮)", Op::Part(Noon)),
            ("[의] 오후", Op::Part(Afternoon)),
            ("[의] 저녁", Op::Part(Evening)),
            ("[의] (밤|한밤중|심야)", Op::Part(Night)),
        ],
    ),
    (
        Section::Duration,
        &[
            ("반 {unit}", Op::Amount(0.5)),
            ("이틀", Op::Fixed(2880)),
            ("사흘", Op::Fixed(4320)),
            ("나흘", Op::Fixed(5760)),
            ("닷새", Op::Fixed(7200)),
            ("열흘", Op::Fixed(14400)),
            ("보름", Op::Fixed(21600)),
            ("일주일", Op::Fixed(10080)),
        ],
    ),
    (
        Section::Time,
        &[
            ("정오", Op::At(12, 0)),
            ("자정", Op::At(0, 0)),
            ("영 시", Op::At(0, 0)),
            ("{hour} 시 [정각]", Op::Hour(0)),
            ("{hour} 시 반", Op::Hour(30)),
            ("{hour} 시 {minute} 분", Op::HourMinute),
            ("{hour} 시 {minute} 분 전", Op::Minutes(-1)),
        ],
    ),
    (
        Section::Date,
        &[
            ("오늘", Op::Day(0)),
            ("내일", Op::Day(1)),
            ("(모레|내일모레)", Op::Day(2)),
            ("글피", Op::Day(3)),
            ("어제", Op::Day(-1)),
            ("(그저께|그제|엊그제)", Op::Day(-2)),
            ("(오늘밤|오늘 밤)", Op::Tonight),
            ("내일 밤", Op::DayPart(1, Night)),
            ("내일 낮", Op::DayPart(1, Noon)),
            ("모레 밤", Op::DayPart(2, Night)),
            ("(어젯밤|어제 밤|간밤)", Op::DayPart(-1, Evening)),
            ("{weekday}", Op::Weekday(Which::Coming)),
            ("(이번 주|이번 주의|금주) {weekday}", Op::WeekdayOfWeek(0)),
            ("이번 {weekday}", Op::Weekday(Which::This)),
            ("(다음 주|다음 주의|차주|담주) {weekday}", Op::WeekdayOfWeek(1)),
            ("다음 {weekday}", Op::Weekday(Which::Coming)),
            ("(다다음 주) {weekday}", Op::WeekdayOfWeek(2)),
            ("(지난 주|저번 주) {weekday}", Op::WeekdayOfWeek(-1)),
            ("(지난|저번) {weekday}", Op::Weekday(Which::Last)),
            ("{dur} (후|뒤|있다가|이따가)", Op::From(1)),
            ("(지금|오늘) 부터 {dur} (후|뒤)", Op::From(1)),
            ("{dur} 전", Op::From(-1)),
            ("하루 (후|뒤)", Op::Day(1)),
            ("하루 전", Op::Day(-1)),
            ("{year} 년 {month} {day} 일", Op::Calendar),
            ("{month} {day} 일", Op::Calendar),
            ("{month} {day} 일 {weekday}", Op::Calendar),
            ("(올해|금년) {month} {day} 일", Op::CalendarOf(0)),
            ("(내년|다음 해) {month} {day} 일", Op::CalendarOf(1)),
            ("(작년|지난 해) {month} {day} 일", Op::CalendarOf(-1)),
            ("이번 달 {day} [번째|주] {weekday}", Op::NthWeekdayOf(0)),
            ("다음 달 {day} [번째|주] {weekday}", Op::NthWeekdayOf(1)),
            ("{month} {day} [번째|주] {weekday}", Op::NthWeekdayOf(0)),
            ("{day} 일", Op::DayOfMonth),
            ("{day} 일 {weekday}", Op::WeekdayDay),
            ("(이번 달|이달) {day} 일", Op::DayOf(0)),
            ("(다음 달|내달) {day} 일", Op::DayOf(1)),
            ("(지난 달|저번 달) {day} 일", Op::DayOf(-1)),
            ("(월말|이번 달 말|이달 말|이번 달 말일)", Op::MonthEnd(0)),
            ("(다음 달 말|다음 달 말일)", Op::MonthEnd(1)),
            ("(지난 달 말|지난 달 말일)", Op::MonthEnd(-1)),
            ("(다음 달 초|다음 달 초하루)", Op::MonthStart(1)),
            ("(연말|올해 말|올 연말)", Op::YearEnd(0)),
            ("(내년 말|내년 연말)", Op::YearEnd(1)),
            ("(새해 첫날|설날 아침)", Op::Feast(1, 1)),
            ("밸런타인데이", Op::Feast(2, 14)),
            ("어린이날", Op::Feast(5, 5)),
            ("광복절", Op::Feast(8, 15)),
            ("한글날", Op::Feast(10, 9)),
            ("크리스마스이브", Op::Feast(12, 24)),
            ("(크리스마스|성탄절)", Op::Feast(12, 25)),
        ],
    ),
    (
        Section::Interval,
        &[
            ("(이번 주|금주)", Op::Week(0)),
            ("(다음 주|차주|담주)", Op::Week(1)),
            ("다다음 주", Op::Week(2)),
            ("(지난 주|저번 주)", Op::Week(-1)),
            ("(주말|이번 주말)", Op::Weekend(0)),
            ("(다음 주말|다음 주 주말)", Op::Weekend(1)),
            ("(지난 주말|저번 주말)", Op::Weekend(-1)),
            ("(이번 달|이달)", Op::Month(0)),
            ("(다음 달|내달)", Op::Month(1)),
            ("다다음 달", Op::Month(2)),
            ("(지난 달|저번 달)", Op::Month(-1)),
            ("(올해|금년)", Op::Year(0)),
            ("내년", Op::Year(1)),
            ("내후년", Op::Year(2)),
            ("(작년|지난 해)", Op::Year(-1)),
            ("재작년", Op::Year(-2)),
            ("{month}", Op::NamedMonth(Which::This)),
            ("{year} 년 {month}", Op::NamedMonth(Which::This)),
            ("(올해|금년) {month}", Op::MonthOf(0)),
            ("내년 {month}", Op::MonthOf(1)),
            ("작년 {month}", Op::MonthOf(-1)),
            ("{year} 년", Op::NamedYear),
            ("(앞으로|향후|다음) {dur} [동안|간]", Op::Span(1)),
            ("(지난|최근) {dur} [동안|간]", Op::Span(-1)),
            ("{edge} (부터|에서) {edge}", Op::Between),
            ("{edge} (~|〜) {edge}", Op::Between),
            ("{edge} (와|과) {edge} 사이", Op::Between),
            ("{month} {day} 일 (부터|에서|~|-) {day} 일", Op::Days),
        ],
    ),
    (
        Section::Recurrence,
        &[
            ("(매일|날마다)", Op::Each(Unit::Day)),
            ("(매주|주마다)", Op::Each(Unit::Week)),
            ("(매월|매달|달마다)", Op::Each(Unit::Month)),
            ("(매년|해마다)", Op::Each(Unit::Year)),
            ("(매시간|매시|시간마다)", Op::Each(Unit::Hour)),
            ("매분", Op::Each(Unit::Minute)),
            ("(매일 아침|아침마다)", Op::Daily(Morning)),
            ("(매일 오후|오후마다)", Op::Daily(Afternoon)),
            ("(매일 저녁|저녁마다)", Op::Daily(Evening)),
            ("(매일 밤|밤마다)", Op::Daily(Night)),
            ("매주 {weekdays}", Op::EveryWeekdays),
            ("{weekdays} 마다", Op::EveryWeekdays),
            ("격주 [로] {weekdays}", Op::EveryOtherWeekdays),
            ("(이틀에 한 번|이틀마다|격일 [로])", Op::Alternate),
            ("격 {unit}", Op::EveryOther(2)),
            ("{n} {unit} 마다", Op::Every),
            ("평일 [마다]", Op::Workdays),
            ("(매주 주말|주말마다)", Op::Weekends),
            ("(매월|매달) {day} [번째] {weekday}", Op::NthWeekday),
            ("(매월|매달) {day} 일", Op::MonthDay),
            ("매년 {month} {day} 일", Op::YearDay),
        ],
    ),
    (
        Section::Quantity,
        &[
            ("제 {n}", Op::Ordinal),
            ("{n} (번째|째)", Op::Ordinal),
            ("{n} (퍼센트|프로)", Op::Percent),
            ("{n} 할", Op::PercentOf(10.0)),
            ("{n} 다스", Op::Times(12.0)),
            ("{n} 센트", Op::MoneyOf("USD", 100.0)),
            ("{n} 도", Op::Temperature("degree")),
            ("섭씨 {n} 도", Op::Temperature("celsius")),
            ("화씨 {n} 도", Op::Temperature("fahrenheit")),
        ],
    ),
];
