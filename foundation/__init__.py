"""What every app stands on and which knows no app: errors, REST conventions, the kit for edges."""
