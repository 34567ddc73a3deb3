"""What tests ask of the audit trail."""

from audit.models import Event


def the_refusal(action, actor, *, door="admin"):
    """Return the one refusal in the trail, which must be of this act, by this actor and door."""
    (event,) = Event.objects.filter(action__endswith=".refuse")
    assert (event.action, event.actor, event.door) == (f"{action}.refuse", actor, door)
    return event
