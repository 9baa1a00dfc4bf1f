//! The payment as a machine without I/O: scene decision, state, event, effect, view model.
