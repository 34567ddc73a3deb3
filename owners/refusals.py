"""Write down what somebody was refused at a door that is not REST (certctl.api does that one)."""

from django.db import models

from audit.models import Event
from audit.services import Entry, record_many
from certctl.errors import CertctlError
from owners.models import Principal


def record_refusal(
    *, actor: Principal, action: str, error: CertctlError, subject: models.Model | None = None
) -> Event:
    """Write `<action>.refuse` in a transaction of its own; the attempt changed nothing else.

    `action` is as in the event that a success would have written, such as "job.approve".
    """
    data = {"code": error.code, "detail": error.detail}
    return record_many([Entry(actor, f"{action}.refuse", subject, data)])[0]
