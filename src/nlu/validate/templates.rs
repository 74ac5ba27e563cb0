//! Templates: the lists that they name, and how much they say.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Entry, Findings, Place, quoted};
use crate::nlu::data::Item;
use crate::nlu::template;

/// How many sentences the templates of each intent can say, and where the first stands.
pub(super) type Templates<'a> = BTreeMap<&'a str, (Place, usize)>;

pub(super) fn check<'a>(entries: &[Entry<'a>], findings: &mut Findings<'_>) -> Templates<'a> {
    let mut lists: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for entry in entries {
        if let Item::Lookup { entity, value } = entry.item {
            lists.entry(entity).or_default().insert(value);
        }
    }
    let length = |list: &str| lists.get(list).map_or(0, BTreeSet::len);
    let mut templates = Templates::new();
    for entry in entries {
        let Item::Template { intent, template, lookups } = entry.item else {
            continue;
        };
        for list in lookups.iter().filter(|list| !lists.contains_key(list.as_str())) {
            let message =
                format!("{} takes values from {list}, which no lookup table defines", quoted(template));
            let fix = format!("Add \"- lookup: {list}\" with its values, or check the spelling of the name");
            findings.add(Check::UnknownList, entry.place, message, &fix);
        }
        let (_, sentences) = templates.entry(intent).or_insert((entry.place, 0));
        let said = template::parse(template).map_or(0, |piece| piece.sentences(&length));
        *sentences = sentences.saturating_add(said);
    }
    templates
}
