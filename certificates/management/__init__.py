"""Commands on certificates."""
