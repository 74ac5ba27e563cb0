//! Accounts in lists and in figures.

use super::stage::{World, at, email, page};
use crate::kit::http::page::Page;
use crate::kit::ids::UserId;
use crate::users::account::{Account, Status};
use crate::users::store::{AccountQuery, AccountSort, NewAccount, Within};

pub(super) fn everybody() -> AccountQuery {
    AccountQuery {
        within: Within::Everyone,
        search: None,
        role: None,
        status: None,
        institution: None,
        sort: AccountSort::Newest,
        page: page(200, None),
    }
}

async fn names(world: &World, query: AccountQuery) -> Vec<String> {
    let found = world.store.accounts(query).await.unwrap();
    found.accounts.into_iter().map(|account| account.name).collect()
}

async fn walk(world: &World, query: &AccountQuery, limit: u32) -> Vec<Account> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    loop {
        let query = AccountQuery { page: page(limit, after.as_deref()), ..query.clone() };
        let found = world.store.accounts(query).await.unwrap();
        assert!(found.accounts.len() <= limit as usize);
        all.extend(found.accounts);
        let Some(next) = found.next else { return all };
        after = Some(next.to_string());
    }
}

pub(crate) async fn pages_hold_every_account_once(world: &World) {
    let mut expected: Vec<UserId> = Vec::new();
    for number in 0..23 {
        // Two share each instant, so that the id has to decide.
        let new = NewAccount { at: at(number / 2), ..world.student(&format!("s{number}")) };
        expected.push(world.add(new).await.id);
    }
    expected.reverse();
    for limit in [1, 2, 7, 23, 200] {
        let walked: Vec<_> = walk(world, &everybody(), limit).await.iter().map(|one| one.id).collect();
        assert_eq!(walked, expected, "{limit} a page");
    }
    let skipped = AccountQuery { page: Page::parse(Some(5), Some(20), None).unwrap(), ..everybody() };
    let skipped: Vec<_> =
        world.store.accounts(skipped).await.unwrap().accounts.iter().map(|one| one.id).collect();
    assert_eq!(skipped, expected[20..]);
    let filtered = AccountQuery { search: Some("s1".to_owned()), ..everybody() };
    assert_eq!(walk(world, &filtered, 3).await.len(), 11);
}

pub(crate) async fn a_search_finds_a_part_of_name_or_address_whatever_its_case(world: &World) {
    let people = [
        ("Ada Lovelace", "ada@north.example"),
        ("\u{c4}nne Stra\u{df}e", "anne@south.example"),
        ("\u{39f}\u{3b4}\u{3c5}\u{3c3}\u{3c3}\u{3b5}\u{3cd}\u{3c2}", "nobody@ithaca.example"),
    ];
    for (name, address) in people {
        world.add(NewAccount { email: Some(email(address)), ..world.student(name) }).await;
    }
    let cases = [
        ("LOVE", 0),
        ("Ada@North", 0),
        ("\u{e4}nne", 1),
        ("a\u{308}NNE", 1),
        ("STRASSE", 1),
        ("\u{3b4}\u{3c5}\u{3a3}\u{3a3}\u{3b5}", 2),
        ("ITHACA", 2),
    ];
    for (search, who) in cases {
        let found = names(world, AccountQuery { search: Some(search.to_owned()), ..everybody() }).await;
        assert_eq!(found, [people[who].0], "{search}");
    }
    assert!(
        names(world, AccountQuery { search: Some("love ada".to_owned()), ..everybody() }).await.is_empty()
    );
}

pub(crate) async fn what_a_search_is_for_is_no_pattern(world: &World) {
    let people = ["50%", "a_b", "c\\d", "e.f*", "(g", "plain", "h$^i"];
    for (number, name) in people.iter().enumerate() {
        let address = email(&format!("s{number}@example"));
        world.add(NewAccount { email: Some(address), ..world.student(name) }).await;
    }
    let cases = [("%", "50%"), ("_", "a_b"), ("\\", "c\\d"), (".f*", "e.f*"), ("(", "(g"), ("$^", "h$^i")];
    for (search, name) in cases {
        let found = names(world, AccountQuery { search: Some(search.to_owned()), ..everybody() }).await;
        assert_eq!(found, [name], "{search}");
    }
}

