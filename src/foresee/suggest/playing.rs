//! Plays drafts on every version, writes what they came to as expectations, and keeps those that pass.

use crate::broker::{Death, Exercised};
use crate::foresee::coverage::{Coverable, CoverableKind, Inventory, QueueLimit, inventory, is_exercised};
use crate::foresee::suggest::concerned::DraftCell;
use crate::foresee::suggest::drafts::{Draft, DraftTitle, Workshop};
use crate::foresee::suggest::expected::{found, routed};
use crate::foresee::suggest::publishing::is_open;
use crate::foresee::suggest::queues::{Drafted, Missing};
use crate::foresee::suggest::suggestion::{NoSuggestion, Suggested, Suggestion, WhyNoSuggestion};
use crate::foresee::suggest::yaml::{path, sentence, stem};
use crate::foresee::topology_view::{QueueView, TopologyView, VersionView, versions};
use crate::language::format_yaml;
use crate::model::{Binding, Cell, Name, Object, Origins, Permission, Profile, QueueKind, QueueName, Topology};
use crate::player::RunResult;
use crate::rules::{Plugin, Plugins};
use crate::simulate::rehearse_once;
use std::collections::{BTreeMap, BTreeSet};

/// More work than this, counted in declared objects, takes too long.
const DECLARED_MAX: usize = 1_000_000;

/// So many scenarios are tried, however large the topology is.
const DRAFTS_MIN: usize = 20;

/// To read a scenario copies the whole topology, which is so many times quicker than to declare it.
const COPIES_OF_A_DECLARATION: usize = 8;

/// What scenarios are written for.
pub struct SuggestRequest<'r> {
    /// What is declared.
    pub topology: &'r Topology,
    /// The places of it.
    pub origins: &'r Origins,
    /// The versions on which a scenario must pass, oldest first.
    pub profiles: &'r [Profile],
    /// The topology's file, as a scenario names it.
    pub path: &'r str,
    /// Whether what a scenario comes to stands in it, as expectations at its end.
    pub expecting: bool,
    /// Reads a scenario of that name and text; `None` when it has problems.
    pub load: &'r dyn Fn(&str, &str) -> Option<Cell>,
}

/// Writes scenarios for what is missing, as far as there is one for its kind.
pub fn suggest_missing(request: &SuggestRequest<'_>, missing: &BTreeSet<Coverable>) -> Suggested {
    let mut suggested = Suggested::default();
    let probe = (request.load)("probe", &probe_of(request.path));
    let Some((probe, vhost)) = probe.and_then(|cell| Some((cell.clone(), cell.scenario.steps.first()?.vhost.clone())))
    else {
        suggested.without = missing.iter().map(|item| none(item, WhyNoSuggestion::NotReadable)).collect();
        return suggested;
    };
    let mut played = Vec::new();
    for profile in request.profiles {
        match play(&probe, *profile).0.failures.first() {
            Some(failure) => suggested.not_played.push((*profile, failure.message.clone())),
            None => played.push(*profile),
        }
    }
    let views = versions(request.topology, &played);
    let view = TopologyView::new(request.topology, request.origins, &views).filter(|_| !played.is_empty());
    let Some(view) = view else { return suggested };
    let workshop = Workshop { view: &view, vhost };
    let there = match views.len() {
        1 => Vec::new(),
        _ => views.iter().map(|view| inventory(request.topology, request.origins, view)).collect(),
    };
    let seen = views
        .iter()
        .filter_map(|view| TopologyView::new(request.topology, request.origins, std::slice::from_ref(view)));
    let mut playing = Playing {
        request,
        views: &views,
        seen: seen.collect(),
        there,
        workshop: &workshop,
        missing,
        suggested,
        by_the_way: BTreeSet::new(),
        declared: 0,
        tried: 0,
    };
    playing.queues(&view);
    playing.retries();
    playing.rights();
    playing.routes();
    playing.suggested
}

