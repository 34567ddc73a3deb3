"""SCEP (RFC 8894)."""
