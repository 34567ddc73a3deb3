"""A CA whose key lies here, encrypted: the only module that ever sees one in the clear."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificatePublicKeyTypes,
)
from django.conf import settings

from foundation.clock import database_clock
from foundation.errors import ConnectorError
from foundation.sealed import CannotDecrypt
from issuers.ca_keys import CA_KEY
from issuers.connectors.base import BACKDATE, Signed, SigningRequest
from issuers.pointers import pointers_of
from issuers.x509 import certs, chains, crl, cross, lint, ocsp, opinion, path

if TYPE_CHECKING:
    from issuers.models import Issuer


_SET = b"\x31"


def _check_lint(signed: x509.Certificate) -> None:
    """Raise ConnectorError where pkilint, if it is asked (CERTCTL_LINT), finds an error."""
    if not settings.LINT:
        return
    findings = opinion.of_certificate(signed.public_bytes(serialization.Encoding.DER))
    if findings:
        raise ConnectorError(
            f"What was signed is no certificate by pkilint: "
            f"{'; '.join(findings[: opinion.MOST_SAID])}.",
            permanent=True,
        )


class LocalCA:
    """Signs certificates, CRLs and OCSP answers with the issuer's own key.

    What it signs exists nowhere until certctl keeps it, so an order leaves nothing to look for.
    """

    keeps_orders: ClassVar[bool] = False
    longest_order: ClassVar[timedelta] = timedelta(0)

    def __init__(self, issuer: "Issuer") -> None:
        self.issuer = issuer

    @cached_property
    def certificate(self) -> x509.Certificate:
        """The CA certificate; raises ConnectorError where there is none."""
        if self.issuer.certificate is None:
            raise ConnectorError("This CA has no certificate.", permanent=True)
        return self.issuer.certificate

    def place(self, request: SigningRequest, order_key: str) -> Signed:
        """Sign a certificate at once; raises ConnectorError(permanent=True) where we cannot.

        It ends with the lifetime or with the first of the CAs above it, whichever comes first: a
        certificate that outlives its issuer would be valid to nobody.
        """
        self._check_valid()
        begins, ends = path.window(self.certificate, self._above)
        not_before = max(database_clock.now().replace(microsecond=0) - BACKDATE, begins)
        # Both ends count (RFC 5280 §4.1.2.5), hence the second less.
        not_after = min(
            not_before + timedelta(seconds=request.lifetime // timedelta(seconds=1) - 1), ends
        )
        if not_after <= database_clock.now():
            raise ConnectorError("The lifetime is over before it begins.", permanent=True)
        contents = certs.Contents(
            public_key=request.csr.public_key(),
            subject=request.subject,
            sans=request.sans,
            not_before=not_before,
            not_after=not_after,
            key_usage=request.key_usage,
            extended_key_usage=request.extended_key_usage,
            pointers=pointers_of(self.issuer, request.shard),
            no_revocation=request.short_lived,
            is_responder=request.is_responder,
        )
        signed = certs.build_leaf(contents, issuer=self.certificate, key=self._key)
        problems = lint.check_leaf(signed, contents, issuer=self.certificate)
        if problems:
            raise ConnectorError(
                f"What was signed is not what was asked for: {'; '.join(problems)}.",
                permanent=True,
            )
        problems = path.problems(signed, [self.certificate, *self._above])
        if problems:
            raise ConnectorError(
                f"What was signed would not verify: {' '.join(problems)}", permanent=True
            )
        _check_lint(signed)
        return Signed(certs.pem(signed), "".join(self.chain()))

    def issue_ca(  # noqa: PLR0913 - one argument a field
        self,
        *,
        public_key: CertificatePublicKeyTypes,
        subject: x509.Name,
        not_before: datetime,
        not_after: datetime,
        path_length: int,
        permitted: Sequence[str],
        pointers: certs.Pointers,
    ) -> x509.Certificate:
        """Sign a subordinate CA's certificate, whose path length fits; raises ConnectorError."""
        self._check_valid()
        ca = certs.build_ca(
            public_key=public_key,
            subject=subject,
            not_before=not_before,
            not_after=not_after,
            key=self._key,
            issuer=self.certificate,
            path_length=path_length,
            permitted=permitted,
            pointers=pointers,
        )
        _check_lint(ca)
        return ca

    def cross_sign(self, ca: x509.Certificate) -> x509.Certificate:
        """Sign another CA's name and key as they stand, while both are valid.

        Raises ConnectorError, and ValueError where they never are at the same time.
        """
        self._check_valid()
        return cross.build(
            ca, signer=self.certificate, key=self._key, pointers=pointers_of(self.issuer)
        )

    def check(self) -> str:
        """Open the key, sign with it and verify; say so. Raises ConnectorError."""
        self._check_valid()
        now = database_clock.now()
        # A CRL that nobody gets: it is the smallest thing that can be verified.
        sample = crl.build(
            issuer=self.certificate,
            key=self._key,
            number=0,
            this_update=now,
            next_update=now + timedelta(seconds=1),
            entries=(),
        )
        if not sample.is_signature_valid(self.certificate.public_key()):  # type: ignore[arg-type]  # a CA's key
            raise ConnectorError("What the key signs does not verify.", permanent=True)
        left = self.certificate.not_valid_after_utc - now
        sentence = f"The key signs and verifies; the CA certificate is valid for {left.days} d."
        lacking = chains.missing(self.certificate, self._above)
        return (
            f"{sentence} Its chain lacks {lacking}: clients must have it." if lacking else sentence
        )

    def chain(self) -> list[str]:
        """Return the CA's certificate and those above it, as PEM."""
        return [certs.pem(certificate) for certificate in (self.certificate, *self._above)]

    def sign_crl(
        self,
        *,
        number: int,
        this_update: datetime,
        next_update: datetime,
        entries: Sequence[bytes],
        scope: crl.Scope = crl.COMPLETE,
    ) -> list[bytes]:
        """Return a signed CRL as DER, in pieces (`issuers.x509.crl.pieces`)."""
        return crl.pieces(
            issuer=self.certificate,
            key=self._key,
            number=number,
            this_update=this_update,
            next_update=next_update,
            entries=entries,
            scope=scope,
        )

    def sign_ocsp(self, *, cert_id: ocsp.CertID, answer: ocsp.Answer) -> bytes:
        """Return an OCSPResponse as DER, signed by the CA itself (RFC 6960 §4.2.2.2)."""
        return ocsp.build(
            cert_id=cert_id, answer=answer, responder_cert=self.certificate, key=self._key
        )

    def sign_live(
        self,
        *,
        question: ocsp.Question,
        answers: Sequence[tuple[ocsp.CertID, ocsp.Answer]],
        produced_at: datetime,
        echo: bool,
    ) -> bytes:
        """Return an OCSPResponse for one asker, in an algorithm that it prefers (§4.4.7)."""
        return ocsp.build_all(
            answers=answers,
            produced_at=produced_at,
            responder_cert=self.certificate,
            key=self._key,
            nonce=question.nonce if echo else None,
            preferred=question.preferred,
        )

    def sign_attributes(self, attributes: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
        """Sign the signed attributes of a CMS message (RFC 5652 §5.4), of which this is the DER.

        They are a SET: no certificate, CRL or OCSP answer can be passed off as some. Raises
        ConnectorError, also where the key is of a kind that CMS here does not speak.
        """
        self._check_valid()
        if attributes[:1] != _SET:
            raise ConnectorError("These are no signed attributes.", permanent=True)
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(attributes, padding.PKCS1v15(), algorithm)
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            return self._key.sign(attributes, ec.ECDSA(algorithm))
        raise ConnectorError("CMS messages are signed with RSA or ECDSA keys.", permanent=True)

    @cached_property
    def _above(self) -> list[x509.Certificate]:
        return list(certs.load_cas(self.issuer.chain_pem))

    @cached_property
    def _key(self) -> CertificateIssuerPrivateKeyTypes:
        if self.issuer.secrets is None:
            raise ConnectorError("This CA has no key.", permanent=True)
        try:
            der = self.issuer.secrets.open(CA_KEY.of(self.issuer))
        except CannotDecrypt as error:
            raise ConnectorError(str(error), permanent=True) from None
        # It was validated when it was made or taken over, and what is sealed comes back as it was
        # or not at all. To validate an RSA key takes longer than a hundred signatures.
        key = serialization.load_der_private_key(
            der, password=None, unsafe_skip_rsa_key_validation=True
        )
        if key.public_key() != self.certificate.public_key():
            raise ConnectorError("The key is not that of the CA certificate.", permanent=True)
        return key  # type: ignore[return-value]  # only such keys are ever stored

    def _check_valid(self) -> None:
        now = database_clock.now()
        if not self.certificate.not_valid_before_utc <= now <= self.certificate.not_valid_after_utc:
            raise ConnectorError("The CA certificate is not valid now.", permanent=True)
