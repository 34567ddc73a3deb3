"""What nobody knows is refused with what is allowed and the nearest of it, within rights.

Alice asks and may look at owners; mallory may ask for keys' principals but look at nobody.
"""

import pytest
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.test import APIRequestFactory

from certificates import policy
from foundation.rest.fields import Named, StrictInput
from foundation.unknown import nearest, not_among
from owners.models import Owner
from tests.factories import OwnerFactory


class Asked(StrictInput):
    """What somebody asks for."""

    colour = serializers.ChoiceField(choices=["red", "green"], required=False)
    several = serializers.ListField(
        child=serializers.ChoiceField(choices=["red", "green"]), required=False
    )
    owner = Named(by="name", what="owner", queryset=Owner.objects.all(), required=False)


def wrong_of(data, user=None):
    request = APIRequestFactory().post("/")
    request.user = user
    shape = Asked(data=data, context={"request": request})
    with pytest.raises(ValidationError) as refused:
        shape.is_valid(raise_exception=True)
    return refused.value.detail


def test_a_value_that_is_not_on_a_list_says_what_is_and_what_is_near():
    assert not_among("gren", ["red", "green"]) == (
        "'gren' is not one of red, green. Did you mean green?"
    )
    assert nearest("KEYCOMPROMIZE", ["keyCompromise"]) == " Did you mean keyCompromise?"
    assert nearest("nothing like it", ["red"]) == ""


def test_what_somebody_made_up_is_cut_short():
    assert len(not_among("x" * 5000, ["red"])) < 200
    assert not_among({"a": 1}, ["red"]).endswith("is not one of red.")


def test_rest_says_so_of_choices_alone_and_in_lists():
    wrong = wrong_of({"colour": "gren", "several": ["red", "rde"]})

    assert str(wrong["colour"][0]).endswith("Did you mean green?")
    assert wrong["colour"][0].code == "invalid_choice"
    assert str(wrong["several"][1][0]) == "'rde' is not one of red, green. Did you mean red?"


def test_a_name_is_suggested_to_who_may_look_at_it_alone(db, alice, django_user_model):
    OwnerFactory(name="web-shop")
    mallory = django_user_model.objects.create(username="mallory")

    told = wrong_of({"owner": "web-shap"}, alice)["owner"][0]
    kept = wrong_of({"owner": "web-shap"}, mallory)["owner"][0]

    assert (str(told), told.code) == (
        "There is no owner 'web-shap'. Did you mean web-shop?",
        "unknown_owner",
    )
    assert str(kept) == "There is no owner 'web-shap'."


def test_a_reason_that_is_none_names_those_there_are():
    with pytest.raises(policy.InvalidRevocation) as refused:
        policy.check_reason("keyCompromize")

    assert "unspecified, keyCompromise" in refused.value.detail
    assert refused.value.detail.endswith("Did you mean keyCompromise?")


def test_the_doors_of_rest_say_so(client_of, bob):
    OwnerFactory(name="web-shop")

    answer = client_of(bob, role_cap="operator").post(
        "/api/v1/certificates/", {"name": "x", "owner": "web-shap"}, format="json"
    )

    wrong = {one["field"]: one["detail"] for one in answer.json()["errors"]}
    assert wrong["owner"] == "There is no owner 'web-shap'. Did you mean web-shop?"
