//! The screens at which a payment comes to rest: paid, closed, expired, a problem, or no way.

