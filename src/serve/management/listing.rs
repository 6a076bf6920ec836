//! Lists: sorted, cut into pages, with the columns that were asked for.

use crate::serve::management::answer::{Answered, ApiAnswer};
use crate::serve::management::request::ApiRequest;
use fancy_regex::RegexBuilder;
use serde_json::{Map, Value as Json, json};
use std::cmp::Ordering;

/// The entries of a page unless it is said.
const PAGE_SIZE: u64 = 100;

/// The most entries of a page.
const PAGE_SIZE_MAX: u64 = 500;

/// The longest pattern of a name, in characters.
const PATTERN_MAX: usize = 1_000;

/// Answers with a list as the query wants it; `sorts` are what RabbitMQ sorts it by.
pub(crate) fn listed(request: &ApiRequest, entries: Vec<Json>, sorts: &[&str]) -> Answered {
    sorted(request, entries, sorts, true)
}

/// The same, with all columns whatever was asked for.
pub(crate) fn listed_whole(request: &ApiRequest, entries: Vec<Json>, sorts: &[&str]) -> Answered {
    sorted(request, entries, sorts, false)
}

fn sorted(request: &ApiRequest, mut entries: Vec<Json>, sorts: &[&str], narrows: bool) -> Answered {
    let narrowed = |entry: Json| if narrows { with_columns(request, entry) } else { entry };
    let page = page(request)?;
    match request.parameter("sort") {
        Some(column) if !column.is_empty() => {
            entries.sort_by(|a, b| compare(dotted(a, &column), dotted(b, &column)));
        }
        _ => {
            let by = |a: &Json, b: &Json| {
                let orders = sorts.iter().map(|column| compare(dotted(a, column), dotted(b, column)));
                orders.fold(Ordering::Equal, Ordering::then)
            };
            entries.sort_by(by);
        }
    }
    if request.parameter("sort_reverse").as_deref() == Some("true") {
        entries.reverse();
    }
    let Some((number, size)) = page else {
        return Ok(ApiAnswer::json(entries.into_iter().map(narrowed).collect()));
    };
    let total = entries.len();
    let entries = named(request, entries);
    let (filtered, from) = (entries.len(), (number - 1).saturating_mul(size));
    if from > 0 && from >= filtered as u64 {
        let reason = format!("Page out of range, page: {number} page size: {size}, len: {filtered}");
        return Err(ApiAnswer::error(400, "page_out_of_range", reason));
    }
    let items = entries.into_iter().skip(from as usize).take(size as usize);
    let items: Vec<Json> = items.map(narrowed).collect();
    Ok(ApiAnswer::json(json!({
        "filtered_count": filtered, "item_count": items.len(), "items": items, "page": number,
        "page_count": (filtered as u64).div_ceil(size), "page_size": size, "total_count": total,
    })))
}

/// Answers with one object, or with the columns of it that were asked for.
pub(crate) fn shown(request: &ApiRequest, object: Json) -> ApiAnswer {
    ApiAnswer::json(with_columns(request, object))
}

/// Reads which page is wanted, and its size; `None` is the whole list.
fn page(request: &ApiRequest) -> Result<Option<(u64, u64)>, ApiAnswer> {
    let error = |reason: String| ApiAnswer::error(400, "invalid_pagination_parameters", reason);
    let number = |name: &str| match request.parameter(name) {
        None => Ok(None),
        Some(text) => text
            .parse::<i64>()
            .map(Some)
            .map_err(|_| ApiAnswer::error(400, "bad_request", "Pagination parameters are invalid")),
    };
    let (page, size) = (number("page")?, number("page_size")?);
    let is_long = request.parameter("name").is_some_and(|name| name.chars().count() > PATTERN_MAX);
    if is_long && request.parameter("use_regex").as_deref() == Some("true") {
        return Err(error("name filter regex is too long".to_owned()));
    }
    let Some(page) = page else { return Ok(None) };
    let size = size.unwrap_or(PAGE_SIZE as i64);
    match (u64::try_from(page), u64::try_from(size)) {
        (Ok(page), Ok(size)) if page > 0 && size > 0 && size <= PAGE_SIZE_MAX => Ok(Some((page, size))),
        _ => Err(error(format!("Invalid pagination parameters: page number {page}, page size {size}"))),
    }
}

