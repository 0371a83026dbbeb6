//! Which of the candidates are hit.
//!
//! Owns the draw: pseudo-random, so that no replica is favoured, and repeatable, since it depends on the run, the
//! iteration and the sorted candidates alone. Refuses to know what a candidate is.

/// The places of `count` of `candidates` things, ascending.
///
/// A partial Fisher–Yates shuffle (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm P) with `SplitMix64`
/// (Steele, Lea and Flood, 2014), seeded by FNV-1a of the run and the iteration. The modulo's bias is below 1e-15 for
/// any number of processes that a host can have. Cost: O(candidates).
///
/// ```
/// use unfazed::inject::choice::choose;
/// assert_eq!(choose(3, 3, "run", 1), [0, 1, 2]);
/// assert_eq!(choose(9, 2, "run", 1), choose(9, 2, "run", 1));
/// assert_eq!(choose(2, 5, "run", 1).len(), 2);
/// ```
pub fn choose(candidates: usize, count: usize, run_id: &str, iteration: u32) -> Vec<usize> {
    let mut state = seed(run_id, iteration);
    let mut places: Vec<usize> = (0..candidates).collect();
    let count = count.min(candidates);
    for place in 0..count {
        let left = (candidates - place) as u64;
        #[expect(clippy::cast_possible_truncation, reason = "below the number of candidates")]
        let step = (next(&mut state) % left) as usize;
        places.swap(place, place + step);
    }
    places.truncate(count);
    places.sort_unstable();
    places
}

fn seed(run_id: &str, iteration: u32) -> u64 {
    let bytes = run_id.bytes().chain([0]).chain(iteration.to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::choose;

    #[test]
    fn every_replica_has_its_turn() {
        let mut hits = [0_u32; 5];
        for iteration in 0..500 {
            for place in choose(5, 2, "run", iteration) {
                hits[place] += 1;
            }
        }
        // 200 expected, standard deviation 11: 60 off is beyond five of them.
        assert!(hits.iter().all(|hit| hit.abs_diff(200) < 60), "{hits:?}");
    }
}
