//! The allocator of the `tormenta` command: mimalloc, counting what each thread asks for.
//!
//! Tuples are made on one core and dropped on another, which is the worst case of the allocator
//! that comes with Linux. The count makes "no allocation per tuple" a figure that anybody can
//! print, with `tormenta bench`.

use std::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
};

use mimalloc::MiMalloc;

/// mimalloc with a counter for each thread. Install it with `#[global_allocator]`.
#[derive(Debug, Default, Clone, Copy)]
pub struct CountingAllocator;

thread_local! {
    // No destructor and a constant start, so that reading it never allocates.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Allocations that this thread has made so far, growth of existing ones included.
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: tormenta_alloc::CountingAllocator = tormenta_alloc::CountingAllocator;
///
/// let before = tormenta_alloc::allocations();
/// let boxed = Box::new(1);
/// assert_eq!(tormenta_alloc::allocations() - before, 1);
/// ```
#[must_use]
pub fn allocations() -> u64 {
    ALLOCATIONS.get()
}

fn count() {
    // A thread that is being torn down has lost its counter, and needs none.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call is passed on unchanged to mimalloc, which upholds the contract; counting
// neither allocates nor unwinds.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller upholds the contract of `alloc_zeroed`.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the contract of `dealloc`.
        unsafe { MiMalloc.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller upholds the contract of `realloc`.
        unsafe { MiMalloc.realloc(pointer, layout, size) }
    }
}
