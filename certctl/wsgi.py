"""The WSGI application that granian (or any other WSGI server) runs."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "certctl.settings")
os.environ.setdefault("CERTCTL_PROCESS", "web")

_django = get_wsgi_application()

# Relying parties fetch CRLs of many megabytes, and ask for them again and again.
from pki_wellknown.crl_front import CRLFront  # noqa: E402 - the settings must be there first

application = CRLFront(_django)

# manage.py runs the system checks; a WSGI server does not.
from certctl.checks import stop_if_impossible  # noqa: E402 - the settings must be there first

stop_if_impossible()
