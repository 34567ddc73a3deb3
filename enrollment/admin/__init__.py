"""Devices' doors in the admin: labels, devices, credentials, and what was asked for by them."""

from enrollment.admin import depends
from enrollment.admin.credentials import CredentialAdmin
from enrollment.admin.devices import DeviceAdmin
from enrollment.admin.enrollments import EnrollmentAdmin
from enrollment.admin.labels import LabelAdmin

__all__ = ["CredentialAdmin", "DeviceAdmin", "EnrollmentAdmin", "LabelAdmin", "depends"]