/// Writes a scenario that does nothing but declare a topology.
pub fn probe_of(topology: &str) -> String {
    format!("scenario: probe\ntopology: {}\nsteps:\n  - advance: 1s\n", path(topology))
}

fn none(item: &Coverable, why: WhyNoSuggestion) -> NoSuggestion {
    NoSuggestion { item: item.clone(), why }
}

/// Writes scenarios for everything in a topology that there is one for, by the rules of one version: where no file is at
/// hand. The topology is written out as a file named `topology.yaml`.
pub fn suggest(
    topology: &Topology,
    origins: &Origins,
    profile: Profile,
    load: &dyn Fn(&str, &str) -> Option<Cell>,
) -> Suggested {
    let views = versions(topology, &[profile]);
    let Some(version) = views.last() else { return Suggested::default() };
    let missing = inventory(topology, origins, version).into_keys().filter(is_suggested).collect();
    let profiles = &[profile];
    let request = SuggestRequest { topology, origins, profiles, path: "topology.yaml", expecting: true, load };
    suggest_missing(&request, &missing)
}

/// Returns whether there is a scenario for things of that kind.
pub fn is_suggested(item: &Coverable) -> bool {
    !matches!(item.kind(), CoverableKind::Queues | CoverableKind::Policies)
}

struct Playing<'p> {
    request: &'p SuggestRequest<'p>,
    views: &'p [VersionView<'p>],
    /// The topology by each version, the newest one last.
    seen: Vec<TopologyView<'p>>,
    /// What there is to exercise, by view; empty where one version is asked for, which has all.
    there: Vec<Inventory>,
    workshop: &'p Workshop<'p>,
    missing: &'p BTreeSet<Coverable>,
    suggested: Suggested,
    /// The bindings that messages of other scenarios came by.
    by_the_way: BTreeSet<Object>,
    /// The work of all plays, in declared objects.
    declared: usize,
    tried: usize,
}

