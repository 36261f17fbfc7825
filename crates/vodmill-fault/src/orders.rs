//! What is to happen where, as text.

use std::time::Duration;

use crate::POINTS;

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// The process ends, without a word.
    Kill,
    /// The process stands still until it is told to go on.
    Stop,
    /// The step fails.
    Fail,
    /// The step fails as on a full disk.
    Full,
    /// The step takes longer.
    Delay(Duration),
}

/// An action at one pass of a point, or at every one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    /// None for all points.
    point: Option<String>,
    /// None for all passes.
    pass: Option<u64>,
    pub action: Action,
}

impl Order {
    /// Whether it is for this pass of that point.
    pub fn is_for(&self, point: &str, pass: u64) -> bool {
        self.point.as_deref().is_none_or(|wanted| wanted == point)
            && self.pass.is_none_or(|wanted| wanted == pass)
    }
}

/// Reads orders.
pub(crate) fn parse(text: &str) -> Result<Vec<Order>, String> {
    text.split(';').filter(|order| !order.trim().is_empty()).map(order).collect()
}

fn order(text: &str) -> Result<Order, String> {
    let form = || format!("{text:?} is no order of the form POINT=ACTION or POINT=ACTION@PASS");
    let (point, rest) = text.trim().split_once('=').ok_or_else(form)?;
    let point = match point.trim() {
        "*" => None,
        name if POINTS.contains(&name) => Some(name.to_owned()),
        name => return Err(format!("there is no fault point {name:?}")),
    };
    let (action, pass) = rest.split_once('@').unwrap_or((rest, "1"));
    let pass = match pass.trim() {
        "*" => None,
        number => Some(number.parse().map_err(|_| format!("{number:?} is no number of a pass"))?),
    };
    Ok(Order { point, pass, action: self::action(action.trim())? })
}

fn action(text: &str) -> Result<Action, String> {
    let unknown = || format!("{text:?} is none of kill, stop, fail, full, delay:MS");
    match (text, text.strip_prefix("delay:")) {
        ("kill", _) => Ok(Action::Kill),
        ("stop", _) => Ok(Action::Stop),
        ("fail", _) => Ok(Action::Fail),
        ("full", _) => Ok(Action::Full),
        (_, Some(time)) => {
            let time = time.parse().map_err(|_| unknown())?;
            Ok(Action::Delay(Duration::from_millis(time)))
        }
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_say_where_what_and_when() {
        let orders = parse("publish.pointed=kill; inbox.accepted=fail@*;*=delay:20@3;")
            .expect("good orders");
        let [kill, fail, delay] = &orders[..] else { panic!("{orders:?}") };
        assert!(kill.is_for("publish.pointed", 1) && kill.action == Action::Kill);
        assert!(!kill.is_for("publish.pointed", 2) && !kill.is_for("publish.playlist", 1));
        assert!(fail.is_for("inbox.accepted", 7) && fail.action == Action::Fail);
        assert!(delay.is_for("publish.pointed", 3) && !delay.is_for("publish.pointed", 1));
        assert_eq!(delay.action, Action::Delay(Duration::from_millis(20)));
    }

    #[test]
    fn bad_orders_are_told() {
        for bad in [
            "publish.pointed",
            "publish.lost=kill",
            "publish.pointed=explode",
            "publish.pointed=delay:soon",
            "publish.pointed=kill@first",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn points_are_named_once() {
        let mut names = POINTS.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), POINTS.len());
    }
}
