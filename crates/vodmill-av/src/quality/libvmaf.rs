//! VMAF and SSIM by libvmaf.

use std::ffi::{CStr, c_int, c_uint, c_void};
use std::ptr;

use ffmpeg_next::Error;
use vmaf_head_sys as ffi;
use vodmill_model::outcome::MediaError;
use vodmill_model::quality::{BitDepth, FrameScore, Score, Ssim};
use vodmill_model::units::Frames;

use super::{Luma, Models};
use crate::error;

/// Each with a name of its own: libvmaf keeps scores by name.
const VMAF: Named = Named { version: c"vmaf_v0.6.1", name: c"vmaf" };
const NEG: Named = Named { version: c"vmaf_v0.6.1neg", name: c"neg" };
const SSIM: &CStr = c"float_ssim";

/// Narrower pictures are scored without vector instructions: at some widths up to 532, those of
/// libvmaf take in bytes beyond the end of a row, which moves scores by up to three points and not the
/// same way on every processor (docs/decisions.md).
const LEAST_VECTOR_WIDTH: u32 = 640;

struct Named {
    version: &'static CStr,
    name: &'static CStr,
}

/// Scores distorted pictures against their reference, frame by frame.
pub struct Meter {
    /// Given up before the models that it refers to.
    context: Context,
    vmaf: Model,
    neg: Option<Model>,
    models: Models,
    /// Number of the first frame.
    first: Frames,
    /// Frames that were taken.
    taken: u32,
}

impl Meter {
    /// A meter of pictures of one size and depth.
    ///
    /// # Errors
    /// If libvmaf does not take pictures of that size, or has not the memory.
    pub fn new(models: Models) -> Result<Meter, MediaError> {
        models.admit()?;
        let context = Context::new(&models)?;
        let vmaf = Model::load(&VMAF)?;
        context.use_model(&vmaf)?;
        let neg = models.neg.then(|| Model::load(&NEG)).transpose()?;
        if let Some(neg) = &neg {
            context.use_model(neg)?;
        }
        context.use_feature(SSIM)?;
        Ok(Meter { context, vmaf, neg, models, first: 0, taken: 0 })
    }

    /// Whether the next frame is scored; of others the reference is enough.
    pub fn scores_next(&self) -> bool {
        self.taken.is_multiple_of(self.models.subsample.step())
    }

    /// Takes the next frame. None may be left out, as motion is found from one to the next; the
    /// distorted picture may, where it is not scored.
    ///
    /// # Errors
    /// If a frame does not follow the one before it, or a picture is smaller than was said.
    pub fn push(
        &mut self,
        frame: Frames,
        reference: Luma<'_>,
        distorted: Option<Luma<'_>>,
    ) -> Result<(), MediaError> {
        if self.taken == 0 {
            self.first = frame;
        }
        if frame != self.first + Frames::from(self.taken) {
            return Err(error::failed("score", format!("frame {frame}"), "it follows no other"));
        }
        if self.scores_next() && distorted.is_none() {
            return Err(error::failed("score", format!("frame {frame}"), "it is missing"));
        }
        let mut reference = Picture::filled(&self.models, Some(reference))?;
        let mut distorted = Picture::filled(&self.models, distorted)?;
        self.context.read(&mut reference, &mut distorted, self.taken)?;
        self.taken += 1;
        Ok(())
    }

    /// The scores of every third or fifth frame.
    ///
    /// # Errors
    /// If libvmaf could not score one.
    pub fn finish(self) -> Result<Vec<FrameScore>, MediaError> {
        if self.taken == 0 {
            return Ok(Vec::new());
        }
        self.context.flush()?;
        let scored = (0..self.taken).step_by(self.models.subsample.step() as usize);
        scored.map(|index| self.score(index)).collect()
    }

    fn score(&self, index: c_uint) -> Result<FrameScore, MediaError> {
        let frame = self.first + Frames::from(index);
        let unscored = |cause: String| error::failed("score", format!("frame {frame}"), cause);
        let points = |model: &Model| {
            let points = self.context.score(model, index)?;
            Score::try_from(points).map_err(|it| unscored(it.to_string()))
        };
        let ssim = self.context.feature(SSIM, index)?;
        Ok(FrameScore {
            frame,
            vmaf: points(&self.vmaf)?,
            neg: self.neg.as_ref().map(points).transpose()?,
            ssim: Ssim::try_from(ssim).map_err(|it| unscored(it.to_string()))?,
        })
    }
}

/// What libvmaf says of an operation: zero, or an error of the system below zero.
fn checked(operation: &str, code: c_int) -> Result<(), MediaError> {
    match code {
        0 => Ok(()),
        code => Err(error::libav(operation, "by libvmaf", Error::from(code))),
    }
}

/// An instance of libvmaf, which works in the calling thread.
struct Context(*mut ffi::VmafContext);

impl Context {
    fn new(models: &Models) -> Result<Context, MediaError> {
        let plain = models.size.width < LEAST_VECTOR_WIDTH;
        let configuration = ffi::VmafConfiguration {
            log_level: ffi::VmafLogLevel_VMAF_LOG_LEVEL_ERROR,
            n_threads: 0,
            n_subsample: models.subsample.step(),
            cpumask: if plain { u64::MAX } else { 0 },
            gpumask: 0,
        };
        let mut context = ptr::null_mut();
        // SAFETY: both are values of this function; what it made is freed by `Context` alone.
        checked("start", unsafe { ffi::vmaf_init(&mut context, configuration) })?;
        Ok(Context(context))
    }

