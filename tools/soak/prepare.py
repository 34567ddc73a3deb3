"""What the soak starts with: the demo's people, CA and rules, and targets for files of its own."""

import json
import os
import sys
from datetime import timedelta
from pathlib import Path

import django

TARGETS = 6


def main() -> None:
    """Make it all; the keys go where the demo's go."""
    django.setup()
    from certctl.demo.bootstrap import bootstrap
    from deployments import services
    from issuers.services import save_profile
    from owners.models import Principal

    bootstrap(base_url=sys.argv[1], tls_port=1)
    system = Principal.objects.system()
    save_profile(
        actor=system,
        changes={
            "slug": "soak",
            "name": "Soak",
            "key_algorithms": ["ecdsa-p256"],
            "key_usage": ["digitalSignature"],
            "extended_key_usage": ["serverAuth"],
            "allowed_sans": ["dns:*.demo.internal"],
            "subject_attributes": ["CN"],
            "max_lifetime": timedelta(days=47),
            "approval_required_for": [],
        },
    )
    files = Path(os.environ["CERTCTL_VAR_DIR"], "files")
    for number in range(TARGETS):
        folder = files / f"host-{number}"
        folder.mkdir(mode=0o700)
        services.create_target(
            actor=system,
            name=f"host-{number}",
            kind="file",
            config={"certificate_path": str(folder / "cert.pem"), "fullchain": True},
        )
    print(json.dumps({"targets": TARGETS}))


if __name__ == "__main__":
    main()
