use super::*;

const PATIENCE: Patience = Patience { settle: Duration::from_secs(2) };

/// A file with everybody who may write to it.
struct World {
    settler: Settler,
    ending: Ending,
    writers: Writers,
}

impl World {
    fn new(ending: Ending, writers: Writers) -> World {
        World { settler: Settler::new(PATIENCE), ending, writers }
    }

    /// A scan that finds a file of that size; whether it is taken.
    fn sees(&mut self, second: u64, bytes: u64) -> bool {
        let facts = Facts { device: 1, inode: 2, bytes, modified: 3, changed: bytes.into() };
        let listing = vec![(PathBuf::from("a"), facts)];
        for file in self.settler.scan(listing, at(second)) {
            match PATIENCE.with(&file, self.ending, &self.writers) {
                Some(needed) if file.quiet >= needed => {
                    self.settler.taken(&file.path);
                    return true;
                }
                Some(needed) => self.settler.wait(&file.path, needed),
                None => {}
            }
        }
        false
    }

    /// The second in which a file that does not change is taken.
    fn taken_at(&mut self) -> Option<u64> {
        (0..1000).find(|&second| self.sees(second, 5))
    }
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_quiet_file_is_taken_once_after_what_its_container_and_its_writers_tell() {
    let somebody = || Writers::Somebody("cp (7)".to_owned());
    for (ending, writers, expected) in [
        (Ending::Whole, Writers::Nobody, Some(2)),
        (Ending::Whole, Writers::OutOfSight, Some(2)),
        (Ending::Open, Writers::Nobody, Some(20)),
        (Ending::Open, Writers::OutOfSight, Some(60)),
        (Ending::Cut, Writers::Nobody, Some(60)),
        (Ending::Whole, somebody(), None),
        (Ending::Open, somebody(), None),
        (Ending::Cut, somebody(), None),
    ] {
        let mut world = World::new(ending, writers.clone());
        assert_eq!(world.taken_at(), expected, "{ending:?}, {writers:?}");
        assert_eq!(world.taken_at(), None, "taken twice");
    }
}

#[test]
fn a_growing_file_waits_until_it_stops() {
    let mut world = World::new(Ending::Whole, Writers::Nobody);
    assert!((0..10).all(|second| !world.sees(second, second)));
    assert!(!world.sees(10, 9));
    assert!(world.sees(11, 9));
}

/// A copy that paused for a minute may pause for another one.
#[test]
fn a_copy_that_paused_is_waited_for_as_long_again_and_more() {
    let mut world = World::new(Ending::Open, Writers::OutOfSight);
    assert!((0..40).all(|second| !world.sees(second, 1)));
    let taken = (40..400).find(|&second| world.sees(second, 2));
    assert_eq!(taken, Some(40 + 80));
}

#[test]
fn what_came_slowly_over_a_network_is_waited_for_longer() {
    let mut world = World::new(Ending::Open, Writers::OutOfSight);
    assert!((0..=400).all(|second| !world.sees(second, second)));
    let taken = (401..2000).find(|&second| world.sees(second, 400));
    assert_eq!(taken, Some(400 + 100));
    let mut large = World::new(Ending::Open, Writers::OutOfSight);
    assert_eq!((0..2000).find(|&second| large.sees(second, 10_000_000_000)), Some(200));
}

#[test]
fn a_changed_file_is_another_one() {
    let mut world = World::new(Ending::Whole, Writers::Nobody);
    assert!(!world.sees(0, 5) && world.sees(2, 5));
    assert!(!world.sees(3, 6) && world.sees(5, 6));
}

#[test]
fn a_file_that_left_and_came_back_settles_anew() {
    let mut world = World::new(Ending::Whole, Writers::Nobody);
    assert!(!world.sees(0, 5) && world.sees(2, 5));
    assert!(world.settler.scan(Vec::new(), at(3)).is_empty());
    assert!(!world.sees(4, 5) && world.sees(6, 5));
}

#[test]
fn a_file_that_could_not_be_taken_is_offered_again() {
    let mut settler = Settler::new(PATIENCE);
    let facts = Facts { device: 1, inode: 2, bytes: 5, modified: 3, changed: 3 };
    let listing = || vec![(PathBuf::from("a"), facts)];
    settler.scan(listing(), at(0));
    assert_eq!(settler.scan(listing(), at(2)).len(), 1);
    assert_eq!(settler.scan(listing(), at(3)).len(), 1);
    settler.taken(Path::new("a"));
    assert!(settler.scan(listing(), at(4)).is_empty());
}
