//! What a page asks of a run, read from JSON: how it goes on, and what is done by hand.

use crate::model::{Act, ApplyTo, LateValue, Millis, Name, Payload, Policy, Publish, QueueName, Text, Value};
use crate::play::pace::PlaySpeed;
use crate::source::nearest_name;
use serde_json::{Map, Value as Json};

/// What is asked of a run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PlayRequest {
    Run,
    Hold,
    /// To the next event.
    Step,
    /// To the next moment at which something happens, and through it.
    Next,
    Speed(PlaySpeed),
    /// To a moment of the run.
    Until(Millis),
    /// The steps are over: the end is judged.
    End,
    /// From the beginning.
    Restart,
    /// The same, with the files as they are now.
    Reload,
    /// A step by hand.
    Act {
        act: Box<Act>,
        vhost: Name,
    },
    /// A part joins, with these variables.
    Join {
        part: usize,
        vars: Vec<(String, Json)>,
    },
}

/// The words of requests, each with the fields that it takes.
const REQUESTS: [(&str, &[&str]); 17] = [
    ("run", &[]),
    ("hold", &[]),
    ("step", &[]),
    ("next", &[]),
    ("speed", &["times"]),
    ("until", &["moment"]),
    ("end", &[]),
    ("restart", &[]),
    ("reload", &[]),
    ("start", &["consumer"]),
    ("stop", &["consumer"]),
    ("crash", &["consumer"]),
    ("publish", &["vhost", "exchange", "routing_key", "id", "body", "headers", "count", "every", "mandatory"]),
    ("purge", &["vhost", "queue"]),
    ("set_policy", &["vhost", "name", "pattern", "apply-to", "priority", "definition"]),
    ("clear_policy", &["vhost", "name"]),
    ("restart_broker", &[]),
];

/// What joins is asked for by this word.
const JOIN: (&str, &[&str]) = ("join", &["part", "vars"]);

/// The most messages of one publish by hand.
const COUNT_MAX: u64 = 100_000;

/// The fields of a request.
struct RequestFields<'r> {
    word: &'r str,
    object: &'r Map<String, Json>,
}

impl RequestFields<'_> {
    fn text(&self, key: &str) -> Result<&str, String> {
        match self.object.get(key) {
            None | Some(Json::Null) => Ok(""),
            Some(Json::String(text)) => Ok(text),
            Some(other) => Err(format!("`{key}` of {} is a text, not {other}", self.word)),
        }
    }

    fn name(&self, key: &str) -> Result<Name, String> {
        let text = self.text(key)?;
        match text.len() {
            0..=255 => Ok(text.into()),
            long => Err(format!("`{key}` of {} has {long} bytes; RabbitMQ takes 255", self.word)),
        }
    }

    fn needed(&self, key: &str) -> Result<Name, String> {
        match self.name(key)? {
            name if name.is_empty() => Err(format!("{} needs `{key}`", self.word)),
            name => Ok(name),
        }
    }

    fn vhost(&self) -> Result<Name, String> {
        Ok(if self.text("vhost")?.is_empty() { "/".into() } else { self.name("vhost")? })
    }

    fn duration(&self, key: &str) -> Result<Millis, String> {
        match self.text(key)?.trim() {
            "" => Ok(Millis(0)),
            text => text.parse().map_err(|_| format!("`{text}` is no time: 250ms, 5s, 1h 30m, 7d")),
        }
    }

    fn number(&self, key: &str, usual: i64) -> Result<i64, String> {
        match self.object.get(key) {
            None | Some(Json::Null) => Ok(usual),
            Some(json) => {
                json.as_i64().ok_or_else(|| format!("`{key}` of {} is a whole number, not {json}", self.word))
            }
        }
    }

    fn map(&self, key: &str) -> Result<Map<String, Json>, String> {
        match self.object.get(key) {
            None | Some(Json::Null) => Ok(Map::new()),
            Some(Json::Object(map)) => Ok(map.clone()),
            Some(other) => Err(format!("`{key}` of {} is a JSON object, not {other}", self.word)),
        }
    }
}

