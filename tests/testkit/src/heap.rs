//! Allocators that count. A program that counts declares one of them:
//!
//! ```
//! use modeler_auth_testkit::heap::{ByThread, CountingAllocator, allocations};
//!
//! #[global_allocator]
//! static ALLOCATOR: CountingAllocator<ByThread> = CountingAllocator::new();
//!
//! let (count, list) = allocations(|| vec![1, 2, 3]);
//! assert_eq!((count, list.len()), (1, 3));
//! ```

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    marker::PhantomData,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// Scope within which allocations are counted.
pub trait Scope {
    fn allocated(bytes: usize);
    fn freed(bytes: usize);
}

/// The system's allocator, with everything it does counted within `S`.
pub struct CountingAllocator<S>(PhantomData<fn() -> S>);

impl<S> CountingAllocator<S> {
    #[expect(
        clippy::new_without_default,
        reason = "`Default::default` is not const"
    )]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

// SAFETY: every call is passed on to the system's allocator, which keeps the contract. Counting
// neither allocates nor touches the memory handed out.
unsafe impl<S: Scope> GlobalAlloc for CountingAllocator<S> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        S::allocated(layout.size());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        S::allocated(layout.size());
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        S::freed(layout.size());
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }

    /// Counts both blocks until the old one is freed: the system may have to copy.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        S::allocated(size);
        S::freed(layout.size());
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Counts every thread by itself; read by [`held`], [`peak`] and [`allocations`].
pub struct ByThread;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// No cell has a destructor, so they live as long as the thread.
impl Scope for ByThread {
    fn allocated(bytes: usize) {
        HELD.set(HELD.get() + bytes.cast_signed());
        PEAK.set(PEAK.get().max(HELD.get()));
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    }

    fn freed(bytes: usize) {
        HELD.set(HELD.get() - bytes.cast_signed());
    }
}

/// Returns the bytes that this thread has allocated and that are not freed.
pub fn held() -> isize {
    HELD.get()
}

/// Returns the most bytes held at once while `work` ran, beyond those held before.
pub fn peak<T>(work: impl FnOnce() -> T) -> (isize, T) {
    let before = HELD.get();
    PEAK.set(before);
    let output = work();
    (PEAK.get() - before, output)
}

/// Returns how often `work` allocated; growing a block counts.
pub fn allocations<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = ALLOCATIONS.get();
    let output = work();
    (ALLOCATIONS.get() - before, output)
}

/// Counts all threads together, between [`start_counting`] and [`stop_counting`].
pub struct ByProcess;

static IS_COUNTING: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicUsize = AtomicUsize::new(0);

impl Scope for ByProcess {
    fn allocated(_: usize) {
        if IS_COUNTING.load(Ordering::Relaxed) {
            COUNT.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn freed(_: usize) {}
}

/// Counts the allocations of the process from zero.
pub fn start_counting() {
    COUNT.store(0, Ordering::Relaxed);
    IS_COUNTING.store(true, Ordering::Relaxed);
}

/// Returns how often the process allocated since [`start_counting`]; growing a block counts.
pub fn stop_counting() -> usize {
    IS_COUNTING.store(false, Ordering::Relaxed);
    COUNT.load(Ordering::Relaxed)
}
