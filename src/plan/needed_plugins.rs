//! Plugins that files need and a broker does not have.
//! Takes what the files say and what was seen of the broker; gives problems. Not known is not lacking.

use crate::model::Handling;
use crate::plan::Observed;
use crate::source::{Code, Problem};

/// Lists the plugins that the files need and that do not run on the broker.
pub fn missing_plugins(handling: &Handling, observed: &Observed) -> Vec<Problem> {
    let Some(abilities) = observed.abilities.as_ref().filter(|abilities| !abilities.applications.is_empty()) else {
        return Vec::new();
    };
    let missing = handling.plugins.iter().filter(|(plugin, _)| !abilities.applications.contains(plugin));
    let problem = |(plugin, place): &(String, _)| {
        Problem::new(Code::PlanPlugin, format!("the broker does not have the plugin {plugin}"))
            .at(*place, "needed here")
            .help(format!("enable it on the broker: rabbitmq-plugins enable {plugin}"))
    };
    missing.map(problem).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Profile;
    use crate::plan::Abilities;
    use crate::source::Span;

    #[test]
    fn only_what_is_known_to_be_missing_is_told() {
        let place = Span::in_no_file(1);
        let plugins = ["rabbitmq_sharding", "rabbitmq_shovel"].map(|plugin| (plugin.to_owned(), place)).to_vec();
        let handling = Handling { plugins, ..Handling::default() };
        let mut observed = Observed::empty(Profile::NEWEST);
        assert_eq!(missing_plugins(&handling, &observed), []);
        observed.abilities = Some(Abilities::default());
        assert_eq!(missing_plugins(&handling, &observed), [], "the account sees no nodes");
        let applications = ["rabbit".to_owned(), "rabbitmq_sharding".to_owned()].into();
        observed.abilities = Some(Abilities { applications, ..Abilities::default() });
        let missing = missing_plugins(&handling, &observed);
        assert_eq!(
            missing.iter().map(|one| one.message.as_str()).collect::<Vec<_>>(),
            ["the broker does not have the plugin rabbitmq_shovel"]
        );
    }
}
