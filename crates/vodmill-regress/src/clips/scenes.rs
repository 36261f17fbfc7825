//! What is to be seen in each clip.

use vodmill_model::units::Size;

use super::Clip;
use super::noise::{Texture, grain, hash};
use super::picture::Picture;

/// Everything that the pictures of a clip are drawn from.
pub(super) struct Scenes {
    clip: Clip,
    size: Size,
    /// A landscape: coarse and fine.
    land: Texture,
    /// Soft clouds.
    soft: Texture,
    /// As fine as it gets.
    fine: Texture,
}

impl Scenes {
    pub(super) fn new(clip: Clip) -> Scenes {
        let seed = clip as u32 * 101 + 7;
        Scenes {
            clip,
            size: clip.size(),
            land: Texture::new(seed, 256, 2),
            soft: Texture::new(seed + 1, 256, 64),
            fine: Texture::new(seed + 2, 32, 1),
        }
    }

    /// The picture of that number.
    pub(super) fn picture(&self, number: u32) -> Picture {
        match self.clip {
            Clip::Detail => self.detail(number),
            Clip::Motion => self.motion(number),
            Clip::Grain => self.grain(number),
            Clip::Text => self.text(number),
            Clip::Gradients => self.gradients(number),
            Clip::Cuts => self.cuts(number),
            Clip::Long => self.long(number),
            Clip::Hdr => self.hdr(number),
        }
    }

    /// Colours that change slowly over the picture.
    fn tint(&self, x: u32, y: u32) -> [i32; 2] {
        [self.soft.at(x, y) - 128, 128 - self.soft.at(x + 300, y + 500)]
    }

    fn detail(&self, number: u32) -> Picture {
        let luma =
            |x, y| self.land.at(x + number, y + number / 2) * 3 + self.fine.at(x + number, y);
        Picture::draw(self.size, luma, |x, y| self.tint(x + number, y))
    }

    fn motion(&self, number: u32) -> Picture {
        let discs: Vec<Disc> = (0..9).map(|index| Disc::at(index, number, self.size)).collect();
        let luma = |x, y| match discs.iter().find(|disc| disc.holds(x, y)) {
            Some(disc) => disc.shade + self.fine.at(x + disc.turn, y + disc.turn) * 2,
            None => self.land.at(x + number * 9, y) * 3,
        };
        let chroma = |x, y| match discs.iter().find(|disc| disc.holds(x, y)) {
            Some(disc) => disc.colour,
            None => self.tint(x + number * 9, y),
        };
        Picture::draw(self.size, luma, chroma)
    }

    fn grain(&self, number: u32) -> Picture {
        let luma = |x, y| 150 + self.soft.at(x + number / 2, y) * 2 + grain(x, y, number) * 3;
        Picture::draw(self.size, luma, |x, y| self.tint(x, y).map(|value| value / 2))
    }

    /// Rows of characters of 5 by 7 dots, each dot 2 by 2 pixels; still, then scrolled.
    fn text(&self, number: u32) -> Picture {
        let scrolled = number.saturating_sub(12) * 3;
        let luma = |x, y: u32| {
            if is_ink(x, y + scrolled) { 60 } else { 980 }
        };
        Picture::draw(self.size, luma, |x, y| {
            if hash(x / 400, (y + scrolled) / 180, 5).is_multiple_of(4) {
                [-120, 160]
            } else {
                [0, 0]
            }
        })
    }

    fn gradients(&self, number: u32) -> Picture {
        let (across, down) = (640 + number as i32 * 3, 300);
        let luma = |x, y| {
            let (dx, dy) = ((x as i32 - across) / 4, (y as i32 - down) / 4);
            let dusk = 190 - (dx * dx + dy * dy) / 220;
            dusk.max(14) + grain(x, y, number) / 12
        };
        Picture::draw(self.size, luma, |_, y| [24 - y as i32 / 40, y as i32 / 60 - 8])
    }

    /// Four scenes of 14 pictures; the second begins with a flash, the fourth is faded in.
    fn cuts(&self, number: u32) -> Picture {
        let (scene, within) = (number / 14, number % 14);
        let luma = |x, y| match (scene, within) {
            (1, 0) => 1000,
            (1, _) => 900 - self.land.at(x + within * 4, y) * 3,
            (2, _) => self.soft.at(x, y + within * 6) * 2 + self.fine.at(x / 2, y / 2),
            (3, _) => self.land.at(x * 2, y * 2) * 4 * within as i32 / 13,
            _ => self.land.at(x + within * 2, y + 400) * 4,
        };
        Picture::draw(self.size, luma, |x, y| self.tint(x + scene * 170, y + within))
    }

    /// A cut every eleven seconds; between them it creeps.
    fn long(&self, number: u32) -> Picture {
        let (scene, within) = (number / 110 * 90, number / 10 % 11);
        let luma = |x, y| self.land.at(x + scene + within, y + scene) * 4;
        Picture::draw(self.size, luma, |x, y| self.tint(x * 4 + scene, y * 4))
    }

    /// In PQ: most of it dark, and lights that go far up.
    fn hdr(&self, number: u32) -> Picture {
        let lamp = Disc::at(3, number, self.size);
        let luma = |x, y| {
            let light = if lamp.holds(x, y) { 380 } else { 0 };
            180 + self.soft.at(x + number, y) + self.fine.at(x + number, y) / 3 + light
        };
        Picture::draw(self.size, luma, |x, y| self.tint(x + number, y))
    }
}

/// Something round that flies through the picture.
struct Disc {
    x: i32,
    y: i32,
    radius: i32,
    shade: i32,
    colour: [i32; 2],
    turn: u32,
}

impl Disc {
    fn at(index: u32, number: u32, size: Size) -> Disc {
        let random = |what| hash(index, what, 77) as i32 & 0xffff;
        let (width, height) = (size.width as i32, size.height as i32);
        let (speed, time) = (6 + random(1) % 14, number as i32);
        Disc {
            x: (random(2) + speed * time).rem_euclid(width),
            // Thrown up, and falling.
            y: (random(3) % height + time * 12 - time * time / 3).rem_euclid(height),
            radius: 30 + random(4) % 70,
            shade: random(5) % 500,
            colour: [random(6) % 400 - 200, random(7) % 400 - 200],
            turn: index * 90 + number * 3,
        }
    }

    fn holds(&self, x: u32, y: u32) -> bool {
        let (dx, dy) = (x as i32 - self.x, y as i32 - self.y);
        dx * dx + dy * dy < self.radius * self.radius
    }
}

/// Whether there is a dot of a character.
fn is_ink(x: u32, y: u32) -> bool {
    let (column, row) = (x / 12, y / 22);
    let (dot_x, dot_y) = (x % 12 / 2, y % 22 / 2);
    let character = hash(column, row, 11);
    // Words have about five letters, and lines end.
    let is_gap = character.is_multiple_of(6) || column > 70 + hash(row, 0, 3) % 30 || column < 4;
    let dots = hash(character, dot_y, 1) >> (dot_x * 3) & 7;
    !is_gap && dot_x < 5 && dot_y < 7 && dots < 3
}
