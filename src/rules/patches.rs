//! Rules that changed within a minor version: what releases do that are older or newer than the one of their profile.
//! Takes a profile, a patch and the table of the profile; gives a table. Never says which release a broker is.

use crate::model::Profile;
use crate::rules::version_choices::PassiveAccess;
use crate::rules::versions::Differences;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

type Change = (Profile, u16, fn(&mut Differences));

/// What releases before a patch did. The order of x-death on 3.13.0 to 3.13.2 is chance (DL-19), and not among them.
const BEFORE: [Change; 9] = [
    // PO-3, PO-5.
    (Profile::V3_12, 7, |it| {
        it.classic_skips = &["queue-leader-locator"];
        it.more_operator_keys = &[];
    }),
    // RT-17.
    (Profile::V3_13, 3, |it| it.unknown_type_closes_connection = true),
    // PE-8.
    (Profile::V4_0, 3, |it| it.topic_check_covers_cc = false),
    // CO-6.
    (Profile::V4_1, 2, |it| it.returns_elect_nobody = true),
    // DL-31.
    (Profile::V4_2, 1, |it| it.quorum_maxlen_reversed = true),
    // PX-1.
    (Profile::V4_2, 6, |it| it.hash_weight_max = None),
    // PE-2.
    (Profile::V4_2, 6, |it| it.passive_access = PassiveAccess::Free),
    (Profile::V4_3, 1, |it| it.passive_access = PassiveAccess::Configure),
    // RT-20.
    (Profile::V4_3, 5, |it| it.topic_hashes_max = None),
];

/// What releases do from a patch on that is newer than the profile's.
const SINCE: [Change; 1] = [
    // PE-2.
    (Profile::V4_2, 7, |it| it.passive_access = PassiveAccess::AnyRight),
];

/// A profile, the patch, and what is permitted, as bits.
type Release = (Profile, u16, u8);

/// Returns the table of a release. Each is made once and kept, as those of the profiles are.
pub(super) fn of_patch(release: Release, own: &'static Differences) -> &'static Differences {
    static MADE: Mutex<BTreeMap<Release, &'static Differences>> = Mutex::new(BTreeMap::new());
    let (profile, patch, _) = release;
    let mut table = *own;
    let before = BEFORE.iter().filter(|(of, first, _)| *of == profile && patch < *first);
    let since = SINCE.iter().filter(|(of, first, _)| *of == profile && patch >= *first);
    before.chain(since).for_each(|(_, _, change)| change(&mut table));
    if table == *own {
        return own;
    }
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.entry(release).or_insert_with(|| Box::leak(Box::new(table)))
}
