"""Rows for tests, made the short way; each app's engineer keeps a section."""

import factory
from factory.django import DjangoModelFactory

from owners.models import Owner, Principal, Team

# --- owners ---------------------------------------------------------------------------------


class PrincipalFactory(DjangoModelFactory):
    class Meta:
        model = Principal

    username = factory.Sequence(lambda n: f"principal-{n}")
    email = factory.LazyAttribute(lambda p: f"{p.username}@people.example")


class TeamFactory(DjangoModelFactory):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"team-{n}")


class OwnerFactory(DjangoModelFactory):
    class Meta:
        model = Owner

    name = factory.Sequence(lambda n: f"owner-{n}")
    email = factory.LazyAttribute(lambda o: f"{o.name}@owners.example")


# --- issuers --------------------------------------------------------------------------------
# --- certificates ---------------------------------------------------------------------------
# --- deployments ----------------------------------------------------------------------------
# --- jobs -----------------------------------------------------------------------------------
