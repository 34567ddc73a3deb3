"""Words of the protocols' doors: which protocol, which credentials, what became of a request."""

from django.db import models

from audit.via import Door


class Protocol(models.TextChoices):
    """How a device speaks; the values are API."""

    EST = "est", "EST"
    SCEP = "scep", "SCEP"

    @property
    def door(self) -> Door:
        """The door that it is in the trail."""
        return Door(self.value)


class Accepts(models.TextChoices):
    """What a device may show at a label besides the certificate that it enrolled there."""

    SECRET = "secret", "a credential or challenge of the device"
    LABEL_SECRET = "label-secret", "a credential or challenge that all devices share"
    MANUFACTURER = "manufacturer", "a manufacturer's certificate (IEEE 802.1AR)"


class Stand(models.TextChoices):
    """What became of an enrollment; the values are API."""

    WAITING = "Waiting"
    ISSUED = "Issued"
    REFUSED = "Refused"
