"""What the trail says of targets and deployments besides the use cases."""

from audit.actions import declare

declare(
    {
        "deployment.bind": "A certificate is to be served at a target.",
        "deployment.deploy": "A version is in place at a target.",
        "deployment.skip": "A new version is not brought to a target, as that is disabled.",
        "deployment.validate": "A handshake saw what a target serves.",
    }
)
