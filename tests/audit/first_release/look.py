"""Look at a migrated database of the first release as relying parties and auditors do.

A program of its own, because it needs another database than the tests: run with DATABASE_URL, it
prints what it saw as JSON, in the moment after the last event, when its CRLs are in force.
"""

import base64
import json
import os
from datetime import timedelta
from typing import Any

# Of this demo alone: it opens the CA keys in the dumps, which have signed nothing else.
KEY = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def main() -> None:
    """Print what CRL, OCSP and the trail say, and whether new ones can be signed and written."""
    os.environ |= {"SECRET_KEY": "first-release", "CERTCTL_KEY_ENCRYPTION_KEYS": KEY}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django  # noqa: PLC0415 - the settings read the environment

    django.setup()
    import time_machine  # noqa: PLC0415

    from audit.models import Event  # noqa: PLC0415

    last = Event.objects.order_by("-sequence")[0]
    with time_machine.travel(last.at + timedelta(minutes=1), tick=False):
        print(json.dumps(look()))  # noqa: T201 - it is what this program is for


def look() -> dict[str, Any]:
    """Return what was seen."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.x509 import ocsp  # noqa: PLC0415
    from django.db import DatabaseError, transaction  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from audit import services  # noqa: PLC0415
    from audit.models import Event  # noqa: PLC0415
    from certificates import crl  # noqa: PLC0415
    from certificates.models import Revocation  # noqa: PLC0415
    from owners.models import Principal  # noqa: PLC0415

    revoked = Revocation.objects.select_related("version__issuer").earliest("recorded_at").version
    issuer = revoked.issuer
    assert issuer is not None, "it was signed here"
    ca: Any = x509.load_pem_x509_certificate(issuer.certificate_pem.encode())

    def listed() -> tuple[int, bool, bool]:
        answer = Client().get(f"/.well-known/pki/crl/{issuer.slug}")
        one = x509.load_der_x509_crl(answer.content)
        number = one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        is_listed = one.get_revoked_certificate_by_serial_number(int(revoked.serial, 16))
        return number, one.is_signature_valid(ca.public_key()), is_listed is not None

    verified = services.verify()
    before = Event.objects.count()
    crl_before = listed()
    answer = Client().get(f"/.well-known/pki/ocsp/{issuer.slug}/{revoked.serial}")
    status = ocsp.load_der_ocsp_response(answer.content).certificate_status.name
    crl.publish(issuer_id=issuer.pk, actor=Principal.objects.system())
    refused = 0
    for statement in ("update", "delete"):
        try:
            with transaction.atomic():
                rows = Event.objects.filter(sequence=1)
                rows.delete() if statement == "delete" else rows.update(action="forged")
        except DatabaseError:
            refused += 1
    return {
        "events": before,
        "verified": [verified[0], str(verified[1] or "")],
        "old formats": sorted({str(f) for f in Event.objects.values_list("format", flat=True)}),
        "crl": crl_before,
        "ocsp": status,
        "next crl": listed(),
        "verified afterwards": services.verify()[0],
        "refused changes": refused,
    }


if __name__ == "__main__":
    main()