pub(crate) async fn filters_of_accounts_hold_together(world: &World) {
    let teacher = |name: &str, institution: &str| NewAccount {
        role: "teacher".to_owned(),
        ..world.pupil(name, institution)
    };
    world.add(teacher("anna", "North")).await;
    world.add(teacher("bert", "South")).await;
    world.add(world.pupil("carl", "North")).await;
    world.add(NewAccount { status: Status::Pending, ..world.pupil("dora", "North") }).await;
    let north = Some("North".to_owned());
    let teachers = Some("teacher".to_owned());
    let cases = [
        (AccountQuery { role: teachers.clone(), ..everybody() }, vec!["bert", "anna"]),
        (AccountQuery { status: Some(Status::Pending), ..everybody() }, vec!["dora"]),
        (AccountQuery { institution: north.clone(), ..everybody() }, vec!["dora", "carl", "anna"]),
        (AccountQuery { role: teachers.clone(), institution: north.clone(), ..everybody() }, vec!["anna"]),
        (AccountQuery { role: teachers, status: Some(Status::Pending), ..everybody() }, vec![]),
        (
            AccountQuery {
                search: Some("r".to_owned()),
                institution: north,
                status: Some(Status::Active),
                sort: AccountSort::Name,
                ..everybody()
            },
            vec!["anna", "carl"],
        ),
    ];
    for (query, expected) in cases {
        // Every address has an `r` in it: example.org.
        assert_eq!(names(world, query.clone()).await, expected, "{query:?}");
    }
}

pub(crate) async fn accounts_come_in_the_order_that_is_asked_for(world: &World) {
    for (number, name) in ["bert", "Anna", "\u{c4}nne", "carl"].into_iter().enumerate() {
        let address = email(&format!("s{number}@example"));
        let new = NewAccount {
            at: at(i64::try_from(number).unwrap()),
            email: Some(address),
            ..world.student(name)
        };
        world.add(new).await;
    }
    let all = world.store.accounts(everybody()).await.unwrap().accounts;
    let id = |name: &str| all.iter().find(|one| one.name == name).unwrap().id;
    world.store.touch_accounts(vec![(id("bert"), at(20)), (id("carl"), at(30))]).await.unwrap();
    let cases = [
        (AccountSort::Newest, ["carl", "\u{c4}nne", "Anna", "bert"]),
        (AccountSort::Oldest, ["bert", "Anna", "\u{c4}nne", "carl"]),
        (AccountSort::Name, ["Anna", "bert", "carl", "\u{c4}nne"]),
        // Who was never there comes last, the latest made first.
        (AccountSort::LastActive, ["carl", "bert", "\u{c4}nne", "Anna"]),
    ];
    for (sort, expected) in cases {
        assert_eq!(names(world, AccountQuery { sort, ..everybody() }).await, expected, "{sort:?}");
        let page = Page::parse(Some(2), Some(1), None).unwrap();
        let part = names(world, AccountQuery { sort, page, ..everybody() }).await;
        assert_eq!(part, expected[1..3], "{sort:?}, a part");
    }
}

pub(crate) async fn lists_and_figures_end_where_the_reach_does(world: &World) {
    let anna = world.add(world.pupil("anna", "North")).await;
    world.add(NewAccount { role: "teacher".to_owned(), ..world.pupil("bert", "North") }).await;
    world.add(NewAccount { status: Status::Pending, ..world.pupil("carl", "South") }).await;
    let gone = world.add(world.pupil("gone", "North")).await;
    world.store.erase_account(world.erasure(gone.id)).await.unwrap();
    let cases = [
        (Within::Everyone, vec!["carl", "bert", "anna"]),
        (Within::Institution("North".to_owned()), vec!["bert", "anna"]),
        (Within::Institution("West".to_owned()), vec![]),
        (Within::Only(anna.id), vec!["anna"]),
    ];
    for (within, expected) in cases {
        let query = AccountQuery { within: within.clone(), ..everybody() };
        assert_eq!(names(world, query).await, expected, "{within:?}");
        let stats = world.store.account_stats(&within).await.unwrap();
        assert_eq!(stats.total, expected.len() as u64, "{within:?}");
    }
    let south = AccountQuery { institution: Some("South".to_owned()), ..everybody() };
    let south = AccountQuery { within: Within::Institution("North".to_owned()), ..south };
    assert!(names(world, south).await.is_empty(), "a filter does not widen the reach");
    let stats = world.store.account_stats(&Within::Everyone).await.unwrap();
    assert_eq!(stats.by_status, [("active".to_owned(), 2), ("pending".to_owned(), 1)].into());
    assert_eq!(stats.by_role, [("student".to_owned(), 2), ("teacher".to_owned(), 1)].into());
}
