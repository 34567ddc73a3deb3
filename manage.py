#!/usr/bin/env python3
"""Django's command line for certctl."""

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

from certctl import embedded

# Those two start a whole installation, so they may make its secrets; no other command does.
STARTERS = {"serve", "demo"}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "certctl.settings")
    if STARTERS & set(sys.argv[1:2]):
        sys.argv[1:] = embedded.prepare(Path(__file__).resolve().parent, sys.argv[1:])
    execute_from_command_line(sys.argv)
