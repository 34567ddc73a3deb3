#!/bin/bash
# Everything that can be said of the code without running it. All checks run, whatever fails
# before them; the end names those that failed.
set -uo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=()

# What the settings ask of an installation, as production has it; nothing of this is kept.
export DJANGO_SETTINGS_MODULE=certctl.settings
export SECRET_KEY CERTCTL_KEY_ENCRYPTION_KEYS
SECRET_KEY=$(.venv/bin/python -c 'import secrets; print(secrets.token_urlsafe(64))')
CERTCTL_KEY_ENCRYPTION_KEYS=$(.venv/bin/python -c \
    'import base64, os; print(base64.b64encode(os.urandom(32)).decode())')
export DEBUG=false CERTCTL_HTTPS=true CERTCTL_TRUSTED_PROXIES=1 CERTCTL_LOG_LEVEL=WARNING
export ALLOWED_HOSTS=certctl.example.com CERTCTL_PKI_BASE_URL=http://pki.example.com
export CERTCTL_VAR_DIR="$scratch" DATABASE_URL="sqlite:///$scratch/check.sqlite3"
unset REDIS_URL

check() {
    local name=$1
    shift
    echo "--- $name"
    "$@" || failed+=("$name")
}

openapi() {
    .venv/bin/python manage.py spectacular --validate --fail-on-warn \
        --file "$scratch/openapi.yaml" || return 1
    diff -u docs/openapi.yaml "$scratch/openapi.yaml" || {
        echo "docs/openapi.yaml is not what the code says. Run: make openapi"
        return 1
    }
}

check "format" .venv/bin/python -m ruff format --check .
check "ruff" .venv/bin/python -m ruff check .
check "types" .venv/bin/python -m mypy .
check "import contracts" .venv/bin/lint-imports --no-cache
check "migrations" .venv/bin/python manage.py makemigrations --check --dry-run
check "deployment settings" .venv/bin/python manage.py check --deploy --fail-level WARNING
check "OpenAPI" openapi

echo
if ((${#failed[@]})); then
    echo "check: FAILED: $(IFS=','; echo "${failed[*]}" | sed 's/,/, /g')"
    exit 1
fi
echo "check: all passed"
