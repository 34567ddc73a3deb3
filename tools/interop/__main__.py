"""Drive clients that others wrote against a running installation: `make interop`.

Devices that enroll, and relying parties that ask what became of certificates. As root on Debian
12 it installs what is missing (strongswan-pki, certmonger, ocsptool, NSS, Apache, Java).
Nothing is left out where a program is missing: then it fails and says which.
"""

import argparse
import logging
import signal
import sys

from certctl.demo.programs import NoProgram
from tests.servers import NoServer
from tools.interop import (
    certmonger_scep,
    curl_est,
    people,
    relying_java,
    relying_servers,
    relying_tools,
    strongswan_est,
    strongswan_scep,
)
from tools.interop.checks import run_all
from tools.interop.packages import NoPackage, bring
from tools.run_tests import stop
from tools.served import served

CHECKS = [
    *curl_est.CHECKS,
    *strongswan_est.CHECKS,
    *strongswan_scep.CHECKS,
    *certmonger_scep.CHECKS,
    *relying_tools.CHECKS,
    *relying_java.CHECKS,
    *relying_servers.CHECKS,
]


def main() -> int:
    """Run every check of every client, and say how each ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="checks whose client's name has this in it")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # of the use cases; what clients see is printed
    signal.signal(signal.SIGTERM, stop)
    try:
        for package, version in bring().items():
            print(f"interop: {package} {version}")
        with served() as installation:
            people.make_profiles()
            failed = run_all([c for c in CHECKS if options.only in c.client], installation)
    except (NoPackage, NoProgram, NoServer) as error:
        print(f"interop: {error}", file=sys.stderr)
        return 1
    print(f"interop: FAILED: {'; '.join(failed)}" if failed else "interop: every client is served")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
