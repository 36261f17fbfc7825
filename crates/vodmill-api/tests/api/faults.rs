//! A key store that is away, slow, or changed by others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use vodmill_api::{KeySettings, Memory, Server};
use vodmill_clock::{Clock as _, ManualClock, SystemClock};
use vodmill_keys::{
    GenerationKeys, KeySet, KeyStore, KeyStoreError, Kid, MemoryKeyStore, StoredKey,
};

use crate::client::{Answer, ask, key_server, now};

type Result<T> = std::result::Result<T, KeyStoreError>;

/// Fails, or takes its time, on demand.
#[derive(Default)]
struct Moody {
    within: MemoryKeyStore,
    away: AtomicBool,
    slow: AtomicBool,
    looks: AtomicU64,
}

impl KeyStore for Moody {
    fn get(&self, kid: &Kid) -> Result<Option<StoredKey>> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        if self.slow.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(700));
        }
        match self.away.load(Ordering::Relaxed) {
            true => Err(KeyStoreError::Backend("the database is down".into())),
            false => self.within.get(kid),
        }
    }

    fn put(&self, asset: &str, generation: &str, keys: KeySet) -> Result<KeySet> {
        self.within.put(asset, generation, keys)
    }

    fn of_generation(&self, asset: &str, generation: &str) -> Result<Option<KeySet>> {
        self.within.of_generation(asset, generation)
    }

    fn expire(&self, asset: &str, generation: &str, at: u64) -> Result<Option<u64>> {
        self.within.expire(asset, generation, at)
    }

    fn rewrap(&self) -> Result<usize> {
        self.within.rewrap()
    }

    fn list(&self) -> Result<Vec<GenerationKeys>> {
        self.within.list()
    }
}

struct House {
    store: Arc<Moody>,
    keys: KeySet,
    server: Server,
    clock: Arc<ManualClock>,
}

fn house(memory: Memory) -> House {
    let store = Arc::new(Moody::default());
    let keys = store.put("talk", "g1", KeySet::generate(2).expect("keys")).expect("stored");
    let proxies = vec!["127.0.0.1".parse().expect("a network")];
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let settings = KeySettings { memory, proxies, clock: clock.clone(), ..KeySettings::default() };
    let server = key_server(Arc::clone(&store) as _, settings);
    House { store, keys, server, clock }
}

impl House {
    fn key(&self, period: usize) -> Answer {
        let path = format!("/k/{}", self.keys.periods[period].kid);
        ask(self.server.address(), "GET", &path, "", "")
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn while_the_store_is_away_known_keys_are_given_for_a_while() {
    let memory = Memory { fresh: SECOND, keep: 60 * SECOND, patience: SECOND };
    let house = house(memory);
    assert_eq!(house.key(0).status, 200);
    house.store.away.store(true, Ordering::Relaxed);
    let looks = house.store.looks.load(Ordering::Relaxed);
    for tenth in 1..600 {
        house.clock.advance(SECOND / 10);
        assert_eq!(house.key(0).status, 200, "it was seen {tenth} tenths of a second ago");
    }
    let looks = house.store.looks.load(Ordering::Relaxed) - looks;
    assert!((50..=60).contains(&looks), "asked once in a second: {looks} looks in a minute");
    let unknown = house.key(1);
    assert_eq!((unknown.status, unknown.header("retry-after")), (503, Some("5")));
    assert_eq!(unknown.text(), "keys cannot be read at present\n");
    house.clock.advance(SECOND / 10);
    assert_eq!(house.key(0).status, 503, "a minute is over");
    house.store.away.store(false, Ordering::Relaxed);
    house.clock.advance(SECOND);
    assert_eq!([house.key(0).status, house.key(1).status], [200, 200]);
}

#[test]
fn a_slow_store_holds_up_nobody_whose_key_is_known() {
    let memory =
        Memory { fresh: Duration::ZERO, keep: 60 * SECOND, patience: Duration::from_millis(200) };
    let house = house(memory);
    assert_eq!(house.key(0).status, 200);
    house.store.slow.store(true, Ordering::Relaxed);
    let start = Instant::now();
    assert_eq!(house.key(0).status, 200, "from memory");
    assert!(start.elapsed() < Duration::from_millis(650), "{:?}", start.elapsed());
    assert_eq!(house.key(1).status, 503, "it is not known");
    house.store.slow.store(false, Ordering::Relaxed);
    house.clock.advance(SECOND);
    assert_eq!(house.key(1).status, 200);
}

#[test]
fn what_another_server_revokes_is_heeded_soon() {
    let house = house(Memory::default());
    assert_eq!(house.key(0).status, 200);
    house.store.within.expire("talk", "g1", now()).expect("end");
    house.clock.advance(Memory::default().fresh);
    assert_eq!(house.key(0).status, 410);
}

#[test]
fn one_look_is_enough_for_many_who_ask_at_once() {
    let house = house(Memory::default());
    house.store.slow.store(true, Ordering::Relaxed);
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(house.key(0).status, 200));
        }
    });
    assert_eq!(house.store.looks.load(Ordering::Relaxed), 1);
}

/// A key that there is not, as one who guesses asks for it.
fn stray(house: &House, number: usize) -> Answer {
    let from = "x-forwarded-for: 198.51.100.7\r\n";
    ask(house.server.address(), "GET", &format!("/k/{number:032x}"), from, "")
}

#[test]
fn who_asks_for_what_is_nowhere_waits_and_others_do_not() {
    let house = house(Memory::default());
    let told: Vec<u16> = (0..22).map(|number| stray(&house, number).status).collect();
    assert!(told[..20].iter().all(|status| *status == 404), "{told:?}");
    let late = stray(&house, 99);
    assert_eq!((late.status, late.text().as_str()), (429, "too many keys that there are not\n"));
    assert!(late.header("retry-after").is_some());
    assert_eq!(house.key(0).status, 200, "another viewer");
}

#[test]
fn one_viewers_looks_leave_room_for_others() {
    let house = house(Memory { patience: 5 * SECOND, ..Memory::default() });
    house.store.slow.store(true, Ordering::Relaxed);
    std::thread::scope(|scope| {
        for number in 0..60 {
            let house = &house;
            scope.spawn(move || stray(house, number));
        }
        while house.store.looks.load(Ordering::Relaxed) < 4 {
            std::thread::yield_now();
        }
        let start = Instant::now();
        assert_eq!(house.key(0).status, 200);
        assert!(start.elapsed() < 3 * SECOND, "{:?}", start.elapsed());
    });
    let looks = house.store.looks.load(Ordering::Relaxed);
    // A burst, what came back meanwhile, and what was under way when it was used up.
    assert!(looks <= 40, "{looks} looks of 61");
}
