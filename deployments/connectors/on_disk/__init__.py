"""What connectors share whose certificates are files: what is written how, and who is told."""
