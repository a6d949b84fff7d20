//! Counts what a thread has on the heap. For tests that are alone in their process.
#![allow(dead_code, reason = "each test uses some of it")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
    static TIMES: Cell<usize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // No cell has a destructor, so they are there as long as the thread.
    HELD.set(HELD.get() + bytes);
    MOST.set(MOST.get().max(HELD.get()));
    TIMES.set(TIMES.get() + usize::from(bytes > 0));
}

// SAFETY: everything is left to the system's allocator, which keeps the contract; counting touches
// no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The bytes that are held now.
pub fn held() -> isize {
    HELD.get()
}

/// The most bytes held at once while `work` ran, beyond those held before.
pub fn most_held<T>(work: impl FnOnce() -> T) -> (isize, T) {
    let before = HELD.get();
    MOST.set(before);
    let result = work();
    (MOST.get() - before, result)
}

/// How often `work` asked for memory.
pub fn allocations<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = TIMES.get();
    let result = work();
    (TIMES.get() - before, result)
}
