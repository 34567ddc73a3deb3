"""The form of a target: its fields are what the connectors describe (`FIELDS` and `SECRETS`).

All kinds have their fields in one form, so that it works without a script; a script shows those of
the kind that is chosen (static/certctl/target.js). Only these are read.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from typing_extensions import override
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from deployments import policy
from deployments.connectors import TABLE, connector_class
from deployments.connectors.fields import Field
from deployments.models import Target
from foundation.admin.words import label
from foundation.forms import LinesField

_KINDS = "data-kinds"  # what the script reads


def config_fields() -> dict[str, list[tuple[str, Field]]]:
    """Return the form's fields of all kinds by name, each with the kinds that have it."""
    fields: dict[str, list[tuple[str, Field]]] = {}
    for kind in TABLE:
        for one in connector_class(kind).FIELDS:
            fields.setdefault(f"config.{one.name}", []).append((kind, one))
    return fields


def secret_fields() -> dict[str, list[str]]:
    """Return the form's fields of all kinds' secrets by name, each with the kinds that have it."""
    fields: dict[str, list[str]] = {}
    for kind in TABLE:
        for name in connector_class(kind).SECRETS:
            fields.setdefault(f"secrets.{name}", []).append(kind)
    return fields


class BaseTargetForm(forms.ModelForm[Target]):
    """What every target has; `target_form` adds the fields of the kinds."""

    class Meta:
        model = Target
        fields = (
            "name",
            "kind",
            "enabled",
            "agent",
            "endpoint_host",
            "endpoint_port",
            "server_name",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.instance.config if isinstance(self.instance.config, dict) else {}
        for name, pairs in config_fields().items():
            if name in self.fields:
                one = pairs[0][1]
                self.initial[name] = known.get(one.name, one.default)

    @override
    def clean(self) -> Any:
        data = super().clean() or self.cleaned_data
        kind = data.get("kind", "")
        known = self.instance.config if isinstance(self.instance.config, dict) else {}
        data["config"] = dict(_given(kind, data, known))
        secrets = {
            name.partition(".")[2]: data[name]
            for name, kinds in secret_fields().items()
            if kind in kinds and data.get(name)
        }
        data["secrets"] = secrets or None  # those that are not given stay
        return {name: value for name, value in data.items() if "." not in name}


def target_form() -> type[forms.BaseForm]:
    """Return the form with the fields of every kind, as this server allows them just now."""
    fields: dict[str, forms.Field] = {
        name: _field(pairs) for name, pairs in config_fields().items()
    }
    fields |= {name: _secret(name, kinds) for name, kinds in secret_fields().items()}
    form: type[forms.BaseForm] = type("TargetForm", (BaseTargetForm,), fields)
    return form


def _given(
    kind: str, data: Mapping[str, Any], known: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Yield the settings that were given; what is left at its default is not kept."""
    for name, pairs in config_fields().items():
        one = next((each for its, each in pairs if its == kind), None)
        value = data.get(name)
        if one is None or value in (None, "", []):
            continue
        if value != one.default or one.name in known:
            yield one.name, value


def _field(pairs: Sequence[tuple[str, Field]]) -> forms.Field:
    one, kinds = pairs[0][1], [kind for kind, _ in pairs]
    words: dict[str, Any] = {
        "label": _label(one.name, kinds),
        "help_text": " ".join(filter(None, [_help(pairs), one.type.bounds(policy.here())])),
        # What one kind alone requires its connector asks for.
        "required": all(each.required for _, each in pairs) and set(kinds) == set(TABLE),
    }
    seen = {_KINDS: " ".join(kinds)}
    match one.type.schema.get("type"):
        case "boolean":
            return forms.BooleanField(widget=UnfoldBooleanSwitchWidget(seen), **words)
        case "array":
            return _lines(one, seen, words)
    shown = UnfoldAdminTextInputWidget(
        {**seen, "placeholder": str(one.example), "spellcheck": "false", "autocapitalize": "off"}
    )
    return forms.CharField(widget=shown, **words)


def _lines(one: Field, seen: Mapping[str, str], words: Mapping[str, Any]) -> forms.Field:
    field = LinesField(label=words["label"], help_text=f"{words['help_text']} One argument a line.")
    field.widget.attrs.update(seen, placeholder="\n".join(map(str, one.example)))
    return field


def _secret(name: str, kinds: list[str]) -> forms.Field:
    return forms.CharField(
        label=_label(name.partition(".")[2], kinds),
        help_text="Never shown. Empty: all secrets stay as they are; else all are replaced.",
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget({_KINDS: " ".join(kinds), "autocomplete": "new-password"}),
    )


def _help(pairs: Sequence[tuple[str, Field]]) -> str:
    """Return the words for a field; where kinds say different things, each under its name."""
    if len({each.help for _, each in pairs}) == 1:
        return pairs[0][1].help
    return " ".join(f"{_kind(kind)}: {each.help}" for kind, each in pairs)


def _kind(kind: str) -> str:
    return str(Target.Kind(kind).label)


def _label(name: str, kinds: list[str]) -> str:
    if set(kinds) == set(TABLE):
        return label(name)
    return f"{label(name)} ({', '.join(map(_kind, kinds))})"
