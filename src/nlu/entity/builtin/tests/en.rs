//! English.

use super::{Row, check, check_at};

const DATES: &[Row] = &[
    ("what is due today", &["date:today=2026-11-23"]),
    ("due tomorrow?", &["date:tomorrow=2026-11-24"]),
    ("where was i yesterday", &["date:yesterday=2026-11-22"]),
    ("the day after tomorrow", &["date:the day after tomorrow=2026-11-25"]),
    ("the day before yesterday", &["date:the day before yesterday=2026-11-21"]),
    ("what is on tonight", &["date:tonight=2026-11-23"]),
    ("friday", &["date:friday=2026-11-27"]),
    ("on monday", &["date:monday=2026-11-30"]),
    ("this monday", &["date:this monday=2026-11-23"]),
    ("next monday", &["date:next monday=2026-11-30"]),
    ("next friday", &["date:next friday=2026-12-04"]),
    ("last friday", &["date:last friday=2026-11-20"]),
    ("last monday", &["date:last monday=2026-11-16"]),
    ("wednesday next week", &["date:wednesday next week=2026-12-02"]),
    ("a week from friday", &["date:a week from friday=2026-12-04"]),
    ("in two weeks", &["date:in two weeks=2026-12-07"]),
    ("in a month", &["date:in a month=2026-12-23"]),
    ("three days ago", &["date:three days ago=2026-11-20"]),
    ("a year ago", &["date:a year ago=2025-11-23"]),
    ("10 days from now", &["date:10 days from now=2026-12-03"]),
    ("14 march 2027", &["date:14 march 2027=2027-03-14"]),
    ("the 14th of march", &["date:the 14th of march=2027-03-14"]),
    ("March 14th, 2028", &["date:March 14th, 2028=2028-03-14"]),
    ("january 5", &["date:january 5=2027-01-05"]),
    ("the twenty-first of june", &["date:the twenty-first of june=2027-06-21"]),
    ("feb 29", &["date:feb 29=2028-02-29"]),
    ("february 29 2027", &["number:29=29", "number:2027=2027"]),
    ("monday the 30th of november", &["date:monday the 30th of november=2026-11-30"]),
    ("2027-12-31", &["date:2027-12-31=2027-12-31"]),
    ("12/25/2027", &["date:12/25/2027=2027-12-25"]),
    ("25/12/2027", &["date:25/12/2027=2027-12-25"]),
    ("the exam on 3/4", &["date:3/4=2027-03-04"]),
    ("on the 3rd", &["date:on the 3rd=2026-12-03"]),
    ("friday the 13th", &["date:friday the 13th=2027-08-13"]),
    ("on the 31st", &["date:on the 31st=2026-12-31"]),
    ("by the end of the month", &["date:the end of the month=2026-11-30"]),
    ("on christmas day", &["date:christmas day=2026-12-25"]),
    ("may 5", &["date:may 5=2027-05-05"]),
    ("on first of february twenty seventeen", &["date:first of february twenty seventeen=2017-02-01"]),
    ("twenty second april", &["date:twenty second april=2027-04-22"]),
    ("nov second", &["date:nov second=2027-11-02"]),
    ("next week on tuesday", &["date:next week on tuesday=2026-12-01"]),
    ("in 100 days from now", &["date:in 100 days from now=2027-03-03"]),
    ("i sat down on sat", &["date:sat=2026-11-28"]),
];

