"""Labels, the devices that enroll at them, what they show, and what became of it."""

from enrollment.models.devices import MAX_DEVICE_NAME, Credential, Device, device_name
from enrollment.models.enrollments import Enrollment
from enrollment.models.labels import Label

__all__ = ["MAX_DEVICE_NAME", "Credential", "Device", "Enrollment", "Label", "device_name"]