/// Reads a request.
///
/// # Errors
/// It is none: what is wrong, in a sentence.
pub(crate) fn read_request(body: &[u8]) -> Result<PlayRequest, String> {
    let body: Json = serde_json::from_slice(body).map_err(|error| format!("the body is no JSON: {error}"))?;
    let Json::Object(object) = body else { return Err("the body is no JSON object".to_owned()) };
    let Some(word) = object.get("do").and_then(Json::as_str) else {
        return Err("`do` says what is asked for".to_owned());
    };
    let known = REQUESTS.iter().chain([&JOIN]);
    let Some((_, fields)) = known.clone().find(|(known, _)| *known == word) else {
        let near = nearest_name(word, known.map(|(word, _)| *word));
        return Err(format!(
            "`{word}` cannot be done{}",
            near.map_or(String::new(), |it| format!("; did you mean `{it}`?"))
        ));
    };
    if let Some(unknown) = object.keys().find(|key| *key != "do" && !fields.contains(&key.as_str())) {
        let near = nearest_name(unknown, fields.iter().copied());
        let near = near.map_or(String::new(), |it| format!("; did you mean `{it}`?"));
        return Err(format!("{word} takes no `{unknown}`{near}"));
    }
    let fields = RequestFields { word, object: &object };
    Ok(match word {
        "run" => PlayRequest::Run,
        "hold" => PlayRequest::Hold,
        "step" => PlayRequest::Step,
        "next" => PlayRequest::Next,
        "speed" => PlayRequest::Speed(speed(object.get("times").unwrap_or(&Json::Null))?),
        "until" => PlayRequest::Until(match fields.duration("moment")? {
            Millis(0) => return Err("until which moment of the run? 30s, 5m, 7d".to_owned()),
            until => until,
        }),
        "end" => PlayRequest::End,
        "restart" => PlayRequest::Restart,
        "reload" => PlayRequest::Reload,
        "join" => {
            let part = fields.number("part", -1)?;
            let part = usize::try_from(part).map_err(|_| "`part` is the number of a part, from 0".to_owned())?;
            PlayRequest::Join { part, vars: fields.map("vars")?.into_iter().collect() }
        }
        _ => PlayRequest::Act { vhost: fields.vhost()?, act: Box::new(act(&fields)?) },
    })
}

fn speed(json: &Json) -> Result<PlaySpeed, String> {
    let speed = match json {
        Json::String(word) if word == "fastest" => Some(PlaySpeed::Fastest),
        Json::Number(number) => number.as_f64().and_then(PlaySpeed::times),
        _ => None,
    };
    speed.ok_or_else(|| format!("{json} is no speed: a number above 0 and up to 1000000, or `fastest`"))
}

fn act(fields: &RequestFields<'_>) -> Result<Act, String> {
    Ok(match fields.word {
        "start" => Act::Start(fields.needed("consumer")?),
        "stop" => Act::Stop(fields.needed("consumer")?),
        "crash" => Act::Crash(fields.needed("consumer")?),
        "purge" => Act::Purge(QueueName { vhost: fields.vhost()?, name: fields.needed("queue")? }),
        "set_policy" => Act::SetPolicy { policy: Box::new(policy(fields)?), operator: false },
        "clear_policy" => Act::ClearPolicy { vhost: fields.vhost()?, name: fields.needed("name")?, operator: false },
        "publish" => Act::Publish(Box::new(publish(fields)?)),
        _ => Act::RestartBroker,
    })
}

fn publish(fields: &RequestFields<'_>) -> Result<Publish, String> {
    let count = fields.number("count", 1)?;
    let count = u64::try_from(count).ok().filter(|count| (1..=COUNT_MAX).contains(count));
    let count = count.ok_or_else(|| format!("`count` of publish is 1 to {COUNT_MAX}"))?;
    let id = Some(fields.name("id")?).filter(|id| !id.is_empty());
    let body = fields.text("body")?;
    // What is JSON says so, as a publish of a scenario's `json` does.
    let is_json = body.trim_start().starts_with(['{', '[']) && serde_json::from_str::<Json>(body).is_ok();
    let fixed = |(name, json): (String, Json)| (name, LateValue::Fixed(Value::from_json(&json)));
    Ok(Publish {
        exchange: Text::Fixed(fields.name("exchange")?),
        routing_key: Text::Fixed(fields.name("routing_key")?),
        mandatory: fields.object.get("mandatory").and_then(Json::as_bool).unwrap_or(false),
        count: u32::try_from(count).unwrap_or(1),
        every: fields.duration("every")?,
        id: id.map(Text::Fixed),
        payload: Payload::Text(Text::Fixed(body.into())),
        headers: fields.map("headers")?.into_iter().map(fixed).collect(),
        content_type: is_json.then(|| "application/json".into()),
        content_encoding: None,
        delivery_mode: 2,
        priority: None,
        correlation_id: None,
        reply_to: None,
        expiration: None,
        timestamp: None,
        kind: None,
        user_id: None,
        app_id: None,
        channel: None,
    })
}

