//! Threads that encoders start by themselves.

use std::ffi::c_int;
use std::mem::{MaybeUninit, transmute};

/// Bytes of such a thread's stack: more than the half MiB that encoders have on other systems. glibc
/// reserves 8 MiB each, and SVT-AV1 has 17 threads, of the address space that a child is bound to.
const STACK: usize = 1 << 20;

/// Bounds the stacks of threads that do not say how large they want them. Where the C library has no
/// such default to set, it stays.
pub(super) fn limit_stacks() {
    // SAFETY: looks a name up among the libraries that are loaded; null stands for none.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"pthread_setattr_default_np".as_ptr()) };
    if found.is_null() {
        return;
    }
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: glibc's function of that name takes attributes and copies them; they are initialised
    // before, and destroyed afterwards.
    unsafe {
        let set_default: extern "C" fn(*const libc::pthread_attr_t) -> c_int = transmute(found);
        if libc::pthread_attr_init(attributes.as_mut_ptr()) != 0 {
            return;
        }
        if libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), STACK) == 0 {
            set_default(attributes.as_ptr());
        }
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
    }
}