const STRETCHES: &[Row] = &[
    ("this week", &["interval:this week=2026-11-23..2026-11-29"]),
    ("what do i have next week", &["interval:next week=2026-11-30..2026-12-06"]),
    ("last month", &["interval:last month=2026-10-01..2026-10-31"]),
    ("next year", &["interval:next year=2027-01-01..2027-12-31"]),
    ("this weekend", &["interval:this weekend=2026-11-28..2026-11-29"]),
    ("in january", &["interval:in january=2027-01-01..2027-01-31"]),
    ("in may", &["interval:in may=2027-05-01..2027-05-31"]),
    (
        "in casper from march 5th to march 11th",
        &["interval:from march 5th to march 11th=2027-03-05..2027-03-11"],
    ),
    ("february 2028", &["interval:february 2028=2028-02-01..2028-02-29"]),
    ("the next three days", &["interval:the next three days=2026-11-23..2026-11-26"]),
    ("the last two weeks", &["interval:the last two weeks=2026-11-09..2026-11-23"]),
    ("tomorrow morning", &["interval:tomorrow morning=2026-11-24T06:00:00+01:00..2026-11-24T12:00:00+01:00"]),
    ("friday evening", &["interval:friday evening=2026-11-27T18:00:00+01:00..2026-11-28T00:00:00+01:00"]),
    ("from 3 to 5 pm", &["interval:from 3 to 5 pm=15:00:00..17:00:00"]),
    ("from 9 am to 5 pm", &["interval:from 9 am to 5 pm=09:00:00..17:00:00"]),
    ("3-5pm", &["interval:3-5pm=15:00:00..17:00:00"]),
    ("9:00-10:30", &["interval:9:00-10:30=09:00:00..10:30:00"]),
    ("between 11 and 1 pm", &["interval:between 11 and 1 pm=11:00:00..13:00:00"]),
    ("between monday and friday", &["interval:between monday and friday=2026-11-30..2026-12-04"]),
    ("from tomorrow to friday", &["interval:from tomorrow to friday=2026-11-24..2026-11-27"]),
    (
        "tomorrow from 3 to 5",
        &["interval:tomorrow from 3 to 5=2026-11-24T15:00:00+01:00..2026-11-24T17:00:00+01:00"],
    ),
    (
        "from 3 to 5 pm tomorrow",
        &["interval:from 3 to 5 pm tomorrow=2026-11-24T15:00:00+01:00..2026-11-24T17:00:00+01:00"],
    ),
    (
        "from the 3rd to the 5th of march",
        &["interval:from the 3rd to the 5th of march=2027-03-03..2027-03-05"],
    ),
];

const TIMES: &[Row] = &[
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
    ("twenty-five to six", &["time:twenty-five to six=17:35:00"]),
    ("ten to midnight", &["time:ten to midnight=23:50:00"]),
    ("nine o'clock", &["time:nine o'clock=09:00:00"]),
    ("six in the morning", &["time:six in the morning=06:00:00"]),
    ("at 5", &["time:at 5=17:00:00"]),
    ("three thirty pm", &["time:three thirty pm=15:30:00"]),
    ("at 7.15 am", &["time:at 7.15 am=07:15:00"]),
    ("at 3.5", &["number:3.5=3.5"]),
    ("at 5 percent", &["percentage:5 percent=5"]),
    ("at 5 main street", &["number:5=5"]),
    ("25:00", &[]),
    ("at 24:00", &["time:at 24:00=00:00:00"]),
    ("wake me at 6 in the morning", &["time:at 6 in the morning=06:00:00"]),
];

const MOMENTS: &[Row] = &[
    ("tomorrow at 3pm", &["datetime:tomorrow at 3pm=2026-11-24T15:00:00+01:00"]),
    ("at 9 on friday", &["datetime:at 9 on friday=2026-11-27T09:00:00+01:00"]),
    ("tonight at 8", &["datetime:tonight at 8=2026-11-23T20:00:00+01:00"]),
    ("tomorrow morning at 9", &["datetime:tomorrow morning at 9=2026-11-24T09:00:00+01:00"]),
    ("next monday at half past two", &["datetime:next monday at half past two=2026-11-30T14:30:00+01:00"]),
    ("in 10 minutes", &["datetime:in 10 minutes=2026-11-23T10:10:00+01:00"]),
    ("two hours ago", &["datetime:two hours ago=2026-11-23T08:00:00+01:00"]),
    ("half an hour from now", &["datetime:half an hour from now=2026-11-23T10:30:00+01:00"]),
    ("14 march 2027, 15:30", &["datetime:14 march 2027, 15:30=2027-03-14T15:30:00+01:00"]),
    ("6 pm on the 21st at the club", &["datetime:6 pm on the 21st=2026-12-21T18:00:00+01:00"]),
    ("in an hour's time", &["datetime:in an hour's time=2026-11-23T11:00:00+01:00"]),
    ("2027-07-01T08:00", &["datetime:2027-07-01T08:00=2027-07-01T08:00:00+02:00"]),
];

