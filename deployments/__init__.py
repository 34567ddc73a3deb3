"""Where certificates are put to use."""
