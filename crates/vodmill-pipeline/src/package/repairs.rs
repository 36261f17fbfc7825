//! Where the output is less than what was delivered.

use vodmill_model::asset::Repair;
use vodmill_model::plan::Hazard;

use super::outputs::MadeOutput;
use super::{PackageContext, losses};

pub(super) fn of(context: &PackageContext<'_>, made: &[MadeOutput]) -> Vec<Repair> {
    let hazards = context.plan.hazards.iter().filter(|hazard| hazard.repair);
    let mut repairs: Vec<Repair> = hazards.map(of_hazard).collect();
    repairs.extend(damage(context));
    repairs.extend(lost_pictures(context));
    repairs.extend(losses::of_sounds(context.plan, &context.order.sounds));
    repairs.extend(made.iter().flat_map(|output| output.losses.clone()));
    repairs
}

fn of_hazard(hazard: &Hazard) -> Repair {
    Repair {
        code: hazard.code.to_string(),
        detail: hazard.detail.clone(),
        remedy: hazard.remedy.clone(),
    }
}

fn damage(context: &PackageContext<'_>) -> Option<Repair> {
    let damage = context.order.damage;
    (damage.frames + damage.audio_packets > 0).then(|| Repair {
        code: "damage_concealed".to_owned(),
        detail: format!(
            "{} damaged frames, {} damaged audio packets",
            damage.frames, damage.audio_packets
        ),
        remedy: "Concealed by the picture before, or by silence.".to_owned(),
    })
}

/// What was delivered and what came out, held against each other: pictures that refer to others
/// which are not there do not come, and no decoder says a word.
fn lost_pictures(context: &PackageContext<'_>) -> Option<Repair> {
    let delivered = context.plan.original.pictures?;
    let lost =
        delivered.checked_sub(context.order.damage.decoded_frames?).filter(|&lost| lost > 0)?;
    Some(Repair {
        code: "pictures_lost".to_owned(),
        detail: format!("{lost} of {delivered} pictures did not come out of the decoder"),
        remedy: "The picture before each, or the first one, stands in its place.".to_owned(),
    })
}