fn policy(fields: &RequestFields<'_>) -> Result<Policy, String> {
    let apply_to = match fields.text("apply-to")? {
        "" => ApplyTo::All,
        word => ApplyTo::named(word).ok_or_else(|| format!("`{word}` is nothing that a policy applies to"))?,
    };
    let definition = fields.map("definition")?;
    if definition.is_empty() {
        return Err("a policy needs a definition: {\"message-ttl\": 5000}".to_owned());
    }
    Ok(Policy {
        vhost: fields.vhost()?,
        name: fields.needed("name")?,
        pattern: fields.needed("pattern")?.to_string(),
        apply_to,
        priority: fields.number("priority", 0)?,
        definition: definition.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PlayRequest, String> {
        read_request(text.as_bytes())
    }

    #[test]
    fn what_is_asked_is_read() {
        assert_eq!(read(r#"{"do":"step"}"#), Ok(PlayRequest::Step));
        assert_eq!(read(r#"{"do":"speed","times":10}"#), Ok(PlayRequest::Speed(PlaySpeed::Times(10.0))));
        assert_eq!(read(r#"{"do":"until","moment":"1m 30s"}"#), Ok(PlayRequest::Until(Millis(90_000))));
        let crash = PlayRequest::Act { act: Box::new(Act::Crash("worker".into())), vhost: "/".into() };
        assert_eq!(read(r#"{"do":"crash","consumer":"worker"}"#), Ok(crash));
        let join = PlayRequest::Join { part: 1, vars: vec![("name".to_owned(), Json::from("carol"))] };
        assert_eq!(read(r#"{"do":"join","part":1,"vars":{"name":"carol"}}"#), Ok(join));
    }

    #[test]
    fn a_publish_has_what_a_step_has() {
        let text = r#"{"do":"publish","exchange":"game","routing_key":"k","body":"{\"n\":1}","headers":{"tries":3},"count":2}"#;
        let Ok(PlayRequest::Act { act, .. }) = read(text) else { panic!("{:?}", read(text)) };
        let Act::Publish(publish) = *act else { panic!("no publish") };
        assert_eq!((publish.count, publish.content_type), (2, Some("application/json".into())));
        assert_eq!(publish.headers, [("tries".to_owned(), LateValue::Fixed(Value::I64(3)))]);
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        let wrong = |text: &str| read(text).expect_err(text);
        assert_eq!(wrong(r#"{"do":"stepp"}"#), "`stepp` cannot be done; did you mean `step`?");
        assert_eq!(wrong(r#"{"do":"crash"}"#), "crash needs `consumer`");
        assert_eq!(wrong(r#"{"do":"purge","que":"q"}"#), "purge takes no `que`; did you mean `queue`?");
        assert_eq!(wrong(r#"{"do":"until","moment":"soon"}"#), "`soon` is no time: 250ms, 5s, 1h 30m, 7d");
        assert_eq!(wrong(r#"{"do":"publish","headers":[]}"#), "`headers` of publish is a JSON object, not []");
        assert_eq!(wrong(r#"{"do":"publish","count":0}"#), "`count` of publish is 1 to 100000");
        assert!(wrong(r#"{"do":"speed","times":0}"#).contains("is no speed"));
        assert!(wrong("nonsense").starts_with("the body is no JSON"));
        assert!(wrong(r#"{"do":"set_policy","name":"p","pattern":".*"}"#).contains("needs a definition"));
    }
}
