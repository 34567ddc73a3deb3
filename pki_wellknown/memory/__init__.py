"""OCSP answers that a web process has in memory, and what may be said from there."""
