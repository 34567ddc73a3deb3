"""Ten minutes of trouble: a whole installation under load while its parts are killed and paused."""
