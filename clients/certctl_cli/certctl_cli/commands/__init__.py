"""One module for what belongs together; each has COMMANDS, by name."""
