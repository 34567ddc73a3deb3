"""Pure X.509: bytes and values in, signed objects out; no clock, no database."""