const RECURRENCES: &[Row] = &[
    ("every monday at 9", &["recurrence:every monday at 9=FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0"]),
    (
        "every day at half past seven",
        &["recurrence:every day at half past seven=FREQ=DAILY;BYHOUR=7;BYMINUTE=30"],
    ),
    ("at 8 am every morning", &["recurrence:at 8 am every morning=FREQ=DAILY;BYHOUR=8;BYMINUTE=0"]),
    ("every two weeks", &["recurrence:every two weeks=FREQ=WEEKLY;INTERVAL=2"]),
    ("every other friday", &["recurrence:every other friday=FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"]),
    (
        "every weekday at 6:30",
        &["recurrence:every weekday at 6:30=FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=6;BYMINUTE=30"],
    ),
    ("on mondays and thursdays", &["recurrence:on mondays and thursdays=FREQ=WEEKLY;BYDAY=MO,TH"]),
    ("on the 1st of every month", &["recurrence:on the 1st of every month=FREQ=MONTHLY;BYMONTHDAY=1"]),
    (
        "every first monday of the month",
        &["recurrence:every first monday of the month=FREQ=MONTHLY;BYDAY=1MO"],
    ),
    (
        "from monday to friday at 9",
        &["recurrence:from monday to friday at 9=FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=9;BYMINUTE=0"],
    ),
    ("every evening at 8", &["recurrence:every evening at 8=FREQ=DAILY;BYHOUR=20;BYMINUTE=0"]),
];

const NOTHING: &[Row] = &[
    ("you may go", &[]),
    ("how many months in a year", &["duration:a year=P1Y"]),
    ("march on", &[]),
    ("i sat in the sun", &[]),
    ("they wed in secret", &[]),
    ("2027-02-30", &[]),
    ("the last one", &[]),
    ("call the school", &[]),
    ("someone often attends", &[]),
    ("twice a day", &[]),
    ("call mom", &[]),
    ("second of all", &[]),
    ("give me a second chance", &["ordinal:second=2"]),
    ("5 to 10 minutes", &["number:5=5", "duration:10 minutes=PT10M"]),
    ("5 pounds of flour", &["number:5=5"]),
    ("between 5 and 10 people", &["number:5=5", "number:10=10"]),
    ("play the mp3", &[]),
    ("version 3.4.5", &[]),
    ("4x4 drive", &[]),
    ("this one and that one", &[]),
    ("open 24/7", &[]),
    ("at first i was afraid", &[]),
    ("minutes of the meeting", &[]),
    ("we march to the gate", &[]),
];

#[test]
fn dates_are_full_dates() {
    check("en", DATES);
}

#[test]
fn stretches_have_both_ends() {
    check("en", STRETCHES);
}

#[test]
fn times_and_moments() {
    check("en", TIMES);
    check("en", MOMENTS);
}

#[test]
fn recurrences_are_rules() {
    check("en", RECURRENCES);
}

#[test]
fn what_means_something_else_is_left_alone() {
    check("en", NOTHING);
}

