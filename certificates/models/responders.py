"""Which certificate signs the OCSP answers of an issuer that delegates them."""

from django.db import models

from certificates.models.certificates import Certificate
from issuers.models import Issuer


class Responder(models.Model):
    """The delegated responder of an issuer (RFC 6960 §2.6): one a CA, made by the worker.

    Its row is what two sweeps that want to ask for a certificate wait for. What was delegated once
    stays written here; whether it is now, the issuer says.
    """

    issuer = models.OneToOneField(
        Issuer, models.PROTECT, primary_key=True, related_name="responder"
    )
    certificate = models.OneToOneField(
        Certificate, models.PROTECT, null=True, blank=True, related_name="responds_for"
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"responder of {self.issuer}"
