"""What the room keeps for whoever works in it: views of lists, and the columns that they chose."""

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

MAX_NAME, MAX_QUERY = 100, 2000  # characters


class SavedView(models.Model):
    """A list as somebody narrowed and sorted it, under a name; shown to others if it is shared."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    maker = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    of_list = models.CharField(max_length=100, help_text="As certificates.certificate.")
    name = models.CharField(max_length=MAX_NAME)
    query = models.CharField(max_length=MAX_QUERY, blank=True, help_text="Of the list's address.")
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "pk"]
        default_permissions = ()
        permissions = [
            ("share_savedview", "Can show views of lists to others"),
            ("manage_savedview", "Can change and delete views of others"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["maker", "of_list", "name"], name="console_view_once")
        ]
        indexes = [
            models.Index(
                fields=["of_list"], condition=models.Q(shared=True), name="console_views_shared"
            )
        ]

    def __str__(self) -> str:
        return self.name


class ChosenColumns(models.Model):
    """The columns of a list that somebody chose to see."""

    principal = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    of_list = models.CharField(max_length=100)
    columns = models.JSONField(default=list)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["principal", "of_list"], name="console_columns_once")
        ]

    def __str__(self) -> str:
        return f"{self.of_list}: {', '.join(self.columns)}"
