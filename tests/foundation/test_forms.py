"""The admin's form fields: what people write, and what the model keeps of it."""

from datetime import timedelta

import pytest
from django import forms
from django.contrib import admin
from django.db import models

from audit.models import Event
from foundation.forms import (
    DurationField,
    DurationWidget,
    NumbersField,
    WordedChoicesField,
    in_order_of,
)
from issuers.admin import words
from issuers.models import Profile
from issuers.services.profiles import KEY_ALGORITHMS
from issuers.words import MAY_NEED_APPROVAL
from issuers.x509 import certs, names


class Form(forms.Form):
    life = DurationField()


@pytest.mark.parametrize(
    ("length", "number", "unit"),
    [
        (timedelta(days=14), "14", "d"),
        (timedelta(hours=36), "36", "h"),
        (timedelta(minutes=90), "90", "m"),
        (timedelta(seconds=61), "61", "s"),
        (timedelta(0), "0", "d"),
        (timedelta(milliseconds=1500), "PT1.5S", "s"),
    ],
)
def test_a_length_is_shown_as_a_number_in_the_largest_unit_that_fits(length, number, unit):
    assert DurationWidget().decompress(length) == [number, unit]
    shown = {"life_0": number, "life_1": unit}
    form = Form(shown, initial={"life": length})
    assert form.is_valid()
    assert form.cleaned_data["life"] == length
    assert not form.has_changed()


@pytest.mark.parametrize(
    ("data", "length"),
    [
        ({"life_0": "2", "life_1": "w"}, timedelta(weeks=2)),
        ({"life_0": "8h", "life_1": "d"}, timedelta(hours=8)),
        ({"life_0": "P1DT2H", "life_1": "s"}, timedelta(hours=26)),
        ({"life": "47d"}, timedelta(days=47)),
    ],
)
def test_units_are_explicit_and_written_ones_count(data, length):
    form = Form(data)

    assert form.is_valid(), form.errors
    assert form.cleaned_data["life"] == length


@pytest.mark.parametrize(
    "data",
    [{"life": "30"}, {"life_0": "30", "life_1": "years"}, {"life_0": "a while", "life_1": "d"}, {}],
)
def test_no_length_is_guessed_and_what_was_typed_stays(data):
    form = Form(data)

    assert not form.is_valid()
    assert data.get("life_0", "") in str(form)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("30, 14, 7, 0", [30, 14, 7, 0]), ("30\n14", [30, 14]), ("", []), ("7;", [7])],
)
def test_numbers_are_read_however_they_are_separated(text, numbers):
    assert NumbersField().clean(text) == numbers


def test_what_is_no_number_is_named():
    with pytest.raises(forms.ValidationError, match="'soon' is no whole number"):
        NumbersField().clean("30, soon")


def test_boxes_say_the_code_and_what_it_means_and_keep_the_order_that_stood_there():
    field = WordedChoicesField(known={"a": "first <b>", "b": "second"})

    shown = str(field.widget.render("x", ["b"]))
    assert "<b>a</b> first &lt;b&gt;" in shown
    assert shown.count(" checked>") == 1
    assert in_order_of(["b", "a"], ["a", "b", "c"]) == ["b", "a", "c"]
    assert in_order_of(["b", "a"], ["a"]) == ["a"]


def test_the_words_of_a_profile_s_boxes_are_those_of_its_rules():
    assert set(words.ALGORITHMS) == set(KEY_ALGORITHMS)
    assert set(words.USAGES) == set(certs.KEY_USAGES) - {"keyCertSign", "cRLSign"}
    assert set(words.PURPOSES) == set(certs.EXTENDED_KEY_USAGES) - {"OCSPSigning"}
    assert set(words.ATTRIBUTES) == set(names.ATTRIBUTES)
    assert set(words.WORK) == set(MAY_NEED_APPROVAL)


def test_carol_saves_a_profile_as_it_is_shown_and_nothing_changes(carol, browse, profile):
    Profile.objects.filter(pk=profile.pk).update(
        key_algorithms=["rsa-2048", "ecdsa-p256"],
        extended_key_usage=["1.3.6.1.4.1.311.20.2.2", "serverAuth"],
        fixed_subject={"O": "Example"},
    )
    client, address = browse(carol), f"/admin/issuers/profile/{profile.pk}/change/"
    form = client.get(f"{address}?edit=1").context["adminform"].form
    posted = {name: form[name].value() for name in form.fields}
    lines = {
        name: "\n".join(value)
        for name, value in posted.items()
        if isinstance(value, list) and not isinstance(form.fields[name], WordedChoicesField)
    }
    posted = {k: v for k, v in (posted | lines).items() if v not in (None, False, "")}

    assert client.post(address, posted).status_code == 302

    assert not Event.objects.filter(action="profile.update").exists()
    client.post(address, posted | {"further_purposes": "", "key_usage": []})
    profile.refresh_from_db()
    assert (profile.extended_key_usage, profile.key_usage) == (["serverAuth"], [])


def test_no_form_of_the_admin_asks_for_json(carol, rf):
    """Each form that somebody may write in, as carol gets it, to add and to change."""
    rf = rf.get("/")
    rf.user = carol
    seen = 0
    for model, page in admin.site._registry.items():
        for row in (None, model()):
            may = page.has_change_permission if row else page.has_add_permission
            if not may(rf):
                continue
            form = page.get_form(rf, row, change=row is not None)
            asks = [n for n, f in form.base_fields.items() if isinstance(f, forms.JSONField)]
            assert not asks, (model, asks)
            seen += 1
    assert seen > 10


def test_whatever_json_a_table_has_is_shown_in_words(carol, rf):
    request = rf.get("/")
    request.user = carol
    for model, page in admin.site._registry.items():
        kept = {c.name for c in model._meta.get_fields() if isinstance(c, models.JSONField)}
        assert kept <= set(getattr(page, "readonly_preprocess_fields", {})), model


def test_victor_reads_a_profile_in_words(victor, browse, profile):
    Profile.objects.filter(pk=profile.pk).update(fixed_subject={"O": "<Example>"})

    page = browse(victor).get(f"/admin/issuers/profile/{profile.pk}/change/").content.decode()

    assert '<code class="page-code">dns:*.demo.internal</code>' in page
    assert "O=&lt;Example&gt;" in page
    assert "[&quot;" not in page
    assert "style=" not in page.partition('id="content-main"')[2].partition("</main>")[0]