impl Playing<'_> {
    fn queues(&mut self, view: &TopologyView<'_>) {
        for queue in view.queues.iter().filter(|queue| queue.kind != QueueKind::Stream) {
            for (covers, drafted) in self.drafts_of(queue) {
                self.take(&covers, vec![drafted]);
            }
        }
    }

    /// Drafts what is missing of a queue.
    fn drafts_of(&self, view: &QueueView<'_>) -> Vec<(Vec<Coverable>, Drafted)> {
        let (id, shop) = (view.queue.id(), self.workshop);
        let missing = Missing { queue: id.clone(), items: self.missing };
        let by_number = view.settings.max_length.is_some();
        let maxlen = Some(Death::MaxLen);
        let wanted = [
            (missing.of(Some(Death::Rejected), &[]), None),
            (missing.of(Some(Death::Expired), &[QueueLimit::MessageTtl]), Some(QueueLimit::MessageTtl)),
            (missing.of(maxlen.filter(|_| by_number), &[QueueLimit::Length]), Some(QueueLimit::Length)),
            (missing.of(maxlen.filter(|_| !by_number), &[QueueLimit::Bytes]), Some(QueueLimit::Bytes)),
            (missing.of(Some(Death::DeliveryLimit), &[QueueLimit::Delivery]), Some(QueueLimit::Delivery)),
            (missing.of(None, &[QueueLimit::Expires]), Some(QueueLimit::Expires)),
        ];
        let wanted = wanted.into_iter().filter(|(covers, _)| !covers.is_empty());
        let draft = |(covers, limit): (Vec<Coverable>, Option<QueueLimit>)| {
            let drafted = match limit {
                None => shop.rejected(&id, covers.clone()),
                Some(QueueLimit::MessageTtl) => shop.expired(view, covers.clone()),
                Some(limit @ (QueueLimit::Length | QueueLimit::Bytes)) => shop.full(view, limit, covers.clone()),
                Some(QueueLimit::Delivery) => shop.too_often(view, covers.clone()),
                Some(QueueLimit::Expires) => shop.unused(view, covers.clone()),
            };
            (covers, drafted)
        };
        wanted.map(draft).collect()
    }

    fn retries(&mut self) {
        let mut by_work: BTreeMap<QueueName, Vec<Coverable>> = BTreeMap::new();
        for item in self.missing {
            if let Coverable::Retry { queue, .. } = item {
                by_work.entry(queue.clone()).or_default().push(item.clone());
            }
        }
        for (work, covers) in by_work {
            let drafted = self.workshop.retried(&work, &covers);
            self.take(&covers, drafted);
        }
    }

    fn rights(&mut self) {
        for row in &self.request.topology.permissions {
            let of_row = |item: &&Coverable| matches!(item, Coverable::Right { user, vhost, .. } if (user, vhost) == (&row.user, &row.vhost));
            let covers: Vec<Coverable> = self.missing.iter().filter(of_row).cloned().collect();
            if !covers.is_empty() {
                let drafted = self.right_draft(row, covers.clone());
                self.take(&covers, vec![drafted]);
            }
        }
    }

    /// Shows which message comes to which queue, exchange by exchange.
    fn routes(&mut self) {
        let (shop, missing, topology) = (self.workshop, self.missing, self.request.topology);
        let mut by_exchange: BTreeMap<(&Name, &Name), Vec<&Binding>> = BTreeMap::new();
        let mut order = Vec::new();
        for binding in &topology.bindings {
            if missing.contains(&Coverable::Binding(binding.object())) {
                let source = (&binding.vhost, &binding.source);
                let bindings = by_exchange.entry(source).or_default();
                if bindings.is_empty() {
                    order.push(source);
                }
                bindings.push(binding);
            }
        }
        let settings = shop.view.queues.iter().map(|it| (&it.queue.vhost, it.settings.dead_letter_exchange.as_ref()));
        let of_the_dead: BTreeSet<(&Name, &Name)> =
            settings.filter_map(|(vhost, exchange)| Some((vhost, exchange?))).collect();
        // What comes to the others comes on to those that clients do not publish to.
        let is_shut = |(vhost, exchange): &(&Name, &Name)| !is_open(shop.view, vhost, exchange);
        order.sort_by_key(is_shut);
        for source in order {
            let all = by_exchange.remove(&source).unwrap_or_default();
            let left = |all: &[&Binding], known: &BTreeSet<Object>| -> Vec<Coverable> {
                let objects = all.iter().map(|binding| binding.object()).filter(|object| !known.contains(object));
                objects.map(Coverable::Binding).collect()
            };
            let lacking = left(&all, &self.by_the_way);
            if lacking.is_empty() {
                continue;
            }
            if is_shut(&source) {
                self.suggested.without.extend(lacking.iter().map(|item| none(item, WhyNoSuggestion::NotOpen)));
                continue;
            }
            // An exchange of dead letters is published to for what no dead letter shows.
            let is_shown =
                |binding: &&&Binding| !of_the_dead.contains(&source) || !self.by_the_way.contains(&binding.object());
            let shown: Vec<&Binding> = all.iter().filter(is_shown).copied().collect();
            let made = shop.routed(source.0, source.1, &shown);
            self.suggested.without.extend(made.without.into_iter().map(|(item, why)| NoSuggestion { item, why }));
            for draft in made.drafts {
                self.take(&draft.covers.clone(), vec![Ok(draft)]);
            }
        }
    }

    /// Drafts the rights of a row, of the steps that turn out as they should.
    fn right_draft(&mut self, row: &Permission, covers: Vec<Coverable>) -> Drafted {
        let rows = self.request.topology.permissions.iter().filter(|other| other.user == row.user).count();
        let name = if rows > 1 { stem(&[&row.user, &row.vhost, "rights"]) } else { stem(&[&row.user, "rights"]) };
        let user = &row.user;
        let mut draft = Draft {
            name,
            why: format!("A right of {user} that grows or shrinks by mistake shows here first."),
            title: DraftTitle::OfRights(String::new()),
            consumers: Vec::new(),
            steps: Vec::new(),
            of: None,
            published: Vec::new(),
            at_end: Vec::new(),
            covers: Vec::new(),
        };
        let (mut may, mut may_not) = (false, false);
        for step in self.workshop.right_steps(row) {
            let alone = Draft { steps: vec![step.text.clone()], ..draft.clone() };
            if covers.contains(&step.item) && self.passes(&self.draft_text(&alone, &[], &[]), &[]).is_ok() {
                draft.steps.push(step.text);
                (may, may_not) = (may || step.granted, may_not || !step.granted);
            }
        }
        if draft.steps.is_empty() {
            return Err(WhyNoSuggestion::NoSample);
        }
        draft.title = DraftTitle::OfRights(match (may, may_not) {
            (true, true) => format!("what {user} may do, and what it is refused"),
            (true, false) => format!("what {user} may do"),
            _ => format!("what {user} is refused"),
        });
        draft.covers = covers;
        Ok(draft)
    }

    /// Takes the first draft that passes, and says of what is left why there is none.
    fn take(&mut self, covers: &[Coverable], drafted: Vec<Drafted>) {
        let mut why = WhyNoSuggestion::NotInForce;
        for draft in drafted {
            match draft.and_then(|draft| self.perform(&draft)) {
                Err(other) => why = other,
                Ok((mut suggestion, left)) => {
                    let lacking = covers.iter().filter(|item| !suggestion.covers.contains(item));
                    self.suggested.without.extend(lacking.map(|item| none(item, left.clone())));
                    // Some file systems do not part capital letters from small ones.
                    let taken =
                        |name: &str| self.suggested.scenarios.iter().any(|one| one.name.eq_ignore_ascii_case(name));
                    let plain = suggestion.name.clone();
                    let mut n = 1;
                    while taken(&suggestion.name) {
                        n += 1;
                        suggestion.name = format!("{plain}-{n}");
                    }
                    return self.suggested.scenarios.push(suggestion);
                }
            }
        }
        self.suggested.without.extend(covers.iter().map(|item| none(item, why.clone())));
    }

    /// Plays a draft; gives what passes, and why the rest of what it should cover is not.
    fn perform(&mut self, draft: &Draft) -> Result<(Suggestion, WhyNoSuggestion), WhyNoSuggestion> {
        if self.declared > DECLARED_MAX && self.tried >= DRAFTS_MIN {
            return Err(WhyNoSuggestion::TooLarge);
        }
        self.tried += 1;
        let seen = self.seen.last().ok_or(WhyNoSuggestion::NotInForce)?;
        let newest = seen.newest().profile;
        let load = |text: &str| (self.request.load)(&draft.name, text).ok_or(WhyNoSuggestion::NotReadable);
        let first = DraftCell::new(load(&self.draft_text(draft, &[], &[]))?).part(seen);
        self.declared += objects(&first.scenario.topology) + objects(self.request.topology) / COPIES_OF_A_DECLARATION;
        let (played, _) = play(&first, newest);
        if !played.failures.is_empty() {
            return Err(WhyNoSuggestion::DoesNotPass(newest));
        }
        let outcome = played.outcome.as_ref().ok_or(WhyNoSuggestion::DoesNotPass(newest))?;
        let dead = match &draft.of {
            Some(queue) => found(self.workshop, queue, outcome),
            None => routed(self.workshop, &draft.published, outcome),
        };
        let (mut covers, mut left) = (draft.covers.clone(), WhyNoSuggestion::NotInForce);
        if draft.of.is_some() && dead.targets.is_empty() {
            covers.retain(|item| !matches!(item, Coverable::DeadLetter(..)));
            left = WhyNoSuggestion::LeadsNowhere;
        }
        if covers.is_empty() {
            return Err(left);
        }
        let mut problem = WhyNoSuggestion::NotReadable;
        for expected in [&dead.exact, &dead.loose] {
            let text = self.draft_text(draft, &dead.targets, expected);
            let text = format_yaml(&text).unwrap_or(text);
            let must: &[Coverable] = if matches!(draft.title, DraftTitle::OfRights(_)) { &[] } else { &covers };
            match self.passes(&text, must) {
                Ok((cell, run)) => {
                    let view = &self.views[self.views.len() - 1];
                    self.by_the_way.extend(run.bindings.iter().cloned());
                    covers.retain(|item| is_exercised(item, self.request.topology, view, &run));
                    let name = draft.name.clone();
                    return Ok((Suggestion { name, text, cell, covers }, left));
                }
                Err(other) => problem = other,
            }
        }
        Err(problem)
    }

    /// Plays a text on all versions, each with what its messages can come to there: it must pass, and exercise what is there to
    /// exercise.
    fn passes(&self, text: &str, covers: &[Coverable]) -> Result<(Cell, Exercised), WhyNoSuggestion> {
        let cell = (self.request.load)("suggested", text).ok_or(WhyNoSuggestion::NotReadable)?;
        let cell = DraftCell::new(cell);
        let mut last = Exercised::default();
        for (at, (view, seen)) in std::iter::zip(self.views, &self.seen).enumerate() {
            let (played, run) = play(&cell.part(seen), view.profile);
            let there = |item: &&Coverable| self.there.get(at).is_none_or(|there| there.contains_key(*item));
            let exercised =
                covers.iter().filter(there).all(|item| is_exercised(item, self.request.topology, view, &run));
            if !played.failures.is_empty() || !exercised {
                return Err(WhyNoSuggestion::DoesNotPass(view.profile));
            }
            last = run;
        }
        Ok((cell.whole(), last))
    }

    /// Writes which versions take the topology, where some older or newer ones do not.
    fn bounds(&self) -> Option<String> {
        let (first, last) = (self.views.first()?.profile, self.views.last()?.profile);
        let others = self.suggested.not_played.iter().map(|(profile, _)| *profile);
        let newer = others.clone().filter(|other| *other > last).min();
        let from = others.filter(|other| *other < first).map(|_| format!(">={first}")).next();
        let bounds: Vec<String> = from.into_iter().chain(newer.map(|newer| format!("<{newer}"))).collect();
        (!bounds.is_empty()).then(|| bounds.join(" "))
    }

    /// Writes a draft out; its layout is not that of `fmt` yet.
    fn draft_text(&self, draft: &Draft, targets: &[crate::model::Name], expected: &[String]) -> String {
        // Where the dead letters are is a part of what it comes to.
        let targets = if self.request.expecting { targets } else { &[] };
        let title = sentence(&draft.title.with(targets));
        let mut out = format!("# {}\nscenario: {title}\n", draft.why);
        if let Some(bounds) = self.bounds() {
            out.push_str(&format!("requires: {{rabbitmq: \"{bounds}\"}}\n"));
        }
        let plugins = Plugins::of_types(self.request.topology.exchanges.iter().map(|exchange| &*exchange.kind));
        let plugins: Vec<&str> = plugins.iter().map(Plugin::as_str).collect();
        if !plugins.is_empty() {
            out.push_str(&format!("needs: {{plugins: [{}]}}\n", plugins.join(", ")));
        }
        out.push_str(&format!("topology: {}\n", path(self.request.path)));
        let at_end = if self.request.expecting { [draft.at_end.as_slice(), expected].concat() } else { Vec::new() };
        for (key, lines) in [("consumers", &draft.consumers), ("steps", &draft.steps), ("at_end", &at_end)] {
            if !lines.is_empty() {
                out.push_str(&format!("{key}:\n{}", lines.concat()));
            }
        }
        out
    }
}

fn objects(topology: &Topology) -> usize {
    topology.queues.len() + topology.exchanges.len() + topology.bindings.len()
}

fn play(cell: &Cell, profile: Profile) -> (RunResult, Exercised) {
    let mut run = Exercised::default();
    let played = rehearse_once(cell, profile, &mut run);
    (played, run)
}
