"""Finding targets by name, and by the host that shows what is served."""

from deployments.models import Target
from foundation.hits import Hit, Sought, near


def find_targets(sought: Sought, limit: int) -> list[Hit]:
    """Return at most `limit` targets."""
    by = ("name", "endpoint_host", "server_name")
    return near(Target.objects.all(), sought, by=by, limit=limit, detail=_words)


def _words(target: Target) -> str:
    host = f"{target.endpoint_host}:{target.endpoint_port}" if target.has_endpoint else ""
    off = "" if target.enabled else "disabled"
    return " · ".join(filter(None, (target.get_kind_display(), host, off)))
