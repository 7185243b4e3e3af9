//! For how long something has been so, by looking again and again.

use std::time::Duration;
use tokio::time::Instant;

/// Looks that are further apart say nothing of the time between them: whoever looks was busy, and has heard nobody meanwhile.
pub const LOOKS_APART_MAX: Duration = Duration::from_secs(5);

/// For how long something has been so at each look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Streak {
    /// The first look of the streak, and the last one.
    looks: Option<(Instant, Instant)>,
}

impl Streak {
    /// A look: it is so at `now`, or it is not.
    pub fn look(&mut self, is_so: bool, now: Instant) {
        let goes_on = self.looks.filter(|(_, last)| now.duration_since(*last) <= LOOKS_APART_MAX);
        self.looks = is_so.then(|| (goes_on.map_or(now, |(first, _)| first), now));
    }

    /// From the first look of the streak to the last one; none when it was not so at the last one.
    pub fn lasts(&self) -> Option<Duration> {
        self.looks.map(|(first, last)| last.duration_since(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_begins_anew_when_it_was_not_so_and_when_nobody_looked() {
        let (mut streak, start) = (Streak::default(), Instant::now());
        let mut lasts = |seconds, is_so| {
            streak.look(is_so, start + Duration::from_secs(seconds));
            streak.lasts().map(|lasts| lasts.as_secs())
        };
        assert_eq!([lasts(0, false), lasts(1, true), lasts(6, true)], [None, Some(0), Some(5)]);
        assert_eq!([lasts(12, true), lasts(13, true)], [Some(0), Some(1)], "nobody looked for six seconds");
        assert_eq!([lasts(14, false), lasts(15, true)], [None, Some(0)]);
    }
}
