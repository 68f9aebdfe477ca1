//! Callsites made at run time: their names come from a profile and from the operations of an application.

use core::{
    fmt,
    sync::atomic::{AtomicU8, Ordering},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, OnceLock},
};

use tracing_core::{
    Dispatch, Interest, Kind, Level, LevelFilter, Metadata,
    callsite::{self, Callsite},
    field::FieldSet,
    identify_callsite,
};

use crate::recorder::lock;

/// A place where spans or events come from, with the subscribers' interest in it.
///
/// Subscribers keep references to it for ever, so each is made once in the life of the process.
pub(super) struct Site {
    metadata: OnceLock<Metadata<'static>>,
    interest: AtomicU8,
}

impl Site {
    /// Makes a site known to all subscribers. It is never freed.
    pub(super) fn register(name: &'static str, kind: Kind, fields: &[&'static str]) -> &'static Self {
        let fields: &'static [&'static str] = fields.to_vec().leak();
        let site: &'static Self =
            Box::leak(Box::new(Self { metadata: OnceLock::new(), interest: AtomicU8::new(NEVER) }));
        site.metadata.get_or_init(|| {
            let fields = FieldSet::new(fields, identify_callsite!(site));
            Metadata::new(name, TARGET, LEVEL, None, None, None, fields, kind)
        });
        callsite::register(site);
        site
    }

    /// Whether a subscriber may want something from here.
    pub(super) fn is_of_interest(&self) -> bool {
        LEVEL <= LevelFilter::current() && self.interest.load(Ordering::Relaxed) != NEVER
    }

    /// Whether this subscriber wants it. What it agrees to has to follow at once: it keeps for its layers what they said.
    pub(super) fn is_enabled(&self, dispatch: &Dispatch) -> bool {
        self.is_of_interest() && (self.interest.load(Ordering::Relaxed) == ALWAYS || dispatch.enabled(self.metadata()))
    }

    pub(super) fn metadata(&self) -> &Metadata<'static> {
        self.metadata.get().expect("a site has its metadata before anyone sees it")
    }
}

impl Callsite for Site {
    fn set_interest(&self, interest: Interest) {
        let interest = match () {
            () if interest.is_never() => NEVER,
            () if interest.is_always() => ALWAYS,
            () => SOMETIMES,
        };
        self.interest.store(interest, Ordering::Relaxed);
    }

    fn metadata(&self) -> &Metadata<'_> {
        Self::metadata(self)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Site").field(&self.metadata.get().map(Metadata::name)).finish()
    }
}

const NEVER: u8 = 0;
const SOMETIMES: u8 = 1;
const ALWAYS: u8 = 2;

/// Sites by name, for names that are known only at run time.
#[derive(Debug)]
pub(super) struct Sites {
    by_name: Mutex<BTreeMap<&'static str, &'static Site>>,
}

impl Sites {
    pub(super) const fn new() -> Self {
        Self { by_name: Mutex::new(BTreeMap::new()) }
    }

    /// The span site of that name; past the cap, one that all further names share.
    pub(super) fn span(&self, name: &str, fields: &[&'static str]) -> &'static Site {
        let mut by_name = lock(&self.by_name);
        let name = if by_name.contains_key(name) || by_name.len() < NAMES { name } else { OVERFLOW };
        if let Some(site) = by_name.get(name) {
            return site;
        }
        let name: &'static str = String::from(name).leak();
        let site = Site::register(name, Kind::SPAN, fields);
        by_name.insert(name, site);
        site
    }
}

/// Names of spans that an application can make; sites are never freed.
const NAMES: usize = 64;

const OVERFLOW: &str = "llm.other";
const TARGET: &str = "llmspan";
const LEVEL: Level = Level::INFO;
