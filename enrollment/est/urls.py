"""EST's operations (RFC 7030 §3.2.2), relative to /.well-known/est/, with a label and without."""

from django.urls import path

from enrollment.est import views

OPERATIONS = {
    "cacerts": views.cacerts,
    "simpleenroll": views.simpleenroll,
    "simplereenroll": views.simplereenroll,
    "csrattrs": views.csrattrs,
    "serverkeygen": views.serverkeygen,
    "fullcmc": views.fullcmc,
}

urlpatterns = [
    *(path(name, view, name=f"est-{name}") for name, view in OPERATIONS.items()),
    *(path(f"<slug:path>/{name}", view) for name, view in OPERATIONS.items()),
]
