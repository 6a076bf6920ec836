//! The codes of problems and failures: each exists once, here.
//! Takes nothing, returns the text that users see. Never says what a problem means (that is `guide.rs`).

use std::fmt;

/// Makes the enums of codes and of their families, with their texts.
macro_rules! codes {
    ($($family:ident $word:literal { $($variant:ident $name:literal),+ $(,)? })+) => {
        /// The part of a code before `::`: what kind of thing is wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CodeFamily {
            $(#[doc = concat!("`", $word, "::…`.")] $family,)+
        }

        /// The code of a problem or failure, stable across versions of rmqplay.
        ///
        /// ```
        /// use rmqplay::source::Code;
        /// assert_eq!(Code::YamlUnknownKey.text(), "yaml::unknown_key");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = concat!("`", $word, "::", $name, "`.")] $variant,)+)+
        }

        impl Code {
            /// All codes, family by family.
            pub const ALL: &'static [Code] = &[$($(Code::$variant,)+)+];

            /// Returns what users see: `yaml::unknown_key`.
            pub const fn text(self) -> &'static str {
                match self {
                    $($(Code::$variant => concat!($word, "::", $name),)+)+
                }
            }

            /// Returns the family of the code.
            pub const fn family(self) -> CodeFamily {
                match self {
                    $($(Code::$variant)|+ => CodeFamily::$family,)+
                }
            }
        }
    };
}

