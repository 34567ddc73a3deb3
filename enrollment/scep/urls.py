"""SCEP's addresses, relative to /scep (RFC 8894 §4.1): the operation is in the query.

Clients add /pkiclient.exe to what they are given, or a slash, or nothing.
"""

from django.urls import path

from enrollment.scep import views

urlpatterns = [
    path("", views.scep, name="scep"),
    path("pkiclient.exe", views.scep),
    path("<slug:path>", views.scep),
    path("<slug:path>/", views.scep),
    path("<slug:path>/pkiclient.exe", views.scep),
]
