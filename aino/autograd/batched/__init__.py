"""Arrays that hide the axis over which ``vmap`` goes: one class batches every kernel and rule."""
