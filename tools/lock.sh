#!/bin/sh
# Resolves pyproject.toml into requirements/*.txt: every version, with its hashes, for every
# platform and every Python from 3.11. The files name no index: an installation uses its own.
# Arguments go to uv, as in `make lock ARGS=--upgrade`.
set -eu
cd "$(dirname "$0")/.."

uv=.venv/bin/uv
[ -x "$uv" ] || uv=uv

compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" "$@"
}

compile "$@" requirements/bootstrap.in --output-file requirements/bootstrap.txt
compile "$@" pyproject.toml --output-file requirements/runtime.txt
# The sets hold those before them at the same versions.
compile "$@" pyproject.toml --group front --constraint requirements/runtime.txt \
    --output-file requirements/front.txt
compile "$@" pyproject.toml --group lint --constraint requirements/front.txt \
    --output-file requirements/lint.txt
compile "$@" pyproject.toml --group dev --constraint requirements/front.txt \
    --constraint requirements/lint.txt --output-file requirements/dev.txt
