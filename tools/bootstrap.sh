#!/bin/sh
# Makes .venv with the locked packages: `tools/bootstrap.sh SET`, one of runtime, front, dev.
# Here only a Python is found; tools/bootstrap.py does the work.
set -eu
cd "$(dirname "$0")/.."

# The environment's own Python starts fastest, so it answers whether there is anything to do.
if [ -x .venv/bin/python ] && .venv/bin/python -I -S tools/bootstrap.py --check "$1"; then
    exit 0
fi

for python in python3 python3.11 python3.12 python3.13 python3.14; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$python" tools/bootstrap.py "$1"
    fi
done

echo "certctl needs Python 3.11 or newer, and none was found on the PATH." >&2
echo "On Debian or Ubuntu: apt-get install python3 python3-venv" >&2
exit 1
