//! How many may be there at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Places of one kind.
#[derive(Debug)]
pub(super) struct Places {
    taken: Arc<AtomicUsize>,
    most: usize,
}

impl Places {
    pub(super) fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most }
    }

    /// A place, if there is one left.
    pub(super) fn take(&self) -> Option<Place> {
        // Counted first: two who look at once must not both find the last one.
        let place = Place(Arc::clone(&self.taken));
        (place.0.fetch_add(1, Ordering::Relaxed) < self.most).then_some(place)
    }

    pub(super) fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

/// Taken until dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_left() {
        let places = Places::new(2);
        let (one, _two) = (places.take().unwrap(), places.take().unwrap());
        assert!(places.take().is_none());
        assert_eq!(places.taken(), 2, "who was refused takes none");
        drop(one);
        assert!(places.take().is_some());
    }
}
