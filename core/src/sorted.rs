//! Sorting with one piece of code for all lists.
//!
//! The sorts of the standard library are made anew, and large, for every type: here its heap puts places in a list in order
//! for all of them, and only the swaps are of a type. Nothing here sorts where speed counts.

use alloc::{collections::BinaryHeap, vec::Vec};
use core::cmp::Ordering;

/// Sorts by a key; elements with equal keys keep their order.
pub(crate) fn sort_by_key<T, K: Ord>(list: &mut [T], key: impl Fn(&T) -> K) {
    sort_by(list, |one, other| key(one).cmp(&key(other)));
}

/// Sorts by a comparison; equal elements keep their order.
pub(crate) fn sort_by<T>(list: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let compare =
        |one, other| list.get(one).zip(list.get(other)).map_or(Ordering::Equal, |(one, other)| compare(one, other));
    let mut order = order(list.len(), &compare);
    // Each cycle of places is gone through once: what belongs to a place is swapped in, what was there goes on.
    for start in 0..order.len() {
        let mut at = start;
        while let Some(next) = order.get_mut(at).map(|next| core::mem::replace(next, at))
            && next != start
        {
            // Both are places in the list.
            list.swap(at, next);
            at = next;
        }
    }
}

/// The elements in the order of a key; those with equal keys keep theirs.
pub(crate) fn in_order<'a, T, K: Ord>(list: &'a [T], key: impl Fn(&'a T) -> K) -> impl Iterator<Item = &'a T> {
    places(list, key).into_iter().filter_map(|at| list.get(at))
}

/// The places of the elements in the order of a key; those with equal keys keep theirs.
pub(crate) fn places<'a, T, K: Ord>(list: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<usize> {
    order(list.len(), &|one, other| list.get(one).map(&key).cmp(&list.get(other).map(&key)))
}

/// The places of a list's elements in the order of the elements; equal ones keep their order.
fn order(len: usize, compare: Compare<'_>) -> Vec<usize> {
    if (1..len).all(|at| compare(at.saturating_sub(1), at).is_le()) {
        return (0..len).collect();
    }
    let places: BinaryHeap<Place<'_>> = (0..len).map(|at| Place { at, compare }).collect();
    places.into_sorted_vec().into_iter().map(|place| place.at).collect()
}

type Compare<'a> = &'a dyn Fn(usize, usize) -> Ordering;

/// A place in a list, which is ordered as its element is.
struct Place<'a> {
    at: usize,
    compare: Compare<'a>,
}

impl Ord for Place<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.compare)(self.at, other.at).then(self.at.cmp(&other.at))
    }
}

impl PartialOrd for Place<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Place<'_> {}

impl PartialEq for Place<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn equal_keys_keep_their_order() {
        let mut list = vec![(2, 'a'), (1, 'b'), (2, 'c'), (0, 'd'), (1, 'e')];
        sort_by_key(&mut list, |entry| entry.0);
        assert_eq!(list, [(0, 'd'), (1, 'b'), (1, 'e'), (2, 'a'), (2, 'c')]);
        sort_by_key(&mut list, |_| 0);
        assert_eq!(list[0], (0, 'd'));
    }

    #[test]
    fn lists_of_all_lengths_are_sorted_as_by_the_standard_library() {
        let mut seed = 7_u32;
        for length in 0..200 {
            let mut next = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed >> 28
            };
            let mut list: Vec<(u32, usize)> = (0..length).map(|at| (next(), at)).collect();
            let mut expected = list.clone();
            expected.sort_unstable();
            let ordered: Vec<_> = in_order(&list, |entry| entry.0).copied().collect();
            sort_by_key(&mut list, |entry| entry.0);
            assert_eq!((&list, &ordered), (&expected, &expected));
        }
    }
}