/// Keeps the entries whose name holds what was asked for, in whatever case.
fn named(request: &ApiRequest, mut entries: Vec<Json>) -> Vec<Json> {
    let Some(wanted) = request.parameter("name").filter(|name| !name.is_empty()) else { return entries };
    let name = |entry: &Json| entry["name"].as_str().unwrap_or_default().to_owned();
    if request.parameter("use_regex").as_deref() == Some("true") {
        // What is no pattern matches nothing.
        let pattern = RegexBuilder::new(&wanted).case_insensitive(true).build().ok();
        let finds =
            |entry: &Json| pattern.as_ref().is_some_and(|pattern| pattern.is_match(&name(entry)).unwrap_or(false));
        entries.retain(finds);
    } else {
        let wanted = wanted.to_lowercase();
        entries.retain(|entry| name(entry).to_lowercase().contains(&wanted));
    }
    entries
}

/// Keeps the columns that were asked for; in free maps all of them.
fn with_columns(request: &ApiRequest, object: Json) -> Json {
    let Some(columns) = request.parameter("columns") else { return object };
    let columns: Vec<Vec<&str>> = columns.split(',').map(|column| column.split('.').collect()).collect();
    kept(object, &columns)
}

/// Fields that hold what clients made: they are shown whole.
const FREE_MAPS: [&str; 5] = ["arguments", "definition", "value", "metadata", "effective_policy_definition"];

fn kept(object: Json, columns: &[Vec<&str>]) -> Json {
    let Json::Object(fields) = object else { return object };
    let mut all = Map::new();
    for (key, value) in fields {
        let of_key: Vec<&Vec<&str>> = columns.iter().filter(|column| column.first() == Some(&key.as_str())).collect();
        if of_key.is_empty() {
            continue;
        }
        let is_whole = FREE_MAPS.contains(&key.as_str()) || of_key.iter().any(|column| column.len() == 1);
        let deeper: Vec<Vec<&str>> = of_key.iter().map(|column| column[1..].to_vec()).collect();
        all.insert(key, if is_whole { value } else { kept(value, &deeper) });
    }
    Json::Object(all)
}

fn dotted<'j>(object: &'j Json, column: &str) -> Option<&'j Json> {
    column.split('.').try_fold(object, |object, key| object.get(key))
}

/// Compares as RabbitMQ's terms do: what is missing is 0, numbers come first, texts last.
fn compare(a: Option<&Json>, b: Option<&Json>) -> Ordering {
    let rank = |value: Option<&Json>| match value {
        None | Some(Json::Number(_)) => 0,
        Some(Json::Null | Json::Bool(_)) => 1,
        Some(Json::Object(_)) => 2,
        Some(Json::Array(_)) => 3,
        Some(Json::String(_)) => 4,
    };
    let number = |value: Option<&Json>| value.and_then(Json::as_f64).unwrap_or(0.0);
    match (a, b) {
        (Some(Json::String(a)), Some(Json::String(b))) => a.cmp(b),
        (Some(Json::Bool(a)), Some(Json::Bool(b))) => a.cmp(b),
        _ if rank(a) == 0 && rank(b) == 0 => number(a).total_cmp(&number(b)),
        _ => rank(a).cmp(&rank(b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str, entries: Json) -> Json {
        let request = ApiRequest { query: query.to_owned(), ..ApiRequest::default() };
        let Json::Array(entries) = entries else { panic!("a list") };
        let answer = listed(&request, entries, &["name"]).unwrap_or_else(|answer| answer);
        answer.body.unwrap_or_default()
    }

    #[test]
    fn lists_are_sorted_cut_and_narrowed() {
        let entries = json!([{"name": "b", "n": 1}, {"name": "a", "n": 2}, {"name": "ab", "n": 3}]);
        let names = |json: Json| json.as_array().map(|all| all.iter().map(|it| it["name"].clone()).collect::<Vec<_>>());
        assert_eq!(names(asked("", entries.clone())), Some(vec![json!("a"), json!("ab"), json!("b")]));
        assert_eq!(
            names(asked("sort=n&sort_reverse=true", entries.clone())),
            Some(vec![json!("ab"), json!("a"), json!("b")])
        );
        let page = asked("page=2&page_size=1&name=A&columns=name", entries.clone());
        assert_eq!(
            (&page["items"], &page["filtered_count"], &page["total_count"], &page["page_count"]),
            (&json!([{"name": "ab"}]), &json!(2), &json!(3), &json!(2))
        );
        assert_eq!(asked("page=1&name=^a$&use_regex=true", entries.clone())["items"][0]["n"], json!(2));
        assert_eq!(asked("page=3&page_size=2", entries.clone())["error"], json!("page_out_of_range"));
        assert_eq!(asked("page=0", entries)["error"], json!("invalid_pagination_parameters"));
    }
}
