"""Celery's way into the sweep of devices' doors. Any number of it may run at once."""

from enrollment import services
from foundation.sweeps import sweep
from owners.models import Principal


@sweep("enrollment.tend_ra_certificates")
def tend_ra_certificates() -> int:
    """Renew and replace the RA certificates of SCEP labels; return how many were asked for."""
    return services.tend_ra_certificates(actor=Principal.objects.system())
