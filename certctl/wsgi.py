"""The WSGI application that granian (or any other WSGI server) runs."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "certctl.settings")
os.environ.setdefault("CERTCTL_PROCESS", "web")

django_application = get_wsgi_application()

from certctl.checks import stop_if_impossible  # noqa: E402 - the settings must be there first
from pki_wellknown.crl_front import CRLFront  # noqa: E402
from pki_wellknown.front import in_front_of  # noqa: E402

# manage.py runs the system checks; a WSGI server does not.
stop_if_impossible()

# Relying parties' questions that are in memory never reach Django; nor do CRLs of many megabytes,
# which they ask for again and again.
application = in_front_of(CRLFront(django_application))
