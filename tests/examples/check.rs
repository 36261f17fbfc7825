fn main() {
    let mut a = std::env::args().skip(1);
    let dir = a.next().unwrap();
    let keys = a.next();
    let t = std::time::Instant::now();
    for v in
        vodmill_tests::conformance::check_package(dir.as_ref(), keys.as_deref().map(|k| k.as_ref()))
    {
        println!("{v}");
    }
    eprintln!("{:?}", t.elapsed());
}
