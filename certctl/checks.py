"""System checks: an installation that cannot be right does not start."""

import base64
import binascii
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004
from django.core.exceptions import ImproperlyConfigured

from certctl.embedded import command
from enrollment import tls_front
from foundation.rates import Rate
from issuers import pointers
from issuers.x509 import opinion

MAX_CRL_LIFETIME = timedelta(days=10)
OCSP_BOUNDS = timedelta(hours=8), timedelta(days=10)
# Web processes look for changes once a second; and relying parties wait for what is promised.
PROMISE_BOUNDS = timedelta(seconds=2), timedelta(seconds=60)


@register(Tags.security)
def settings_are_possible(**kwargs: Any) -> list[CheckMessage]:
    """Refuse settings under which certctl would break its own promises."""
    return [
        *_time(),
        *_keys(),
        *_revocation(),
        *_plans(),
        *_rates(),
        *_pointers(),
        *_lint(),
        *_celery(),
        *_devices(),
        *_mail(),
    ]


@register(Tags.security, deploy=True)
def addresses_lead_here(**kwargs: Any) -> list[CheckMessage]:
    """Warn where certificates would send relying parties to themselves (`check --deploy`)."""
    warning = pointers.warning_of(pointers.default_prefix())
    return [Warning(warning, id="certctl.W003")] if warning else []


@register(Tags.security, deploy=True)
def mail_is_private(**kwargs: Any) -> list[CheckMessage]:
    """Warn where e-mail leaves without TLS (`check --deploy`); nothing where it is off."""
    is_open = not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL)
    if not settings.EMAIL_HOST or not is_open:
        return []
    words = "EMAIL_USE_TLS and EMAIL_USE_SSL are off: names, and the mail password, go in clear."
    return [Warning(words, id="certctl.W004")]


def stop_if_impossible() -> None:
    """Raise ImproperlyConfigured, naming every error: for whoever starts without manage.py."""
    errors = [message for message in settings_are_possible() if message.is_serious()]
    if errors:
        raise ImproperlyConfigured(" ".join(f"{one.msg} ({one.id})" for one in errors))


def _time() -> list[CheckMessage]:
    if settings.USE_TZ and settings.TIME_ZONE == "UTC":
        return []
    return [Error("Time must be aware and UTC.", id="certctl.E001")]


def _keys() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.KEY_ENCRYPTION_KEYS:
        found.append(
            Error(
                "CERTCTL_KEY_ENCRYPTION_KEYS is empty: no secret could be stored.",
                hint=f"Make one with: {command('generate_key')}",
                id="certctl.E002",
            )
        )
    for position, text in enumerate(settings.KEY_ENCRYPTION_KEYS):
        try:
            right = len(base64.b64decode(text, validate=True)) == 32  # noqa: PLR2004
        except binascii.Error:
            right = False
        if not right:
            found.append(
                Error(
                    f"Key {position + 1} of CERTCTL_KEY_ENCRYPTION_KEYS is not 32 bytes in base64.",
                    id="certctl.E003",
                )
            )
    if settings.ALLOW_SERVER_KEYS and not settings.DEMO:
        found.append(
            Warning(
                "CERTCTL_ALLOW_SERVER_KEYS is on: private keys of subscribers will be made here.",
                hint="For demos only. Let each subscriber make its own key and send a CSR.",
                id="certctl.W001",
            )
        )
    return found


def _revocation() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.CRL_LIFETIME > MAX_CRL_LIFETIME:
        found.append(Error("CRLs may be valid for 10 days at most (BR 4.9.7).", id="certctl.E004"))
    if settings.CRL_REFRESH >= settings.CRL_LIFETIME:
        found.append(Error("A CRL must be refreshed before it ends.", id="certctl.E005"))
    low, high = OCSP_BOUNDS
    if not low <= settings.OCSP_LIFETIME <= high:
        found.append(
            Error(
                "OCSP answers must be valid for 8 hours to 10 days (BR 4.9.10).", id="certctl.E006"
            )
        )
    low, high = PROMISE_BOUNDS
    if not low <= settings.OCSP_PROMISE <= high:
        found.append(Error("CERTCTL_OCSP_PROMISE_SECONDS must be from 2 to 60.", id="certctl.E016"))
    if settings.OCSP_MEMORY < 0:
        found.append(Error("CERTCTL_OCSP_MEMORY_ANSWERS is a number from 0.", id="certctl.E017"))
    return found


