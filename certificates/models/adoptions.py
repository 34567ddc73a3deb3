"""Adoptions: which CAs still have to be asked what they signed of what was here before them."""

from typing import Self

from django.db import models
from django.utils import timezone

from issuers.models import Issuer
from owners.models import Principal


class AdoptionQuerySet(models.QuerySet["Adoption"]):
    """Adoptions as the sweep looks for them."""

    def take(self, issuer: Issuer) -> "Adoption | None":
        """Return that of `issuer`, locked; None where it is done, or another is at it."""
        return self.select_for_update(no_key=True, skip_locked=True).filter(issuer=issuer).first()

    def by_age(self) -> Self:
        """The longest waiting first."""
        return self.order_by("since", "pk")


class Adoption(models.Model):
    """That an issuer's key may have signed versions that are here as issued elsewhere.

    The row is there from the take-over until every such version was held against the key, in the
    order of their keys. What comes later need not be: an import looks for its signer itself.
    """

    issuer = models.OneToOneField(
        Issuer, models.CASCADE, primary_key=True, related_name="adoption", editable=False
    )
    asked_by = models.ForeignKey(
        Principal,
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        help_text="Who took the CA over; empty: nobody knows.",
    )
    since = models.DateTimeField(default=timezone.now, editable=False)
    passed = models.UUIDField(
        null=True, editable=False, help_text="The last version that was looked at; empty: none yet."
    )
    some_held = models.BooleanField(
        default=False,
        editable=False,
        help_text="Others held some that it signed: they are looked at again.",
    )

    objects = AdoptionQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"Adoption by {self.issuer}"
