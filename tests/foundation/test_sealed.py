"""Secrets at rest: no text form, opened on purpose, in no dump, and none forgotten."""

import copy
import json
import pickle

import pytest
from django.apps import apps
from django.core import serializers
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.urls import reverse
from rest_framework.serializers import ModelSerializer

from certificates.models import Version
from deployments.models import TARGET_SECRETS, Target
from foundation import crypto
from foundation.sealed import CannotDecrypt, Context, Sealed, SealedField, sealed_fields
from issuers.ca_keys import CA_KEY, REQUESTED_CA_KEY
from issuers.models import Issuer, RequestedCA
from issuers.server_keys import SERVER_KEY
from jobs.models import REQUEST, Job
from tests.factories import CertificateFactory, JobFactory, PrincipalFactory, VersionFactory
from tests.fixtures import make_csr

SECRET = b"correct horse battery staple"
HERE = Context("here")


@pytest.mark.parametrize("form", [str, repr, format, "{}".format, "{!r:>9}".format, "%s".__mod__])
def test_whatever_is_written_of_it_is_one_word(form):
    assert form(HERE.seal(SECRET)).strip() == "sealed"


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, bytes, list])
def test_it_goes_nowhere_else(take):
    with pytest.raises(TypeError):
        take(HERE.seal(SECRET))


def test_it_opens_for_what_it_was_sealed_for():
    sealed = HERE.seal(SECRET)

    assert sealed.open(HERE) == SECRET
    with pytest.raises(CannotDecrypt):
        sealed.open(Context("there"))


def test_the_secret_of_one_row_does_not_open_in_another(local_ca, root_ca):
    Issuer.objects.filter(pk=root_ca.pk).update(secrets=local_ca.secrets)
    root_ca.refresh_from_db()

    with pytest.raises(CannotDecrypt):
        root_ca.secrets.open(CA_KEY.of(root_ca))


@pytest.mark.parametrize("value", [SECRET, "a word", memoryview(SECRET)])
def test_a_column_of_secrets_takes_nothing_in_the_clear(local_ca, value):
    with pytest.raises(TypeError, match="sealed"):
        Issuer.objects.filter(pk=local_ca.pk).update(secrets=value)
    local_ca.secrets = value
    with pytest.raises(TypeError, match="sealed"):
        local_ca.save()


def test_a_copy_of_a_column_of_secrets_is_one_too(local_ca):
    # Migrations are planned on copies, and a query on one must take no more than the column does.
    column = Issuer._meta.get_field("secrets").clone()

    assert isinstance(column, SealedField)
    assert (column.null, column.editable) == (True, False)
    column.set_attributes_from_name("secrets")
    assert column.rotated(local_ca) is None
    with pytest.raises(TypeError, match="sealed"):
        column.get_prep_value(SECRET)


@pytest.fixture
def rows(db):
    """A row for every column of secrets, and what opens it."""
    certificate = CertificateFactory()
    version, job = VersionFactory(certificate=certificate), JobFactory(certificate=certificate)
    target = Target.objects.create(name="t", kind="file")
    requested = RequestedCA.objects.create(
        slug="to-be",
        name="To be",
        csr_pem="",
        encrypted_key=REQUESTED_CA_KEY.seal(SECRET),
        requested_by=PrincipalFactory(),
    )
    return {
        (RequestedCA, "encrypted_key"): (requested, REQUESTED_CA_KEY, "requested-ca:{}"),
        (Issuer, "secrets"): (certificate.issuer, CA_KEY, "issuer:{}"),
        (Target, "secrets"): (target, TARGET_SECRETS, "target:{}"),
        (Version, "encrypted_key"): (version, SERVER_KEY, "serverkey"),
        (Job, "encrypted_key"): (job, SERVER_KEY, "serverkey"),
        (Job, "sealed_csr"): (job, REQUEST, "request:{}"),
    }


def test_what_the_first_release_stored_still_opens(rows):
    for (model, name), (row, context, text) in rows.items():
        token = crypto.encrypt(SECRET, context=text.format(row.pk))
        key = row.pk.hex if connection.vendor == "sqlite" else row.pk
        update = f"UPDATE {model._meta.db_table} SET {name} = %s WHERE id = %s"  # noqa: S608 - our own names
        with connection.cursor() as cursor:
            cursor.execute(update, [token, key])

        row.refresh_from_db()

        assert getattr(row, name).open(context.of(row)) == SECRET


def test_every_column_of_secrets_is_among_those(rows):
    assert {(field.model, field.name) for field in sealed_fields()} == set(rows)


def test_no_other_column_of_bytes_is_a_secret():
    # A new one is added here if relying parties may have it, and else is a SealedField.
    public = {
        "certificates.OCSPResponse.der",
        "certificates.Piece.data",
        "certificates.Revocation.entry",
        "certificates.SerialRevocation.entry",
    }
    binary = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.fields
        if isinstance(field, models.BinaryField) and not isinstance(field, SealedField)
    }

    assert binary == public


def test_no_dump_and_no_serializer_has_it(rows):
    for (model, name), (row, context, _) in rows.items():
        setattr(row, name, context.of(row).seal(SECRET))
        row.save()
        meta = type("Meta", (), {"model": model, "fields": [name]})
        careless = type("Careless", (ModelSerializer,), {"Meta": meta})

        with pytest.raises(TypeError, match="in no dump"):
            serializers.serialize("json", [row])
        with pytest.raises(CommandError, match="in no dump"):
            call_command("dumpdata", model._meta.label)
        with pytest.raises(TypeError, match="in no dump"):
            _ = careless(row).data
        with pytest.raises(TypeError):
            json.dumps(list(model.objects.values(name)))
        assert SECRET.decode() not in json.dumps(list(model.objects.values(name)), default=str)


def test_no_page_and_no_answer_has_it(rows, browse, client_of, carol):
    # Whoever decides is shown what a request asks for, so there it must be one.
    request = make_csr("cam-1.demo.internal").encode()
    for (model, name), (row, context, _) in rows.items():
        setattr(row, name, context.of(row).seal(request if name == "sealed_csr" else SECRET))
        row.save()
        token = getattr(row, name)._token
        app, kind = model._meta.app_label, model._meta.model_name
        page = browse(carol).get(reverse(f"admin:{app}_{kind}_change", args=[row.pk]))
        answer = client_of(carol).get(f"/api/v1/{kind}s/{row.pk}/")

        is_in_rest = model is not RequestedCA  # it is made and completed in the admin alone
        assert (page.status_code, answer.status_code) == (200, 200 if is_in_rest else 404)
        for content in (page.content.decode(), answer.content.decode()):
            assert SECRET.decode() not in content
            assert "CERTIFICATE REQUEST" not in content or name != "sealed_csr"
            assert token.hex()[:24] not in content
            assert str(token)[2:24] not in content


def test_two_are_equal_where_what_lies_at_rest_is():
    sealed = HERE.seal(SECRET)

    assert {sealed} == {Sealed(sealed._token)}
    assert sealed != HERE.seal(SECRET)
