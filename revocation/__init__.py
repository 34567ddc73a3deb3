"""Bulk revocation as a plan: previewed, frozen, confirmed, carried out in waves, reported."""
