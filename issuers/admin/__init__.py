"""Issuers and profiles in the admin; every change goes through the services."""

from issuers.admin.issuers import IssuerAdmin
from issuers.admin.profiles import ProfileAdmin

__all__ = ["IssuerAdmin", "ProfileAdmin"]
