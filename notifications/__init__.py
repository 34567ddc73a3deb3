"""What people are told by e-mail: what waits for them, and what became of what they asked for."""
