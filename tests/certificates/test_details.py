"""What people say of a certificate: one list, and every place that a new detail has to come to."""

from dataclasses import fields
from inspect import getsource, signature

import pytest

from certificates.admin import about
from certificates.admin.certificates import CertificateAdmin, CertificateForm
from certificates.details import EDITABLE, Details
from certificates.models import Certificate
from certificates.serializers import (
    CertificateSerializer,
    DetailsChanges,
    DetailsInput,
    ImportInput,
)
from jobs.serializers import IssuanceSerializer
from jobs.services import request_issuance

NAMES = {field.name for field in fields(Details)}


def test_all_but_who_signs_and_how_may_be_said_anew():
    assert NAMES - set(EDITABLE) == {"issuer", "profile"}
    assert set(EDITABLE) < NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_detail_is_a_column_is_asked_for_and_is_shown(name):
    # The form has what may be changed; the page about a certificate shows all.
    layout = f"{CertificateAdmin.fields} {getsource(about)}"

    assert Certificate._meta.get_field(name)
    assert name in signature(request_issuance).parameters
    assert name in CertificateSerializer.Meta.fields
    assert f"'{name}'" in layout or f"row.{name}" in layout
    for asking in (DetailsInput, ImportInput, IssuanceSerializer):
        assert name in asking.Meta.fields


@pytest.mark.parametrize("name", EDITABLE)
def test_what_may_be_said_anew_can_be_at_both_doors(name):
    assert name in DetailsChanges.Meta.fields
    assert name in CertificateForm.base_fields
