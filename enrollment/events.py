"""What the trail says of devices' doors besides the use cases."""

from audit.actions import declare

declare(
    {
        "credential.refuse": "A credential or challenge is unknown, wrong, or may not be used.",
        "credential.lock_out": "Too many wrong credentials: one is locked out at an address.",
        "credential.spend": "A one-time credential brought its one request.",
        "enrollment.collect": "A device got the certificate that it had asked for.",
    }
)
