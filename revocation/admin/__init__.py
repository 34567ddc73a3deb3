"""Bulk revocation in the admin."""

from revocation.admin import certificates, plans

__all__ = ["certificates", "plans"]
