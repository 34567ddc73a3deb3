"""Delegated OCSP responders: asked for when an issuer wants one, renewed and replaced in time."""

import logging
import uuid
from datetime import datetime

import certificates.policy
import issuers.services
from audit.use_cases import use_case
from certificates.details import Details
from certificates.models import Alert, Certificate, CertificateStatus, Responder, Version
from certificates.responders import delegate_of
from certificates.services import keep_alerts
from certificates.services.authorities import owner_of_cas
from foundation.clock import database_clock
from foundation.errors import Conflict, FieldError, Invalid
from issuers.models import Issuer
from issuers.services.checking import MAX_COMMON_NAME
from issuers.services.profiles import RESPONDER_NAME
from issuers.x509 import certs
from jobs.models import Job
from jobs.services import own
from jobs.services.foresight import check_rules
from owners.models import Owner, Principal

logger = logging.getLogger(__name__)


@use_case("certificate.request_responder", on=Issuer)
def request_responder(*, actor: Principal, issuer_id: uuid.UUID) -> Job | None:
    """Ask for the first certificate of an issuer's responder, in the name of who delegated.

    None where there is one that goes on, or nothing is delegated. Raises Invalid (an issuer that
    is disabled or revoked), ProfileTaken, Issuer.DoesNotExist.
    """
    Responder.objects.get_or_create(issuer_id=issuer_id)
    responder = Responder.objects.select_for_update(no_key=True).get(pk=issuer_id)
    issuer = Issuer.objects.select_related("ocsp_delegated_by").get(pk=issuer_id)
    if not issuer.ocsp_delegated or _goes_on(responder.certificate):
        return None
    profile = issuers.services.responder_profile()
    check_rules(issuer, profile, for_itself=True)
    name = f"{RESPONDER_NAME}{issuer.slug}"[:MAX_COMMON_NAME]
    made = issuers.services.new_responder_key(issuer=issuer, common_name=name)
    issuers.services.check_csr(csr_pem=made[1], profile=profile, issuer=issuer)
    job = own.first(
        actor=actor,
        requester=issuer.ocsp_delegated_by or actor,
        details=Details(name=name, owner=_owner(issuer, actor), issuer=issuer, profile=profile),
        made=made,
    )
    responder.certificate = job.certificate
    responder.save(update_fields=["certificate"])
    return job


@use_case("certificate.renew_responder", on=Certificate)
def renew_responder(*, actor: Principal, certificate_id: uuid.UUID) -> Job:
    """Ask for the next certificate of an issuer's responder, with a new key.

    Raises DuplicateJob, Archived, Invalid, Certificate.DoesNotExist.
    """
    certificate = Certificate.objects.lock(certificate_id)
    certificates.policy.check_may_change(certificate)
    if not certificate.profile.is_responder:
        words = f"{certificate} is no responder's certificate."
        raise Invalid(errors=[FieldError("certificate", "invalid", words)])
    made = issuers.services.new_responder_key(
        issuer=certificate.issuer, common_name=certificate.common_name
    )
    return own.following(actor=actor, certificate=certificate, made=made)


def tend_responders(*, actor: Principal) -> int:
    """Ask for, renew and replace the responders of issuers; return how many were asked for.

    Idempotent, as every sweep. Where an issuer has none that is valid, an alert says so: until it
    has, the CA's own key signs.
    """
    now = database_clock.now()
    asked = 0
    delegating = Issuer.objects.filter(ocsp_delegated=True).order_by("slug")
    for issuer in delegating:
        try:
            asked += _tend(issuer, actor, now)
        except (Conflict, Invalid) as error:
            logger.warning("%s gets no responder's certificate: %s", issuer, error)
        except Exception:
            logger.exception("the responder of issuer %s could not be asked for", issuer)
    seen = {
        issuer.pk: f"{issuer} delegates its OCSP answers and has no valid responder's certificate: "
        "the CA's own key signs them. See the certificate's last job, and whether the CA signs."
        for issuer in delegating
        if delegate_of(issuer, now) is None and _was_asked_for(issuer)
    }
    keep_alerts(kind=Alert.Kind.RESPONDER_NOT_VALID, on="issuer", seen=seen, actor=actor)
    return asked


def _tend(issuer: Issuer, actor: Principal, now: datetime) -> bool:
    row = Responder.objects.select_related(
        "certificate__issuer", "certificate__current__revocation"
    ).filter(issuer=issuer)
    responder = row.first()
    certificate = responder.certificate if responder else None
    # Looked at before the act: what cannot be asked for now is no attempt of anybody.
    check_rules(issuer, issuers.services.responder_profile(), for_itself=True)
    if certificate is None or not _goes_on(certificate):
        return request_responder(actor=actor, issuer_id=issuer.pk) is not None
    if not own.is_due(certificate, now):
        return False
    renew_responder(actor=actor, certificate_id=certificate.pk)
    return True


def _goes_on(certificate: Certificate | None) -> bool:
    return certificate is not None and certificate.status != CertificateStatus.ARCHIVED


def _was_asked_for(issuer: Issuer) -> bool:
    # A first job that runs now is no trouble yet.
    return not Job.objects.under_way().filter(certificate__responds_for=issuer.pk).exists()


def _owner(issuer: Issuer, actor: Principal) -> Owner:
    """Return who answers for the CA: for its certificate where that is here."""
    if issuer.certificate is not None:
        fingerprint = certs.fingerprint(issuer.certificate)
        row = Version.objects.filter(fingerprint=fingerprint)
        version = row.select_related("certificate__owner").first()
        if version is not None:
            return version.certificate.owner
    return owner_of_cas(actor)
