"""The worker's entries: each may run any number of times, at once or again."""

from celery import shared_task

from foundation.sweeps import sweep
from notifications import services


@sweep("notifications.announce_waiting")
def announce_waiting() -> int:
    """Tell whoever may decide what waits for them; return how many are told."""
    return services.announce_waiting()


@shared_task(name="notifications.drop_old")
def drop_old() -> int:
    """Forget what was sent long ago; return how many."""
    return services.drop_old()


@sweep("notifications.send")
def send() -> int:
    """Send the e-mails that are due; return how many went out."""
    return services.send_due()