def _rates() -> list[CheckMessage]:
    errors: list[CheckMessage] = []
    for name in ("OCSP_LIVE_RATE", "OCSP_LIVE_TOTAL_RATE"):
        try:
            Rate.parse(getattr(settings, name))
        except ValueError:
            errors.append(Error(f"CERTCTL_{name} is no rate such as 1200/min.", id="certctl.E013"))
    return errors


def _pointers() -> list[CheckMessage]:
    if settings.PKI_EXPORT_DIR and not Path(settings.PKI_EXPORT_DIR).is_absolute():
        return [Error("CERTCTL_PKI_EXPORT_DIR is no absolute path.", id="certctl.E015")]
    prefix = pointers.default_prefix()
    problem = pointers.problem_of(prefix)
    if problem is None:
        return []
    name = "CERTCTL_PKI_PREFIX" if settings.PKI_PREFIX else "CERTCTL_PKI_BASE_URL"
    return [
        Error(f"{name} makes {prefix!r} of certificates' addresses. {problem}", id="certctl.E012")
    ]


def _lint() -> list[CheckMessage]:
    if not settings.LINT or opinion.is_installed():
        return []
    return [
        Error(
            "CERTCTL_LINT is on and pkilint is not installed.",
            hint="pip install --require-hashes -r requirements/lint.txt",
            id="certctl.E014",
        )
    ]


def _plans() -> list[CheckMessage]:
    if settings.BULK_REVOKE_LIMIT >= 0 and timedelta(0) < settings.BULK_PLAN_LIFETIME:
        return []
    words = "CERTCTL_BULK_REVOKE_LIMIT is 0 or more, and CERTCTL_BULK_PLAN_HOURS more than nothing."
    return [Error(words, id="certctl.E020")]


def _celery() -> list[CheckMessage]:
    if getattr(settings, "CELERY_TASK_ALWAYS_EAGER", False):
        return [
            Error(
                "Eager Celery runs the worker's code inside requests and their transactions.",
                id="certctl.E007",
            )
        ]
    return []


def _devices() -> list[CheckMessage]:
    errors: list[CheckMessage] = []
    for text in settings.TLS_FRONTS:
        try:
            everybody = ip_network(text).prefixlen == 0
        except ValueError:
            errors.append(
                Error(
                    f"{text!r} in CERTCTL_TLS_FRONTS is no address and no network.",
                    hint="Write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/64, with no host bits set.",
                    id="certctl.E008",
                )
            )
            continue
        if everybody:
            errors.append(
                Error(
                    "CERTCTL_TLS_FRONTS has everybody in it: anyone could claim any certificate.",
                    id="certctl.E009",
                )
            )
    if settings.TLS_FRONT_FORM not in tls_front.FORMS:
        errors.append(
            Error(
                f"CERTCTL_TLS_FRONT_FORM is none of {', '.join(tls_front.FORMS)}.",
                id="certctl.E010",
            )
        )
    try:
        Rate.parse(settings.ENROLLMENT_RATE)
    except ValueError:
        errors.append(
            Error("CERTCTL_ENROLLMENT_RATE is no rate such as 1200/min.", id="certctl.E011")
        )
    if settings.TLS_FRONTS and not settings.TRUSTED_PROXIES:
        errors.append(
            Warning(
                "CERTCTL_TLS_FRONTS is set and CERTCTL_TRUSTED_PROXIES is 0: all devices come from "
                "the front's address, in the trail and in limits.",
                id="certctl.W002",
            )
        )
    return errors


def _mail() -> list[CheckMessage]:
    if not settings.EMAIL_HOST:
        return []
    errors: list[CheckMessage] = []
    base = urlsplit(settings.ADMIN_BASE_URL)
    if base.scheme not in {"http", "https"} or not base.hostname or base.query or base.fragment:
        errors.append(
            Error(
                "EMAIL_HOST is set and CERTCTL_ADMIN_BASE_URL is no http address.",
                hint="E-mails have links to the admin: CERTCTL_ADMIN_BASE_URL=https://…",
                id="certctl.E021",
            )
        )
    if settings.EMAIL_USE_TLS and settings.EMAIL_USE_SSL:
        errors.append(
            Error(
                "EMAIL_USE_TLS (STARTTLS) and EMAIL_USE_SSL (TLS at once): one of them.",
                id="certctl.E022",
            )
        )
    if timedelta(0) >= settings.NOTIFY_EVERY or settings.EMAIL_TIMEOUT <= 0:
        errors.append(
            Error(
                "CERTCTL_MAIL_DIGEST_MINUTES and EMAIL_TIMEOUT_SECONDS are more than nothing.",
                id="certctl.E023",
            )
        )
    return errors
