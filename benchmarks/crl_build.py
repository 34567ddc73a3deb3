"""Publish one CRL of an issuer, as the worker does; print what it took. `python -m ... SLUG`.

A process of its own, so that its memory is that of one build.
"""

import json
import sys
import time
from pathlib import Path

import django


def peak(process: int | str = "self") -> int:
    """Return the most memory in KiB that a process has had since it began its program; 0: gone.

    The kernel's `ru_maxrss` would also count what the process had that it was forked from.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    return next((int(x.split()[1]) for x in status.splitlines() if x.startswith("VmHWM:")), 0)


def main() -> None:
    """Publish and print seconds, octets, and KiB of memory before and at the most."""
    django.setup()
    from certificates import crl
    from issuers.models import Issuer
    from owners.models import Principal

    issuer, actor = Issuer.objects.get(slug=sys.argv[1]), Principal.objects.system()
    before = peak()
    began = time.perf_counter()
    published = crl.publish(issuer_id=issuer.pk, actor=actor)
    took = time.perf_counter() - began
    print(json.dumps({"took": took, "size": published.size, "before": before, "peak": peak()}))


if __name__ == "__main__":
    main()