#[test]
fn clocks_change_and_years_leap() {
    check_at(
        "en",
        "2027-03-27T12:00:00+01:00[Europe/Berlin]",
        &[
            // The clocks skip from 2 to 3.
            ("tomorrow at 2:30", &["datetime:tomorrow at 2:30=2027-03-28T03:30:00+02:00"]),
            // 24 hours are not a day when the clocks change.
            ("in 24 hours", &["datetime:in 24 hours=2027-03-28T13:00:00+02:00"]),
            ("tomorrow at noon", &["datetime:tomorrow at noon=2027-03-28T12:00:00+02:00"]),
        ],
    );
    check_at(
        "en",
        "2026-10-24T12:00:00+02:00[Europe/Berlin]",
        &[
            // 2:30 comes twice: the first is meant.
            ("tomorrow at 2:30", &["datetime:tomorrow at 2:30=2026-10-25T02:30:00+02:00"]),
            ("tomorrow at 3:30", &["datetime:tomorrow at 3:30=2026-10-25T03:30:00+01:00"]),
        ],
    );
    check_at(
        "en",
        "2028-01-31T12:00:00-05:00[America/New_York]",
        &[
            ("in a month", &["date:in a month=2028-02-29"]),
            ("a month ago", &["date:a month ago=2027-12-31"]),
            ("the end of next month", &["date:the end of next month=2028-02-29"]),
            ("on the 30th", &["date:on the 30th=2028-03-30"]),
            ("february 29", &["date:february 29=2028-02-29"]),
        ],
    );
    check_at(
        "en",
        "2028-02-29T12:00:00+00:00[UTC]",
        &[
            ("a year ago", &["date:a year ago=2027-02-28"]),
            ("in a year", &["date:in a year=2029-02-28"]),
            ("tomorrow", &["date:tomorrow=2028-03-01"]),
        ],
    );
    check_at(
        "en",
        "2026-12-31T23:30:00+09:00[Asia/Tokyo]",
        &[
            ("in an hour", &["datetime:in an hour=2027-01-01T00:30:00+09:00"]),
            ("tomorrow", &["date:tomorrow=2027-01-01"]),
        ],
    );
}

#[test]
fn amounts_are_read() {
    check(
        "en",
        &[
            ("I have 3 apples", &["number:3=3"]),
            ("count to 1,250.50 now", &["number:1,250.50=1250.5"]),
            ("it is -4 outside", &["number:-4=-4"]),
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
            ("one apple", &["number:one=1"]),
            ("the 3rd chapter", &["ordinal:3rd=3"]),
            ("my second attempt", &["ordinal:second=2"]),
            ("the twenty-first century", &["ordinal:twenty-first=21"]),
            ("on the second floor", &["ordinal:second=2"]),
            ("wait a second", &["duration:a second=PT1S"]),
            ("the 22th", &[]),
            ("first, open the book", &[]),
            ("I scored 87.5%", &["percentage:87.5%=87.5"]),
            ("ten percent off", &["percentage:ten percent=10"]),
            ("5 per cent", &["percentage:5 per cent=5"]),
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
            ("it costs $5.50", &["money:$5.50=5.5 USD"]),
            ("20 bucks", &["money:20 bucks=20 USD"]),
            ("five hundred euros", &["money:five hundred euros=500 EUR"]),
            ("3 dollars and 50 cents", &["money:3 dollars and 50 cents=3.5 USD"]),
            ("99 cents", &["money:99 cents=0.99 USD"]),
            ("20 degrees celsius", &["temperature:20 degrees celsius=20 celsius"]),
            ("set it to 70 degrees", &["temperature:70 degrees=70 degree"]),
            ("-5 °F", &["temperature:-5 °F=-5 fahrenheit"]),
            ("three miles", &["distance:three miles=3 mile"]),
            ("5 km away", &["distance:5 km=5 kilometre"]),
            ("call +1 (555) 123-4567", &["phone:+1 (555) 123-4567=+15551234567"]),
            ("call 555-123-4567", &["phone:555-123-4567=5551234567"]),
            ("pages 10-12", &[]),
        ],
    );
}
