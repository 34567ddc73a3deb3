"""What the trail says of targets and deployments besides the use cases."""

from audit.actions import declare

declare(
    {
        "deployment.bind": "A certificate is to be served at a target.",
        "deployment.deploy": "A version is in place at a target.",
        "deployment.unbind": "A certificate is no longer to be served at a target.",
        "deployment.skip": "A certificate is not put at a target, and `data` says why.",
        "deployment.validate": "A handshake saw what a target serves.",
        "target.create": "A target was made.",
        "target.update": "A target was changed.",
        "target.delete": "A target that nothing refers to was deleted.",
        "target.test": "A target was looked at, and nothing changed there.",
    }
)