    fn use_model(&self, model: &Model) -> Result<(), MediaError> {
        // SAFETY: both are valid; the context refers to the model and looks at it no more when it
        // is closed, which is when the models of its meter are still there or never used again.
        checked("use model", unsafe { ffi::vmaf_use_features_from_model(self.0, model.0) })
    }

    fn use_feature(&self, name: &CStr) -> Result<(), MediaError> {
        // SAFETY: the context is valid, the name a constant; no options are given.
        checked("use feature", unsafe {
            ffi::vmaf_use_feature(self.0, name.as_ptr(), ptr::null_mut())
        })
    }

    fn read(
        &self,
        reference: &mut Picture,
        distorted: &mut Picture,
        index: c_uint,
    ) -> Result<(), MediaError> {
        // SAFETY: all are valid, the pictures of one size and form. libvmaf takes its references to
        // them and blanks what is left here; where it fails it leaves them to be freed here.
        checked("score frame", unsafe {
            ffi::vmaf_read_pictures(self.0, &mut reference.0, &mut distorted.0, index)
        })
    }

    /// Tells of the end, so that the last frames are scored.
    fn flush(&self) -> Result<(), MediaError> {
        // SAFETY: the context is valid; no pictures are the end.
        checked("score the last frames", unsafe {
            ffi::vmaf_read_pictures(self.0, ptr::null_mut(), ptr::null_mut(), 0)
        })
    }

    fn score(&self, model: &Model, index: c_uint) -> Result<f64, MediaError> {
        let mut score = 0.0;
        // SAFETY: context and model are valid and belong together.
        checked("take score", unsafe {
            ffi::vmaf_score_at_index(self.0, model.0, &mut score, index)
        })?;
        Ok(score)
    }

    fn feature(&self, name: &CStr, index: c_uint) -> Result<f64, MediaError> {
        let mut score = 0.0;
        // SAFETY: the context is valid, the name a constant.
        checked("take score", unsafe {
            ffi::vmaf_feature_score_at_index(self.0, name.as_ptr(), &mut score, index)
        })?;
        Ok(score)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: it was made by `vmaf_init` and is closed once.
        unsafe { ffi::vmaf_close(self.0) };
    }
}

/// A model that is compiled in.
struct Model(*mut ffi::VmafModel);

impl Model {
    fn load(named: &Named) -> Result<Model, MediaError> {
        let flags = ffi::VmafModelFlags_VMAF_MODEL_FLAGS_DEFAULT.into();
        let mut configuration = ffi::VmafModelConfig { name: named.name.as_ptr(), flags };
        let mut model = ptr::null_mut();
        // SAFETY: all are values of this function and constants, of which libvmaf makes copies.
        checked("load model", unsafe {
            ffi::vmaf_model_load(&mut model, &mut configuration, named.version.as_ptr())
        })?;
        Ok(Model(model))
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: it was made by `vmaf_model_load` and is freed once.
        unsafe { ffi::vmaf_model_destroy(self.0) };
    }
}

/// A picture of luma alone, which is all that is looked at.
struct Picture(ffi::VmafPicture);

impl Picture {
    /// A picture with what is in `luma`; a black one without.
    fn filled(models: &Models, luma: Option<Luma<'_>>) -> Result<Picture, MediaError> {
        let mut picture = Picture::blank(models)?;
        if let Some(luma) = luma {
            picture.copy(models, luma)?;
        }
        Ok(picture)
    }

    fn blank(models: &Models) -> Result<Picture, MediaError> {
        let mut picture = ffi::VmafPicture {
            pix_fmt: ffi::VmafPixelFormat_VMAF_PIX_FMT_UNKNOWN,
            bpc: 0,
            w: [0; 3],
            h: [0; 3],
            stride: [0; 3],
            data: [ptr::null_mut(); 3],
            ref_: ptr::null_mut(),
            priv_: ptr::null_mut(),
        };
        let format = ffi::VmafPixelFormat_VMAF_PIX_FMT_YUV400P;
        let (bits, size) = (models.depth.bits().into(), models.size);
        // SAFETY: the picture is a value of this function.
        checked("make picture", unsafe {
            ffi::vmaf_picture_alloc(&mut picture, format, bits, size.width, size.height)
        })?;
        Ok(Picture(picture))
    }

    fn copy(&mut self, models: &Models, luma: Luma<'_>) -> Result<(), MediaError> {
        let bytes = if models.depth == BitDepth::Eight { 1 } else { 2 };
        let (row, rows) = (models.size.width as usize * bytes, models.size.height as usize);
        let needed = luma.stride.checked_mul(rows - 1).and_then(|all| all.checked_add(row));
        if luma.stride < row || needed.is_none_or(|needed| luma.data.len() < needed) {
            return Err(error::failed("score pictures of", models.size, "one is smaller"));
        }
        for number in 0..rows {
            let from = &luma.data[number * luma.stride..][..row];
            // SAFETY: libvmaf made `rows` rows of `stride` bytes, each with room for `row` bytes.
            unsafe {
                let to = self.0.data[0].byte_offset(number as isize * self.0.stride[0]);
                ptr::copy_nonoverlapping(from.as_ptr().cast::<c_void>(), to, row);
            }
        }
        Ok(())
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        // SAFETY: one that libvmaf took is blank, for which this is an error and nothing else.
        unsafe { ffi::vmaf_picture_unref(&mut self.0) };
    }
}
