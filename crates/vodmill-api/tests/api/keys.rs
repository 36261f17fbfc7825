use crate::client::demo;

#[test]
fn a_key_is_sixteen_bytes() {
    let demo = demo(false);
    let period = &demo.keys.periods[0];
    for path in [format!("/k/{}", period.kid), format!("/k/{}", period.kid).to_uppercase()] {
        let answer = demo.get(&path.replace("/K/", "/k/"));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, period.key.expose());
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
    }
}

#[test]
fn other_keys_are_not_there() {
    let demo = demo(false);
    for kid in ["00000000000000000000000000000000", "zz", "..%2fkek"] {
        assert_eq!(demo.get(&format!("/k/{kid}")).status, 404, "{kid}");
    }
}
