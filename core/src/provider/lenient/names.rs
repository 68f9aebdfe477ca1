//! Names of fields and of kinds, and which of them a text is.

/// Names in one piece that is searched without a look at most of it: every name behind a byte that holds its length, and
/// for one more name of the same thing [`ALIAS`] too.
///
/// In `names` each thing begins with a line feed, and each of its further names with a `|`.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, of which it would be an error")]
pub(in crate::provider) const fn name_table<const N: usize>(names: &str) -> [u8; N] {
    let mut table = [0; N];
    let mut rest = names.as_bytes();
    let mut head = 0;
    let mut at = 0;
    while let [byte, after @ ..] = rest {
        if matches!(*byte, b'\n' | b'|') {
            head = at;
            table[head] = if *byte == b'|' { ALIAS } else { 0 };
        } else {
            table[at] = *byte;
            table[head] += 1;
        }
        at += 1;
        rest = after;
    }
    table
}

const ALIAS: u8 = 0x80;

/// The number of the thing that has this name.
///
/// Every member of every event is looked up here, so it is written to be fast where code is made small: names of another
/// length or another first letter are not compared.
pub(in crate::provider) fn number_of(names: &[u8], name: &[u8]) -> Option<usize> {
    let first = *name.first()?;
    let mut rest = names;
    let mut things = 0_usize;
    while let [head, after @ ..] = rest {
        if head & ALIAS == 0 {
            things += 1;
        }
        let length = usize::from(head & !ALIAS);
        if length == name.len() && matches!(after, [known, ..] if *known == first) && after.starts_with(name) {
            return things.checked_sub(1);
        }
        rest = after.get(length..)?;
    }
    None
}

/// Defines the kinds of something, by their names on the wire.
///
/// A `match` on byte strings says the same, but is compiled to a comparison of every byte of every name: that would be a third
/// of the decoders' code.
macro_rules! kinds {
    ($(#[$meta:meta])* enum $name:ident {
        $($(#[$of_kind:meta])* $kind:ident = $($text:literal)|+),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        enum $name {
            $($(#[$of_kind])* $kind),*
        }

        impl $name {
            /// The kind that has this name.
            fn of(name: &[u8]) -> Option<Self> {
                const NAMES: &str = concat!($($crate::provider::lenient::names_of_one!($($text),+)),*);
                const TABLE: [u8; NAMES.len()] = $crate::provider::lenient::name_table(NAMES);
                const KINDS: &[$name] = &[$($name::$kind),*];
                let number = $crate::provider::lenient::number_of(&TABLE, name)?;
                KINDS.get(number).copied()
            }
        }
    };
}

/// The names of one thing, as [`name_table`] takes them.
macro_rules! names_of_one {
    ($name:literal $(, $alias:literal)*) => {
        concat!("\n", $name $(, "|", $alias)*)
    };
}

pub(in crate::provider) use {kinds, names_of_one};
