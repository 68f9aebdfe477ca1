//! Ways to cut a body into reads.

use super::frames::Events;

/// The ways to cut `body` that a replay tries, each with a name and the places of its cuts.
pub(super) fn ways(
    body: &[u8],
    events: &Events,
    chunk_lens: Option<&[usize]>,
) -> Result<Vec<(String, Vec<usize>)>, String> {
    let awkward = awkward(body, events);
    let mut ways = vec![
        (String::from("one byte at a time"), (1..body.len()).collect()),
        (String::from("cut at every awkward place"), awkward.clone()),
    ];
    if let Some(lens) = chunk_lens {
        if lens.iter().sum::<usize>() != body.len() {
            return Err(String::from("chunk_lens do not add up to the length of the body"));
        }
        let mut end = 0;
        let cuts = lens.iter().map(|len| {
            end += len;
            end
        });
        ways.push((String::from("cut as recorded"), cuts.filter(|cut| *cut < body.len()).collect()));
    }
    for seed in 0..RANDOM_WAYS {
        let longest = 1 << (2 * seed + 2);
        ways.push((format!("cut at random, seed {seed}"), random(body.len(), longest, seed)));
    }
    let singles = SINGLE_CUT_BYTES.checked_div(body.len()).unwrap_or(0).clamp(2, SINGLE_CUTS);
    for cut in awkward.iter().step_by(awkward.len().div_ceil(singles).max(1)) {
        ways.push((format!("cut once, at byte {cut}"), vec![*cut]));
    }
    Ok(ways)
}

/// Places where a decoder that forgets something between two reads goes wrong: around line ends and inside CRLF, inside
/// UTF-8 sequences and escapes, behind field names, around and inside the heads of binary messages.
fn awkward(body: &[u8], events: &Events) -> Vec<usize> {
    let heads: Vec<usize> =
        events.ranges.iter().flat_map(|range| [0, 1, 4, 8, 12].map(|offset| range.start + offset)).collect();
    (1..body.len())
        .filter(|&at| {
            let (before, after) = (&body[..at], body[at]);
            matches!(before.last(), Some(b'\n' | b'\r' | b'\\'))
                || matches!(after, b'\n' | b'\r')
                || (after & 0b1100_0000) == 0b1000_0000
                || before.ends_with(b"data:")
                || before.ends_with(b"event:")
                || heads.binary_search(&at).is_ok()
        })
        .collect()
}

fn random(len: usize, longest: usize, seed: u64) -> Vec<usize> {
    let mut state = seed;
    let mut cuts = Vec::new();
    let mut at = 0;
    loop {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let step = usize::try_from(state >> 33).unwrap_or_default() % longest;
        at += step + 1;
        if at >= len {
            return cuts;
        }
        cuts.push(at);
    }
}

const RANDOM_WAYS: u64 = 6;

/// Most bodies with a single cut that are tried.
const SINGLE_CUTS: usize = 100;

/// Bytes of all bodies with a single cut together: long bodies get fewer of them.
const SINGLE_CUT_BYTES: usize = 1 << 20;
