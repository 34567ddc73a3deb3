"""What OCSP says: answers as they were signed, and the log of those that no longer hold."""

from typing import Any

from django.db import models
from django.db.models import Q

from certificates.models.certificates import Version
from issuers.models import Issuer


class OCSPResponse(models.Model):
    """One signed OCSP answer about one serial, per hash algorithm that a CertID was asked in.

    Without a version it is about a revocation by issuer and serial.
    """

    version = models.ForeignKey(
        Version, models.CASCADE, null=True, blank=True, related_name="ocsp_responses"
    )
    issuer = models.ForeignKey(Issuer, models.CASCADE, related_name="+")
    serial = models.CharField(max_length=48)
    hash_algorithm = models.CharField(max_length=8)
    name_hash = models.CharField(max_length=128)
    key_hash = models.CharField(max_length=128)
    status = models.CharField(max_length=8)
    is_final = models.BooleanField(
        default=False, help_text="Revoked and not on hold: nothing that comes makes it wrong."
    )
    signer = models.ForeignKey(
        Version,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        help_text="The delegated responder's certificate; empty: the CA signed it itself.",
    )
    this_update = models.DateTimeField()
    next_update = models.DateTimeField()
    renew_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the worker signs it anew, before half its life is over; empty: when asked.",
    )
    asked_at = models.DateTimeField(
        null=True, blank=True, help_text="When somebody was last seen to ask, within the hour."
    )
    der = models.BinaryField()
    etag = models.CharField(max_length=64, help_text="SHA-256 of the DER (RFC 9919).")

    class Meta:
        verbose_name = "OCSP response"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "serial", "hash_algorithm"], name="certs_ocsp_answer_once"
            )
        ]
        indexes = [models.Index(fields=["issuer", "renew_at"], name="certs_ocsp_renew")]

    def __str__(self) -> str:
        return f"{self.serial}: {self.status}"


class CurrentTransaction(models.Func):
    """The number of the transaction on PostgreSQL; 0 on SQLite, where writers are in order."""

    template = "0"
    output_field = models.BigIntegerField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Ask for the 64 bits that never wrap around."""
        return super().as_sql(
            compiler, connection, template="pg_current_xact_id()::text::bigint", **context
        )


class AnswerChange(models.Model):
    """What was said of this serial holds no longer: appended in the transaction that changed it.

    `certificates.answer_log` reads it; decision 0048 says why the transaction's number is kept.
    """

    issuer = models.ForeignKey(Issuer, models.CASCADE, related_name="+")
    serial = models.CharField(max_length=48, help_text="Empty: all of the issuer's.")
    transaction = models.BigIntegerField(help_text="Its number on PostgreSQL; 0 on SQLite.")
    at = models.DateTimeField()
    forms = models.CharField(
        max_length=80,
        blank=True,
        help_text="Hash algorithms of the answers that went; empty once the worker signed others.",
    )

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["transaction"], name="certs_change_transaction"),
            models.Index(fields=["at"], name="certs_change_at"),
            models.Index(fields=["id"], name="certs_change_unsigned", condition=~Q(forms="")),
        ]

    def __str__(self) -> str:
        return f"{self.serial} at {self.at}"
