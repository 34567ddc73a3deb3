"""What the trail says of targets and deployments besides the use cases."""

from audit.actions import declare
from audit.sentences import Sentence, tell

declare(
    {
        "deployment.bind": "A certificate is to be served at a target.",
        "deployment.deploy": "A version is in place at a target.",
        "deployment.skip": "A certificate is not put at a target, and `data` says why.",
        "deployment.validate": "A handshake saw what a target serves.",
    }
)

tell(
    {
        "deployment.bind": Sentence(
            "had it served", "have it served:", "{it}", "a certificate at a target"
        ),
        "deployment.unbind": Sentence(
            "took off its target", "take off its target", "{it}", "a certificate"
        ),
        "deployment.deploy": Sentence(
            "put in place", "put in place", "{it}", "a certificate at a target"
        ),
        "deployment.skip": Sentence(
            "left out", "leave out", "the deployment of {it}", "a deployment"
        ),
        "deployment.validate": Sentence(
            "looked at what is served:", "look at what is served:", "{it}", "a target's certificate"
        ),
        "target.create": Sentence("made", "make", "the target {it}", "a target"),
        "target.update": Sentence("changed", "change", "the target {it}", "a target"),
        "target.delete": Sentence("deleted", "delete", "the target {it}", "a target"),
        "target.test": Sentence("tested", "test", "the target {it}", "a target"),
    }
)
