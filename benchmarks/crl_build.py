"""Publish one CRL of an issuer, as the worker does; print what it took. `python -m ... SLUG`.

A process of its own, so that its memory is that of one build.
"""

import json
import resource
import sys
import time

import django


def main() -> None:
    """Publish and print seconds, octets, and KiB of memory before and at the most."""
    django.setup()
    from certificates import crl
    from issuers.models import Issuer
    from owners.models import Principal

    issuer, actor = Issuer.objects.get(slug=sys.argv[1]), Principal.objects.system()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    published = crl.publish(issuer_id=issuer.pk, actor=actor)
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"took": took, "size": published.size, "before": before, "peak": peak}))


if __name__ == "__main__":
    main()
