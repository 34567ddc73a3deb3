"""The names that certificates are for, as they are compared."""

from collections.abc import Iterable

from django.db import models

from certificates.models.certificates import Certificate
from issuers.x509.names import comparable

LONGEST = 255


class CertificateName(models.Model):
    """One name of a certificate, common name or SAN, so that whoever has it too is found.

    Written when a name is taken under management, and never again: names do not change.
    """

    certificate = models.ForeignKey(Certificate, models.CASCADE, related_name="compared_names")
    value = models.CharField(max_length=LONGEST, help_text="As comparable() gives it, cut off.")
    parent = models.CharField(
        max_length=LONGEST,
        blank=True,
        help_text="The domain right above a host name; empty where that has fewer than two labels.",
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["certificate", "value"], name="certs_name_once")
        ]
        indexes = [
            models.Index(fields=["value", "certificate"], name="certs_compared_name"),
            models.Index(fields=["parent", "certificate"], name="certs_name_parent"),
        ]

    def __str__(self) -> str:
        return self.value

    @classmethod
    def of(cls, certificate: Certificate) -> "list[CertificateName]":
        """Return the rows of a certificate, not saved."""
        values = compared(certificate.common_name, certificate.sans)
        return [
            cls(certificate=certificate, value=value, parent=parent_of(value)) for value in values
        ]


def compared(common_name: str, sans: Iterable[str]) -> list[str]:
    """Return the names, each once, as they are compared and kept."""
    texts = [*([common_name] if common_name else []), *sans]
    return list(dict.fromkeys(comparable(text)[:LONGEST] for text in texts))


def parent_of(value: str) -> str:
    """Return the domain right above a name as it is compared; "" for fewer than two labels."""
    return next(iter(parents_of(value)), "")


def parents_of(value: str) -> list[str]:
    """Return the domains above a name as it is compared, the nearest first, to two labels."""
    kind, _, name = value.partition(":")
    labels = name.split(".") if kind == "dns" else []
    return [".".join(labels[at:]) for at in range(1, len(labels) - 1)]
