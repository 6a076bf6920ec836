//! The live brokers that tests may use: those of RMQPLAY_TEST_BROKERS. Without them a test says aloud that it did not run
//! live, and fails in CI.

use std::io::Write as _;

/// Gives their URLs.
pub fn urls(what: &str) -> Vec<String> {
    let Ok(urls) = std::env::var("RMQPLAY_TEST_BROKERS") else {
        assert!(
            std::env::var_os("CI").is_none(),
            "{what}: in CI the live brokers must be there, and RMQPLAY_TEST_BROKERS is not set"
        );
        say(&format!("{what}: live brokers NOT RUN (RMQPLAY_TEST_BROKERS is not set)"));
        return Vec::new();
    };
    let urls: Vec<String> = urls.split(',').map(|url| url.trim().to_owned()).filter(|url| !url.is_empty()).collect();
    assert!(!urls.is_empty(), "RMQPLAY_TEST_BROKERS names no broker");
    urls
}

/// Writes to the terminal also when the test passes.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
