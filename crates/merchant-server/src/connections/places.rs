//! Places for connections: the limits in all and for one network, and which connection gives up its
//! place to a new one. This module closes nothing: the task that serves a connection watches its
//! place.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use merchant_core::config::ConnectionBounds;
use tokio::sync::Notify;

use super::open_files;
use super::progress::Progress;

/// Descriptors for other uses than connections of clients: the database's files, calls to WeChat
/// and to the backend, and connections that are just being closed.
const OTHER_FILES: usize = 256;

/// All places of a server.
#[derive(Debug)]
pub(crate) struct Places {
    bounds: ConnectionBounds,
    total: usize,
    open: Mutex<Open>,
    /// See [`Progress`].
    answering: Arc<AtomicUsize>,
    given_away: AtomicU64,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// The oldest first.
    by_age: BTreeMap<u64, Taken>,
    of_network: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Taken {
    network: Option<IpAddr>,
    progress: Arc<Progress>,
    is_given_away: Arc<Notify>,
}

/// Counts of connections: those that are open, and what happened to connections since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionCounts {
    pub(crate) open: u64,
    pub(crate) given_away: u64,
    pub(crate) refused: u64,
}

impl Places {
    /// Makes as many places as configured, or fewer if the system allows fewer descriptors.
    pub(crate) fn new(bounds: ConnectionBounds) -> Self {
        let files = open_files::limit().map(|limit| limit.saturating_sub(OTHER_FILES).max(16));
        Self {
            bounds,
            total: bounds.max_total.get().min(files.unwrap_or(usize::MAX)),
            open: Mutex::default(),
            answering: Arc::default(),
            given_away: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    pub(super) const fn bounds(&self) -> &ConnectionBounds {
        &self.bounds
    }

    /// Takes a place for a connection from a network; `None` is a proxy, which has no limit of its
    /// own. If no place is left, the oldest connection that waits for its client gives up its
    /// place.
    pub(super) fn take(places: &Arc<Self>, network: Option<IpAddr>) -> Option<Place> {
        let mut open = places.lock();
        let of_network = network.and_then(|network| open.of_network.get(&network).copied());
        let is_network_full =
            of_network.is_some_and(|count| count >= places.bounds.max_per_address.get());
        let has_room = (!is_network_full
            || places.give_away(&mut open, |taken| taken.network == network))
            && (open.by_age.len() < places.total || places.give_away(&mut open, |_| true));
        if !has_room {
            places.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let id = open.next;
        open.next += 1;
        let taken = Taken {
            network,
            progress: Arc::new(Progress::new(Arc::clone(&places.answering))),
            is_given_away: Arc::default(),
        };
        let place = Place {
            id,
            progress: Arc::clone(&taken.progress),
            is_given_away: Arc::clone(&taken.is_given_away),
            places: Arc::clone(places),
        };
        if let Some(network) = network {
            *open.of_network.entry(network).or_default() += 1;
        }
        open.by_age.insert(id, taken);
        Some(place)
    }

    /// Frees one place: the system has no descriptor left.
    pub(super) fn free_one(&self) {
        self.give_away(&mut self.lock(), |_| true);
    }

    /// Whether so many connections are being answered that no poll should be held. Connections that
    /// wait for their client do not count, because they give up their place.
    pub(crate) fn are_few(&self) -> bool {
        self.answering.load(Ordering::Relaxed) * 10 >= self.total * 9
    }

    /// Whether a merchant of so many, of whose pages `held` wait, may have another one wait. Half of
    /// the places are for whoever comes. Of the others each merchant has an equal share, so that one
    /// merchant's buyers leave room for another's.
    pub(crate) fn may_hold(&self, held: usize, merchants: usize) -> bool {
        let is_half_empty = self.answering.load(Ordering::Relaxed) * 2 < self.total;
        !self.are_few() && (is_half_empty || held * merchants < self.total)
    }

    /// Whether the places left are reserved for notifications, the backend and health checks.
    pub(crate) fn are_reserved(&self) -> bool {
        self.answering.load(Ordering::Relaxed) * 20 >= self.total * 19
    }

    pub(crate) fn counts(&self) -> ConnectionCounts {
        ConnectionCounts {
            open: u64::try_from(self.lock().by_age.len()).unwrap_or(u64::MAX),
            given_away: self.given_away.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Takes the place of the oldest connection that can give it up. The order is: a connection
    /// that waits for its client, then a connection of a proxy (it may be in the proxy's pool),
    /// then a connection whose client does not read its answer.
    fn give_away(&self, open: &mut Open, is_one_of: impl Fn(&Taken) -> bool) -> bool {
        let ranks: [fn(&Taken) -> bool; 3] = [
            |taken| taken.network.is_some() && !taken.progress.is_being_answered(),
            |taken| !taken.progress.is_being_answered(),
            |taken| taken.progress.is_stalled(),
        ];
        let oldest = ranks.into_iter().find_map(|gives_way| {
            let mut by_age = open.by_age.iter();
            let found = by_age.find(|(_, taken)| is_one_of(taken) && gives_way(taken));
            found.map(|(id, _)| *id)
        });
        let Some(taken) = oldest.and_then(|id| open.remove(id)) else {
            return false;
        };
        taken.is_given_away.notify_one();
        self.given_away.fetch_add(1, Ordering::Relaxed);
        true
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn remove(&mut self, id: u64) -> Option<Taken> {
        let taken = self.by_age.remove(&id)?;
        if let Some(network) = taken.network
            && let Some(count) = self.of_network.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                self.of_network.remove(&network);
            }
        }
        Some(taken)
    }
}

/// A connection's place. It is freed when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    id: u64,
    progress: Arc<Progress>,
    is_given_away: Arc<Notify>,
    places: Arc<Places>,
}

impl Place {
    pub(super) const fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Ends when another connection has this place.
    pub(super) async fn given_away(&self) {
        self.is_given_away.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().remove(self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::num::NonZeroUsize;

    use super::*;

    fn places(max_total: usize, max_per_address: usize) -> Arc<Places> {
        Arc::new(Places::new(ConnectionBounds {
            max_total: NonZeroUsize::new(max_total).unwrap(),
            max_per_address: NonZeroUsize::new(max_per_address).unwrap(),
            ..ConnectionBounds::default()
        }))
    }

    fn network(last: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, last).into()
    }

    fn take(places: &Arc<Places>, last: u8) -> Option<Place> {
        Places::take(places, Some(network(last)))
    }

    fn is_given_away(place: &Place) -> bool {
        !place.places.lock().by_age.contains_key(&place.id)
    }

    #[test]
    fn the_oldest_waiting_connection_is_closed_first_and_an_answered_one_never() {
        let places = places(3, 3);
        let answered = take(&places, 1).unwrap();
        let _answering = answered.progress().begin(true);
        let half_sent = take(&places, 2).unwrap();
        let half_body = take(&places, 3).unwrap();
        let _body = half_body.progress().begin(false);

        let next = take(&places, 4).unwrap();
        assert!(is_given_away(&half_sent) && !is_given_away(&answered));
        let other = take(&places, 5).unwrap();
        assert!(is_given_away(&half_body) && !is_given_away(&next));

        let _more = [next.progress().begin(true), other.progress().begin(true)];
        assert!(take(&places, 6).is_none());
        let expected = ConnectionCounts {
            open: 3,
            given_away: 2,
            refused: 1,
        };
        assert_eq!(places.counts(), expected);
    }

    #[test]
    fn a_merchant_that_holds_its_share_of_the_places_holds_no_more_once_half_are_in_use() {
        let places = places(20, 20);
        let answered: Vec<_> = (0..9)
            .map(|_| {
                let place = take(&places, 1).unwrap();
                (place.progress().begin(true), place)
            })
            .collect();
        assert!(places.may_hold(9, 2), "half of the places are free");
        let _more = (take(&places, 1).unwrap(), answered);
        let busy = take(&places, 1).unwrap();
        let _answering = busy.progress().begin(true);
        for (held, merchants, may_hold) in
            [(9, 2, true), (10, 2, false), (0, 2, true), (10, 1, true)]
        {
            assert_eq!(
                places.may_hold(held, merchants),
                may_hold,
                "{held} of {merchants}"
            );
        }
    }

    #[test]
    fn a_network_has_its_own_limit_and_a_proxy_has_none() {
        let places = places(100, 2);
        let first = take(&places, 1).unwrap();
        let second = take(&places, 1).unwrap();
        let third = take(&places, 1).unwrap();
        assert!(is_given_away(&first) && !is_given_away(&second));
        let _busy = [second.progress().begin(true), third.progress().begin(true)];
        assert!(take(&places, 1).is_none());
        assert!(take(&places, 2).is_some());
        let of_a_proxy: Vec<_> = (0..50).map(|_| Places::take(&places, None)).collect();
        assert!(of_a_proxy.iter().all(Option::is_some));
    }

    #[test]
    fn a_returned_place_is_free_again() {
        let places = places(10, 2);
        for _ in 0..100 {
            let place = take(&places, 1).unwrap();
            let _answering = place.progress().begin(true);
        }
        let counts = places.counts();
        assert_eq!((counts.open, counts.given_away, counts.refused), (0, 0, 0));
        assert!(places.lock().of_network.is_empty());
    }

    #[test]
    fn waiting_connections_can_be_closed_and_answered_ones_cannot() {
        let places = places(20, 20);
        let taken: Vec<_> = (0..20).filter_map(|_| take(&places, 1)).collect();
        assert!(!places.are_few(), "all of them can give way");
        let mut answering: Vec<_> = taken[..17]
            .iter()
            .map(|place| place.progress().begin(true))
            .collect();
        assert!(!places.are_few());
        answering.push(taken[17].progress().begin(false));
        assert!(!places.are_few(), "half of a body");
        taken[17].progress().is_whole();
        assert!(places.are_few() && !places.are_reserved());
        answering.push(taken[18].progress().begin(true));
        assert!(places.are_reserved());
        drop(answering);
        taken[17].progress().is_whole();
        assert!(!places.are_few(), "a late end of a body counts for nothing");
    }

    #[test]
    fn a_client_that_does_not_read_its_answer_is_closed_after_all_waiting_ones() {
        let places = places(3, 3);
        let unread = take(&places, 1).unwrap();
        unread.progress().set_writing(true);
        unread.progress().set_stalled(true);
        let pooled = Places::take(&places, None).unwrap();
        let half_sent = take(&places, 2).unwrap();
        let busy = |place: &Place| place.progress().begin(true);

        let first = take(&places, 3).unwrap();
        assert!(is_given_away(&half_sent) && !is_given_away(&pooled));
        let _first = busy(&first);
        let second = take(&places, 4).unwrap();
        assert!(is_given_away(&pooled) && !is_given_away(&unread));
        let _second = busy(&second);
        assert!(take(&places, 5).is_some());
        assert!(is_given_away(&unread));
    }

    #[test]
    fn a_place_waits_for_its_client_again_after_the_answer() {
        let places = places(1, 1);
        let place = take(&places, 1).unwrap();
        let answering = place.progress().begin(false);
        assert!(!place.progress().is_being_answered());
        place.progress().is_whole();
        assert!(place.progress().is_being_answered());
        drop(answering);
        assert!(!place.progress().is_being_answered());
        place.progress().set_writing(true);
        assert!(place.progress().is_being_answered());
    }
}
