//! What holds for all languages without spaces.

use proptest::prelude::*;

use super::{NOW, check, entities, fits};

const LANGUAGES: [&str; 3] = ["ja", "zh", "ko"];

/// Words that begin and join phrases, numerals, particles, and words that hold one of them.
const PIECES: [&str; 56] = [
    "一",
    "二",
    "十",
    "百",
    "千",
    "万",
    "億",
    "零",
    "3",
    "２４",
    ".",
    ",",
    ":",
    "-",
    "年",
    "月",
    "日",
    "号",
    "時",
    "点",
    "半",
    "分",
    "間",
    "後",
    "前",
    "毎",
    "週",
    "月曜日",
    "周一",
    "从",
    "到",
    "から",
    "まで",
    "の",
    "午後",
    "下午",
    "一緒",
    "一起",
    "ドル",
    "フィン",
    "个",
    "令和",
    "元",
    "이",
    "일",
    "세",
    "시",
    "부터",
    "까지",
    "다음",
    "주",
    "오후",
    "만",
    "원",
    " ",
    "a",
];

#[test]
fn offsets_are_those_of_the_original_where_width_changes() {
    check("ja", &[("ﾄﾞﾙは５０㌦、２５㌔じゃない", &["money:５０㌦=50 USD", "number:２５=25"])]);
    for language in LANGUAGES {
        let found = entities("（２０２７／０３／１４）", language, NOW).0;
        let spans: Vec<(usize, usize, &str)> =
            found.iter().map(|entity| (entity.start, entity.end, entity.text.as_str())).collect();
        assert_eq!(spans, [(1, 11, "２０２７／０３／１４")], "{language}");
    }
}

#[test]
fn addresses_end_where_the_script_changes() {
    check("ja", &[("https://x.org/aを開いて", &["url:https://x.org/a=https://x.org/a"])]);
    check("zh", &[("发给ann@x.cn吧", &["email:ann@x.cn=ann@x.cn"])]);
    check("ko", &[("www.x.kr에서", &["url:www.x.kr=www.x.kr"])]);
}

proptest! {
    #[test]
    fn whatever_is_put_together_offsets_fit(
        pieces in prop::collection::vec(0..PIECES.len(), 0..40),
        language in 0..LANGUAGES.len(),
    ) {
        let text: String = pieces.into_iter().filter_map(|piece| PIECES.get(piece)).copied().collect();
        fits(&text, LANGUAGES[language])?;
    }

    #[test]
    fn whatever_is_said_offsets_fit(original in any::<String>(), language in 0..LANGUAGES.len()) {
        fits(&original, LANGUAGES[language])?;
    }
}

#[test]
fn long_texts_take_bounded_time() {
    for text in [
        "三時から".repeat(10_000),
        "一万二千三百".repeat(6_000),
        "毎週月曜日と".repeat(6_000),
        "从三点到".repeat(10_000),
        "一千零".repeat(10_000),
        "이십일".repeat(10_000),
        "세 시부터 ".repeat(6_000),
        "1,111万".repeat(10_000),
    ] {
        for language in LANGUAGES {
            let start = std::time::Instant::now();
            entities(&text, language, NOW);
            assert!(start.elapsed().as_secs() < 2, "{language} {text:.20}");
        }
    }
}
