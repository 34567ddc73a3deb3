"""Principals, API keys, teams and owners in the admin; every change goes through the services."""

from owners.admin.groups import OwnerAdmin, TeamAdmin
from owners.admin.keys import ApiKeyAdmin
from owners.admin.principals import PrincipalAdmin

__all__ = ["ApiKeyAdmin", "OwnerAdmin", "PrincipalAdmin", "TeamAdmin"]