codes! {
    File "file" {
        FileEmpty "empty",
        FileForeign "foreign",
        FileMissing "missing",
        FileNotJson "not_json",
        FileNotText "not_text",
        FileNotUtf8 "not_utf8",
        FileSharedSnapshot "shared_snapshot",
        FileTooLarge "too_large",
        FileTooMany "too_many",
        FileWrongKind "wrong_kind",
    }
    Yaml "yaml" {
        YamlAlias "alias",
        YamlAliasBomb "alias_bomb",
        YamlBroken "broken",
        YamlDuplicateKey "duplicate_key",
        YamlKey "key",
        YamlMerge "merge",
        YamlSeveralDocuments "several_documents",
        YamlTab "tab",
        YamlTag "tag",
        YamlUnknownKey "unknown_key",
        YamlUnquotedTemplate "unquoted_template",
    }
    Value "value" {
        ValueBad "bad",
        ValueKind "kind",
        ValueMissing "missing",
    }
    Template "template" {
        TemplateCycle "cycle",
        TemplateEnvironment "environment",
        TemplateKey "key",
        TemplateRender "render",
        TemplateReserved "reserved",
        TemplateSyntax "syntax",
        TemplateTooEarly "too_early",
        TemplateTooMany "too_many",
        TemplateUndefined "undefined",
        TemplateUnknownFilter "unknown_filter",
    }
    Topology "topology" {
        TopologyAlternateExchange "alternate_exchange",
        TopologyArgumentTwice "argument_twice",
        TopologyArgumentValue "argument_value",
        TopologyConflict "conflict",
        TopologyDeadLetterExchange "dead_letter_exchange",
        TopologyDeadLetterNowhere "dead_letter_nowhere",
        TopologyDeclaredTwice "declared_twice",
        TopologyDefaultExchange "default_exchange",
        TopologyDefaultType "default_type",
        TopologyExclusive "exclusive",
        TopologyExchangeType "exchange_type",
        TopologyFlag "flag",
        TopologyIgnoredByImport "ignored_by_import",
        TopologyLimits "limits",
        TopologyMissingExchange "missing_exchange",
        TopologyMissingQueue "missing_queue",
        TopologyName "name",
        TopologyNoRoutingKey "no_routing_key",
        TopologyNotSimulated "not_simulated",
        TopologyPasswordHash "password_hash",
        TopologyPattern "pattern",
        TopologyPolicy "policy",
        TopologyPolicyKey "policy_key",
        TopologyRefused "refused",
        TopologyRefusedArgument "refused_argument",
        TopologyRetry "retry",
        TopologyServerNamed "server_named",
        TopologyUndefinedFlag "undefined_flag",
        TopologyTransient "transient",
        TopologyUnknownArgument "unknown_argument",
        TopologyUnknownTag "unknown_tag",
        TopologyUnknownUser "unknown_user",
    }
    Lint "lint" {
        LintAtLeastOnce "at_least_once",
        LintBlankInName "blank_in_name",
        LintCannotDeclare "cannot_declare",
        LintConsumerTimeout "consumer_timeout",
        LintDeadLetterCycle "dead_letter_cycle",
        LintDeadLettersLost "dead_letters_lost",
        LintDeclarationConflict "declaration_conflict",
        LintDelayedType "delayed_type",
        LintDeliveryLimitDrops "delivery_limit_drops",
        LintEndlessWait "endless_wait",
        LintExpiringDelay "expiring_delay",
        LintForwardedDeaths "forwarded_deaths",
        LintGlobalPrefetch "global_prefetch",
        LintGuestAdministrator "guest_administrator",
        LintHashHeader "hash_header",
        LintHeadersBinding "headers_binding",
        LintLeadsNowhere "leads_nowhere",
        LintLiteralWildcard "literal_wildcard",
        LintNackLoop "nack_loop",
        LintNearName "near_name",
        LintNoEffect "no_effect",
        LintNoPassword "no_password",
        LintNoUpstream "no_upstream",
        LintNobodyEnters "nobody_enters",
        LintOverflowIgnored "overflow_ignored",
        LintPermissionMatchesNothing "permission_matches_nothing",
        LintPluginType "plugin_type",
        LintPolicyLoses "policy_loses",
        LintPolicyMatchesNothing "policy_matches_nothing",
        LintPolicyPassesOver "policy_passes_over",
        LintPolicyShadowed "policy_shadowed",
        LintPolicyTie "policy_tie",
        LintPrefetchAndLimit "prefetch_and_limit",
        LintQuorumShards "quorum_shards",
        LintRefusedByType "refused_by_type",
        LintRefusingTarget "refusing_target",
        LintRetryReachesOthers "retry_reaches_others",
        LintRetryRight "retry_right",
        LintSecondWeight "second_weight",
        LintSegmentOverLimit "segment_over_limit",
        LintShovelToRefusing "shovel_to_refusing",
        LintStreamDeadLetters "stream_dead_letters",
        LintStreamKeepsAll "stream_keeps_all",
        LintStreamNack "stream_nack",
        LintTopicPermission "topic_permission",
        LintTransactionDrops "transaction_drops",
        LintTtlDrops "ttl_drops",
        LintUnknownVhost "unknown_vhost",
        LintUnreachable "unreachable",
        LintUnusedAllow "unused_allow",
        LintUnusedDeadLetter "unused_dead_letter",
    }
    Scenario "scenario" {
        ScenarioAction "action",
        ScenarioAs "as",
        ScenarioAtEnd "at_end",
        ScenarioBatch "batch",
        ScenarioChannel "channel",
        ScenarioConcurrency "concurrency",
        ScenarioConsumerName "consumer_name",
        ScenarioContentsTooEarly "contents_too_early",
        ScenarioDeadLettering "dead_lettering",
        ScenarioEvery "every",
        ScenarioExclusive "exclusive",
        ScenarioExpectsNothing "expects_nothing",
        ScenarioExpiration "expiration",
        ScenarioHeld "held",
        ScenarioIncludesNothing "includes_nothing",
        ScenarioLongTag "long_tag",
        ScenarioMatrix "matrix",
        ScenarioMetric "metric",
        ScenarioNeverDone "never_done",
        ScenarioNeverReached "never_reached",
        ScenarioNeverSettled "never_settled",
        ScenarioNoLadder "no_ladder",
        ScenarioNoRules "no_rules",
        ScenarioNoSteps "no_steps",
        ScenarioNoSubject "no_subject",
        ScenarioNodes "nodes",
        ScenarioNotYet "not_yet",
        ScenarioOnReturn "on_return",
        ScenarioOwnQueue "own_queue",
        ScenarioPassive "passive",
        ScenarioQueueType "queue_type",
        ScenarioRace "race",
        ScenarioRefused "refused",
        ScenarioReplyTo "reply_to",
        ScenarioRestart "restart",
        ScenarioSameId "same_id",
        ScenarioSeries "series",
        ScenarioSettledTwice "settled_twice",
        ScenarioStep "step",
        ScenarioStreamConsumer "stream_consumer",
        ScenarioStreamOffset "stream_offset",
        ScenarioStreamStep "stream_step",
        ScenarioTally "tally",
        ScenarioTimeout "timeout",
        ScenarioToNowhere "to_nowhere",
        ScenarioTotal "total",
        ScenarioTransaction "transaction",
        ScenarioTwoBodies "two_bodies",
        ScenarioTwoLists "two_lists",
        ScenarioTwoSubjects "two_subjects",
        ScenarioTwoTimes "two_times",
        ScenarioUnknownConsumer "unknown_consumer",
        ScenarioUnknownExchange "unknown_exchange",
        ScenarioUnknownMessage "unknown_message",
        ScenarioUnknownParty "unknown_party",
        ScenarioUnknownPolicy "unknown_policy",
        ScenarioUnknownQueue "unknown_queue",
        ScenarioUnknownUser "unknown_user",
        ScenarioUnknownVhost "unknown_vhost",
        ScenarioUnusedAxis "unused_axis",
    }
    Expect "expect" {
        ExpectConnections "connections",
        ExpectConsumer "consumer",
        ExpectMessage "message",
        ExpectMetric "metric",
        ExpectPublishes "publishes",
        ExpectQueue "queue",
        ExpectTally "tally",
        ExpectTooLate "too_late",
    }
    Step "step" {
        StepHeld "held",
        StepNoReply "no_reply",
        StepNotConnected "not_connected",
        StepNotRefused "not_refused",
        StepRefused "refused",
        StepReply "reply",
        StepOverLimit "over_limit",
        StepTemplate "template",
    }
    Run "run" {
        RunBesideClients "beside_clients",
        RunBroker "broker",
        RunConnect "connect",
        RunLoop "loop",
        RunNeverQuiet "never_quiet",
        RunNoEnd "no_end",
        RunTimeout "timeout",
    }
    Snapshot "snapshot" {
        SnapshotBroken "broken",
        SnapshotUnreadable "unreadable",
    }
    Convert "convert" {
        ConvertAssumed "assumed",
        ConvertLeftOut "left_out",
        ConvertNotEqual "not_equal",
    }
    Plan "plan" {
        PlanArgument "argument",
        PlanClusterOwn "cluster_own",
        PlanComponent "component",
        PlanDefaultQueueType "default_queue_type",
        PlanDeniedFeature "denied_feature",
        PlanExchangeType "exchange_type",
        PlanExclusiveQueue "exclusive_queue",
        PlanImmutable "immutable",
        PlanMissing "missing",
        PlanName "name",
        PlanPasswordUnknown "password_unknown",
        PlanPlugin "plugin",
        PlanPolicy "policy",
        PlanProtectedFromDeletion "protected_from_deletion",
        PlanQueueLimit "queue_limit",
        PlanRights "rights",
        PlanSpared "spared",
        PlanUnknownLimit "unknown_limit",
        PlanUnread "unread",
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
