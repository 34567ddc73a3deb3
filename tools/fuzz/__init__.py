"""Coverage-guided fuzzing of what strangers send, for longer than a test may take."""
