"""The WSGI application that granian (or any other WSGI server) runs."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "certctl.settings")
os.environ.setdefault("CERTCTL_PROCESS", "web")

django_application = get_wsgi_application()

# Below: both need the settings and the apps.
from pki_wellknown import shared  # noqa: E402
from pki_wellknown.front import Front  # noqa: E402

application = Front(django_application, shared.memory, shared.follower)

# manage.py runs the system checks; a WSGI server does not.
from certctl.checks import stop_if_impossible  # noqa: E402

stop_if_impossible()
