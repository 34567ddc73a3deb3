"""Write what the command line client knows of the REST API, from the API's own description.

`python -m tools.client_table` reads docs/openapi.yaml and writes resources.json of the client:
each list's address and filters. `--check` writes nothing, and fails where it is not up to date.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "docs" / "openapi.yaml"
TABLE = ROOT / "clients" / "certctl_cli" / "certctl_cli" / "resources.json"
PREFIX = "/api/v1/"
LIST = re.compile(r"/api/v1/([a-z-]+)/\Z")
# What every list has, and what is no narrowing.
COMMON = {"page", "cursor", "page_size", "fields", "sort", "search"}


def table(schema: dict[str, Any]) -> dict[str, Any]:
    """Return for each list its filters, whether it is searched and sorted, and what one row has."""
    resources = {}
    for path, operations in sorted(schema["paths"].items()):
        match = LIST.match(path)
        parameters = operations.get("get", {}).get("parameters", []) if match else []
        names = {one["name"] for one in parameters if one["in"] == "query"}
        if match is None or "page_size" not in names:
            continue
        resources[match[1]] = {
            "filters": {
                one["name"]: _filter(one)
                for one in parameters
                if one["in"] == "query" and one["name"] not in COMMON
            },
            "search": "search" in names,
            "sort": "sort" in names,
            "fields": _fields(schema, operations["get"]),
        }
    return resources


def _filter(parameter: dict[str, Any]) -> dict[str, Any]:
    kind = parameter["schema"]
    many = kind.get("type") == "array"
    kind = kind["items"] if many else kind
    described: dict[str, Any] = {}
    if many:
        described["many"] = True
    if "enum" in kind:
        described["choices"] = kind["enum"]
    if kind.get("type") in {"boolean", "integer", "number"}:
        described["type"] = kind["type"]
    if help_ := parameter.get("description", "").partition("\n")[0]:
        described["help"] = help_
    return described


def _fields(schema: dict[str, Any], operation: dict[str, Any]) -> list[str]:
    content = operation["responses"]["200"]["content"]["application/json"]
    page = _resolved(schema, content["schema"])
    row = _resolved(schema, page["properties"]["results"]["items"])
    return list(row["properties"])


def _resolved(schema: dict[str, Any], kind: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in kind:
        kind = schema["components"]["schemas"][kind["$ref"].rpartition("/")[2]]
    return kind


def main() -> int:
    """Write the table, or look whether it is up to date."""
    made = json.dumps(table(yaml.safe_load(SCHEMA.read_text())), indent=1, sort_keys=True) + "\n"
    if "--check" in sys.argv:
        if TABLE.read_text() != made:
            print("The client's table is not up to date: python -m tools.client_table")
            return 1
        return 0
    TABLE.write_text(made)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
