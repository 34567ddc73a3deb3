"""Certificates through their life."""
