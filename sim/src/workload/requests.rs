//! Each request of a user to a node: how long it took, and what became of it.
//!
//! A long run makes more of them than a record should hold, so a part of each outcome is kept, spread evenly over the run. What
//! is kept follows from the order of the requests alone: nothing is drawn.

use assay_node::api::client::ClientError;
use std::time::Duration;

/// Answered requests that are kept, at most: some twenty bytes each in a record.
pub const OK_MAX: usize = 8192;
/// Requests that failed that are kept, at most, and as many without an answer: they are fewer, and what one looks for.
pub const NOT_OK_MAX: usize = 4096;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The node answered.
    Ok,
    /// The node refused it, or it could not be sent: it certainly has no effect.
    Failed,
    /// It was sent, and what came back, if anything, is no answer: it may have an effect or not.
    Unknown,
}

impl Outcome {
    /// What `answer` says.
    pub fn of<T>(answer: &Result<T, ClientError>) -> Self {
        match answer {
            Ok(_) => Outcome::Ok,
            Err(ClientError::NotSent(_) | ClientError::Refused { .. }) => Outcome::Failed,
            Err(ClientError::Unknown(_) | ClientError::Malformed(_)) => Outcome::Unknown,
        }
    }
}

/// A request whose outcome is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// What was asked: `submit`, `balance` or `tx`.
    pub kind: &'static str,
    /// Of which node.
    pub node: usize,
    /// When it was sent, since the run began.
    pub sent: Duration,
    /// How long until its answer, or until the user gave up.
    pub took: Duration,
}

/// The requests of a run by outcome.
#[derive(Debug)]
pub struct Requests {
    /// Answered.
    pub ok: Kept,
    /// Without effect.
    pub failed: Kept,
    /// With an effect or not.
    pub unknown: Kept,
}

impl Default for Requests {
    fn default() -> Self {
        let [failed, unknown] = [Kept::new(NOT_OK_MAX), Kept::new(NOT_OK_MAX)];
        Self { ok: Kept::new(OK_MAX), failed, unknown }
    }
}

impl Requests {
    /// The outcome of one more request is known.
    pub fn add(&mut self, outcome: Outcome, request: Request) {
        match outcome {
            Outcome::Ok => self.ok.add(request),
            Outcome::Failed => self.failed.add(request),
            Outcome::Unknown => self.unknown.add(request),
        }
    }
}

/// Requests of one outcome: their number, and an even selection of them.
#[derive(Debug)]
pub struct Kept {
    max: usize,
    count: u64,
    /// A request whose mark is above it is not kept.
    mark_max: u64,
    /// Requests with their marks, in the order in which they ended.
    kept: Vec<(u64, Request)>,
}

/// The golden ratio's part after the point, in units of 2^-64. The same parts of its multiples lie evenly between 0 and 1, as
/// many of them as one takes in a row, and keep step with nothing: every second request may be of one kind.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

impl Kept {
    fn new(max: usize) -> Self {
        Self { max, count: 0, mark_max: u64::MAX, kept: Vec::new() }
    }

    fn add(&mut self, request: Request) {
        let mark = self.count.wrapping_mul(GOLDEN);
        self.count += 1;
        if mark <= self.mark_max {
            self.kept.push((mark, request));
        }
        while self.kept.len() > self.max {
            self.mark_max /= 2;
            self.kept.retain(|(mark, _)| *mark <= self.mark_max);
        }
    }

    /// How many there were, kept or not.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Those that are kept, in the order in which they were sent.
    pub fn in_order(&self) -> Vec<Request> {
        let mut requests: Vec<Request> = self.kept.iter().map(|(_, request)| *request).collect();
        requests.sort_by_key(|request| request.sent);
        requests
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request number `n` of one a second, by turns of two kinds.
    fn request(n: u64) -> Request {
        let kind = if n.is_multiple_of(2) { "submit" } else { "balance" };
        Request { kind, node: 0, sent: Duration::from_secs(n), took: Duration::from_millis(40) }
    }

    fn kept(max: usize, requests: u64) -> Kept {
        let mut kept = Kept::new(max);
        (0..requests).for_each(|n| kept.add(request(n)));
        kept
    }

    #[test]
    fn few_are_all_kept() {
        let all = kept(100, 100);
        assert_eq!((all.count(), all.in_order()), (100, (0..100).map(request).collect()));
    }

    #[test]
    fn of_many_an_even_part_is_kept() {
        let many = kept(100, 10_007);
        let requests = many.in_order();
        assert_eq!(many.count(), 10_007);
        assert!((50..=100).contains(&requests.len()), "{} are kept", requests.len());
        for half in [0..5000, 5000..10_007] {
            let share = requests.iter().filter(|it| half.contains(&it.sent.as_secs())).count() * 100 / requests.len();
            assert!((45..=55).contains(&share), "{share} % are of {half:?}");
        }
        let submits = requests.iter().filter(|it| it.kind == "submit").count() * 100 / requests.len();
        assert!((40..=60).contains(&submits), "{submits} % of the requests are one kind of two");
        let gaps = requests.windows(2).map(|pair| (pair[1].sent - pair[0].sent).as_secs());
        assert!(gaps.clone().all(|gap| gap < 400), "gaps of {:?}", gaps.max());
    }

    #[test]
    fn each_outcome_has_its_own_bound() {
        let mut requests = Requests::default();
        requests.add(Outcome::Unknown, request(0));
        for n in 1..3 * OK_MAX as u64 {
            requests.add(Outcome::Ok, request(n));
            requests.add(Outcome::Failed, request(n));
        }
        assert!((OK_MAX / 2..=OK_MAX).contains(&requests.ok.in_order().len()));
        assert!(requests.failed.in_order().len() <= NOT_OK_MAX);
        assert_eq!(requests.failed.count(), requests.ok.count());
        assert_eq!(requests.unknown.in_order(), [request(0)], "a rare one stays, however many others there are");
    }

    #[test]
    fn they_are_in_the_order_in_which_they_were_sent() {
        let mut kept = Kept::new(10);
        [5, 3, 9].into_iter().for_each(|n| kept.add(request(n)));
        assert_eq!(kept.in_order(), [3, 5, 9].map(request));
    }

    #[test]
    fn an_outcome_is_what_the_client_knows() {
        let refused = ClientError::Refused { status: 503, code: "full".into(), message: "the mempool is full".into() };
        let answers =
            [Ok(()), Err(refused), Err(ClientError::NotSent("".into())), Err(ClientError::Unknown("".into()))];
        let outcomes = answers.map(|answer| Outcome::of(&answer));
        assert_eq!(outcomes, [Outcome::Ok, Outcome::Failed, Outcome::Failed, Outcome::Unknown]);
    }
}
