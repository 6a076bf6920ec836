//! A client that says what it was told to and listens until it has heard enough.
//! Gives all events with their moments.

use rmqplay::broker::{Client, Command, Event};
use rmqplay::model::{Millis, Moment};
use std::collections::VecDeque;

/// When a script has heard enough.
pub type Enough = Box<dyn FnMut(&[(Moment, Event)]) -> bool + Send>;

/// Answers an event with further commands.
pub type React = Box<dyn FnMut(&Event) -> Vec<Command> + Send>;

pub struct Script {
    commands: VecDeque<Command>,
    react: Option<React>,
    enough: Enough,
    pub heard: Vec<(Moment, Event)>,
    /// When it gives up listening.
    end: Moment,
    now: Moment,
    heard_enough: bool,
}

impl Script {
    pub fn new(now: Moment, commands: Vec<Command>, limit: Millis, enough: Enough) -> Self {
        let heard = Vec::new();
        Self { commands: commands.into(), react: None, enough, heard, end: now + limit, now, heard_enough: false }
    }

    pub fn reacting(mut self, react: React) -> Self {
        self.react = Some(react);
        self
    }

    pub fn was_satisfied(&self) -> bool {
        self.heard_enough
    }
}

impl Client for Script {
    fn poll_command(&mut self, now: Moment) -> Option<Command> {
        self.now = now;
        let command = self.commands.pop_front();
        if command.is_none() {
            self.heard_enough = (self.enough)(&self.heard);
        }
        command
    }

    fn handle_event(&mut self, now: Moment, event: Event) {
        self.now = now;
        if let Some(react) = &mut self.react {
            self.commands.extend(react(&event));
        }
        self.heard.push((now, event));
    }

    fn wake_at(&self) -> Option<Moment> {
        Some(self.end)
    }

    fn is_done(&self) -> bool {
        self.commands.is_empty() && (self.heard_enough || self.now >= self.end)
    }
}
