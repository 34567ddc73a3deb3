"""What relying parties may ask for, relative to /.well-known/pki/."""

from django.urls import path

from pki_wellknown import views

urlpatterns = [
    path("crl/<slug:issuer>", views.crl, name="pki-crl"),
    path("ocsp/<slug:issuer>", views.ocsp, name="pki-ocsp"),
    path("ocsp/<slug:issuer>/", views.ocsp),
    path("ocsp/<slug:issuer>/<path:encoded>", views.ocsp_get, name="pki-ocsp-get"),
    path("ca/<slug:issuer>", views.ca, name="pki-ca"),
]
