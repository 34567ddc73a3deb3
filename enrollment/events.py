"""What the trail says of devices' doors besides the use cases."""

from audit.actions import declare
from audit.sentences import Sentence, tell

declare(
    {
        "credential.refuse": "A credential or challenge is unknown, wrong, or may not be used.",
        "credential.lock_out": "Too many wrong credentials: one is locked out at an address.",
        "credential.spend": "A one-time credential brought its one request.",
        "enrollment.collect": "A device got the certificate that it had asked for.",
    }
)

tell(
    {
        "certificate.request_ra": Sentence(
            "asked for",
            "ask for",
            "the first RA certificate of {it}",
            "the first RA certificate of a label",
        ),
        "certificate.renew_ra": Sentence(
            "asked for",
            "ask for",
            "the next RA certificate of {it}",
            "the next RA certificate of a label",
        ),
        "credential.create": Sentence("made", "make", "the credential {it}", "credentials"),
        "credential.block": Sentence("blocked", "block", "the credential {it}", "a credential"),
        "credential.refuse": Sentence(
            "was refused, who came with",
            "come with",
            "the credential {it}",
            "a credential that is unknown or wrong",
        ),
        "credential.lock_out": Sentence(
            "was locked out", "be locked out", "for guessing at {it}", "for guessing at credentials"
        ),
        "credential.spend": Sentence("spent", "spend", "the credential {it}", "a credential"),
        "device.create": Sentence("announced", "announce", "the device {it}", "a device"),
        "device.block": Sentence("blocked", "block", "the device {it}", "a device"),
        "device.unblock": Sentence("unblocked", "unblock", "the device {it}", "a device"),
        "enrollment.collect": Sentence(
            "collected", "collect", "the certificate of {it}", "a certificate"
        ),
        "enrollment.generate_key": Sentence(
            "had a key made", "have a key made", "for {it}", "for a device"
        ),
        "enrollment.get_certificate": Sentence(
            "fetched", "fetch", "the certificate of {it}", "a certificate"
        ),
        "enrollment.poll": Sentence("asked after", "ask after", "the request of {it}", "a request"),
        "enrollment.request": Sentence("enrolled", "enroll", "{it}", "a device"),
        "label.create": Sentence("made", "make", "the label {it}", "a label"),
        "label.update": Sentence("changed", "change", "the label {it}", "a label"),
        "label.block": Sentence("blocked", "block", "the label {it}", "a label"),
        "label.unblock": Sentence("opened again", "open again", "the label {it}", "a label"),
    }
)
