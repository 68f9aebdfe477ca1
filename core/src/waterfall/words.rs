//! Text that comes from a record, made safe to show.

use alloc::string::String;

use crate::limits::{WATERFALL_LABEL_CHARS, WATERFALL_SENTENCE_CHARS};

/// A label, note or value without what could steer its reader, cut to its cap.
pub(super) fn clean(text: &str) -> String {
    kept(text, WATERFALL_LABEL_CHARS)
}

/// A sentence, as [`clean`] with a cap of its own.
pub(super) fn sentence(text: &str) -> String {
    kept(text, WATERFALL_SENTENCE_CHARS)
}

fn kept(text: &str, most: usize) -> String {
    let mut kept = String::new();
    for (at, found) in text.chars().enumerate() {
        if at == most {
            kept.push('…');
            break;
        }
        kept.push(if steers(found) { '?' } else { found });
    }
    kept
}

/// Whether a character moves a terminal, turns the direction of the text after it, or may not be in XML.
pub(super) fn steers(found: char) -> bool {
    found.is_control()
        || matches!(found,
            '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}
