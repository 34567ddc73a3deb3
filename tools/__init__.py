"""Programs for those who develop certctl; the Makefile calls them."""
