"""What web processes say of their memories: each counts for itself, and writes it down here."""

from django.db import models

# Upper bounds in seconds; there is one more bucket, for what took longer.
LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)


class WebProcess(models.Model):
    """One web process and its counts since it began, as of `seen_at`; one that ended goes away."""

    name = models.CharField(max_length=120, primary_key=True)
    seen_at = models.DateTimeField()
    hits = models.BigIntegerField()
    misses = models.BigIntegerField()
    entries = models.BigIntegerField()
    confirmation_seconds = models.FloatField(
        help_text="The greatest age that a confirmation reached since it was last written."
    )
    latency_seconds = models.FloatField(help_text="Sum over all changes of which it learned.")
    latency_counts = models.JSONField(help_text="Changes by bucket of latency, not cumulated.")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
